// The second file, more.min.js: what most pages never use. The core imports it when a page does (more.ts).
// It is bundled apart: modules that remember something (marks, health, the time zone) are the core's alone.
// One object, since the build shortens the names of properties, which it cannot do with the names of exports.
import { arrive } from './arrival'
import { withLease } from './lease'
import { byRequest } from './old-way'
import { warnOfOptions } from './options-told'
import { makePipeline } from './pipeline'
import { watchRoutes } from './routes'
import { tellServer } from './server-cookie'
import { makeDrain } from './trouble'
import { joinTwins } from './twins'

const parts = { arrive, withLease, byRequest, makePipeline, watchRoutes, tellServer, makeDrain, joinTwins, warnOfOptions }
export type Parts = typeof parts
export default parts
