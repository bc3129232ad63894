// The script that Onym serves as analytics.min.js: takes the place of the stub and replays it.
import { makeAnalytics } from './api'
import { provideMore } from './more'
import { takeKept, type Stub, type StubCall } from './stub'
import { readScript } from './host'
import { provideTools } from './tools'
import parts from './parts'
import { addClassic } from './classic'
import { seen } from './seen'
import { attempt } from './sooner'

const script = seen('currentScript') as HTMLScriptElement | null
const name = script?.getAttribute('data-global-segment-analytics-key') || 'analytics'
const [beside, home, writeKey] = readScript(script?.src ?? '')
// Browsers remember a file that did not come by its address.
provideMore(PLUS ? () => parts : (tries) => import(beside + '?'.repeat(tries)).then((file) => file.default))
if (TOOLS) provideTools(() => import(beside.replace('more.min.js', 'tools.js').replace(/m\.js$/, 't.js')))
const found = (window as any)[name]

// A second copy of the script on a page leaves the first in charge.
if (!found?.initialized) {
  const stub: Stub = Array.isArray(found) ? found : []
  const [analytics, replay, handlers] = makeAnalytics(home)
  Object.assign(analytics, { ...stub._old, ...analytics })
  const push = addClassic(analytics, replay, handlers, stub)
  ;(window as any)[name] = analytics
  // What sets the library up goes first, so that middleware sees every call; then the calls that earlier
  // pages were left with, then this page's, in the order in which they were made.
  const key = stub._writeKey || writeKey
  // One that throws costs itself alone.
  const run = (call: StubCall) => attempt(() => push(call), console.error)
  for (const call of stub) if (!(call[0] in handlers)) run(call)
  for (const call of takeKept(stub, key)) if (call[0] in handlers) run(call)
  if (key) analytics.load(key, stub._loadOptions)
}
