// Each way to leave a page REPEAT times, with Onym's library and with unmodified analytics-next, in one browser: what
// docs/browser.md states. `run loss` prepares what it needs, and starts one of these for each browser.
//
//   REPEAT (200), REPEAT_NEXT (as REPEAT), ONLY (one way), LANES (8 browsers at once), RESULTS (the file)
//
// All ways take turns, so that whenever it ends each has been run about as often as the others. The file is written
// after each run, and a later run with the same builds goes on where it ended.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isFirefox, startBrowser } from './browsers.mjs'
import { startOnym } from './onym.mjs'
import { emptySum, makeLanes, runOnce, startLane, WAYS } from './ways_to_leave.mjs'

const browserName = isFirefox ? 'firefox' : 'chromium'
const REPEAT = { onym: Number(process.env.REPEAT ?? 200) }
REPEAT.next = Number(process.env.REPEAT_NEXT ?? REPEAT.onym)
const STALLS_MAX = 50
const path = process.env.RESULTS ?? fileURLToPath(new URL(`../../build/soak/${browserName}.json`, import.meta.url))
const built = (name) => fileURLToPath(new URL('../../build/browser/' + name, import.meta.url))

/** What was measured: another build's numbers are never added to these. */
const fingerprint = () => {
  const hash = createHash('sha256')
  for (const name of ['analytics.min.js', 'more.min.js', 'snippet.min.js']) hash.update(readFileSync(built(name)))
  return hash.digest('hex').slice(0, 16)
}

const readResults = (about) => {
  try {
    const found = JSON.parse(readFileSync(path, 'utf8'))
    if (found.library == about.library && found.version == about.version) return found
    renameSync(path, path + '.' + found.library)
  } catch {
    // none yet
  }
  return { ...about, from: new Date().toISOString(), ways: {} }
}

// Playwright would close its browsers and stay.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const first = await startBrowser()
const about = { browser: browserName, version: first.browser.version(), library: fingerprint(), next: '1.84.3' }
await first.kill()

const results = readResults(about)
const save = () => {
  results.to = new Date().toISOString()
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path + '.new', JSON.stringify(results, null, 1) + '\n')
  renameSync(path + '.new', path)
}
const sumOf = (way, library) => ((results.ways[way] ??= {})[library] ??= emptySum())

const ways = Object.keys(WAYS).filter((way) => !process.env.ONLY || process.env.ONLY == way)
/** The way that has been run least often; in one that is under way the run counts already. */
const started = new Map()
const next = () => {
  const rows = ways.flatMap((way) => ['onym', 'next'].map((library) => ({ way, library, name: way + ' ' + library })))
  const wanted = rows
    .map((row) => ({ ...row, done: (started.get(row.name) ?? sumOf(row.way, row.library).runs) / REPEAT[row.library] }))
    .filter(({ done }) => done < 1)
    .sort((one, other) => one.done - other.done)[0]
  if (wanted) started.set(wanted.name, (started.get(wanted.name) ?? sumOf(wanted.way, wanted.library).runs) + 1)
  return wanted
}

const onym = await startOnym()
const { lanes, close } = makeLanes(Number(process.env.LANES ?? 8))
let stalls = 0

const work = async (lane) => {
  for (let job = next(); job; job = next()) {
    const { way, library, name } = job
    const sum = sumOf(way, library)
    try {
      lane.chromium ??= await startLane()
      const run = await runOnce(way, library, lane.chromium, onym?.url)
      sum.runs++
      for (const key in run) sum[key] += run[key]
      const { lost, doubled, outOfOrder, split } = run
      if (library == 'onym' && lost + doubled + outOfOrder + split)
        console.error(`${browserName}: ${way}: ${JSON.stringify({ lost, doubled, outOfOrder, split })}`)
    } catch (error) {
      sum.stalled++
      started.set(name, started.get(name) - 1)
      console.error(`${browserName}: a run is made again: ${way}: ${error.message}`)
      await lane.chromium?.kill()
      lane.chromium = undefined
      if (++stalls > STALLS_MAX) throw error
    }
    save()
  }
}

await Promise.all(lanes.map(work)).finally(() => close().then(() => onym?.close()))
const bad = ways.filter((way) => {
  const { lost, doubled, outOfOrder, split } = sumOf(way, 'onym')
  return lost + doubled + outOfOrder + split
})
console.log(`${browserName}: ${path}${bad.map((way) => '\n  not as promised: ' + way).join('')}`)
process.exit(bad.length ? 1 : 0)
