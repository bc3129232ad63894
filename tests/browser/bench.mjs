// What the library costs the page: the time of its main thread by Chromium's own count (CDP), beside unmodified
// analytics-next and a page without either, in turn, at full speed and with the processor slowed down six times.
// `make bench-browser`; ROUNDS=15, RATES=1,6, WITHOUT=Temporal for a browser of before 2026.
//
// profiler: JavaScript and its garbage collection by the Profiler's samples, wall time; the thread waits in it, too (for
//           cookies and storage the browser asks another process).
// script:   ScriptDuration, processor time; work that Chromium begins itself, such as a granted lock, is not in it.
// task:     TaskDuration, processor time: all that the thread does, compiling and networking included.
// wall:     the same by the clock.
// Processor time is what a busy machine changes least. Each round is a new visitor in a new tab.
import { startBrowser } from './browsers.mjs'
import { NEXT_KEY, startRecorder } from './recorder.mjs'
import { startSite } from './site.mjs'

const ROUNDS = Number(process.env.ROUNDS ?? 15)
const RATES = (process.env.RATES ?? '1,6').split(',').map(Number)
const CALLS = 100
const KEYS = { none: '', onym: 'wk_website', next: NEXT_KEY }
const SIDES = Object.keys(KEYS)
/** The thread has nothing more to do when it has done next to nothing for so long, so often. */
const QUIET_MS = 250
const QUIET_COUNT = 3
/** A look at the metrics is itself a little work. */
const LOOK_MS = 2
const LIMIT_MS = 60_000
const SAMPLE_US = 200

const recorder = await startRecorder()
const site = await startSite(recorder.url)
const { browser, kill } = await startBrowser()

const sleep = (delay_ms) => new Promise((resolve) => setTimeout(resolve, delay_ms))
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

/** What was sampled while JavaScript ran, in ms. */
const timeOf = ({ nodes, samples, timeDeltas }) => {
  const idle = new Set(nodes.filter(({ callFrame }) => /^\((root|program|idle)/.test(callFrame.functionName)).map(({ id }) => id))
  // A delta is the time before its sample.
  return samples.reduce((sum, id, at) => (idle.has(id) ? sum : sum + (timeDeltas[at + 1] ?? 0) / 1000), 0)
}

/** `spent` gives what the thread has spent so far, in ms; `begin` and `end` stand around what is profiled. */
const watch = async (context, page, rate) => {
  const [cpu, wall] = await Promise.all([0, 1].map(() => context.newCDPSession(page)))
  await cpu.send('Performance.enable', { timeDomain: 'threadTicks' })
  await wall.send('Performance.enable', { timeDomain: 'timeTicks' })
  await cpu.send('Profiler.enable')
  await cpu.send('Profiler.setSamplingInterval', { interval: SAMPLE_US })
  await cpu.send('Emulation.setCPUThrottlingRate', { rate })
  const read = async (session, wanted) => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * metrics.find(({ name }) => name == wanted).value
  }
  return {
    begin: () => cpu.send('Profiler.start'),
    end: async () => timeOf((await cpu.send('Profiler.stop')).profile),
    spent: async () => ({
      script: await read(cpu, 'ScriptDuration'),
      task: await read(cpu, 'TaskDuration'),
      wall: await read(wall, 'TaskDuration'),
    }),
  }
}

const measure = async (side, rate) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  if (process.env.WITHOUT) await page.addInitScript(`delete window[${JSON.stringify(process.env.WITHOUT)}]`)
  const { begin, end, spent: read } = await watch(context, page, rate)
  const quiet = async () => {
    let spent = await read()
    for (let count = 0, limit = Date.now() + LIMIT_MS; count < QUIET_COUNT && Date.now() < limit; ) {
      await sleep(QUIET_MS)
      const now = await read()
      count = now.task - spent.task < LOOK_MS * rate ? count + 1 : 0
      spent = now
    }
    return spent
  }
  let sent = recorder.taken.length
  /** All calls have arrived, and nothing goes on. */
  const settled = async (calls) => {
    if (side != 'none') {
      sent += calls
      for (const limit = Date.now() + LIMIT_MS; recorder.taken.length < sent; await sleep(20))
        if (Date.now() > limit) throw new Error(`${side}: ${sent - recorder.taken.length} calls have not arrived`)
    }
    return quiet()
  }
  const visit = (path, side) => page.goto(site.page(path, { lib: side, key: KEYS[side], page: '1' }))
  const call = (count) =>
    page.evaluate((count) => {
      if (window.analytics) for (let call = 0; call < count; call++) window.analytics.track('T', { call, plan: 'pro' })
    }, count)
  const steps = {
    'first page': () => visit('/', side),
    'next page': () => visit('/next', side),
    'first call': () => call(1),
    [CALLS + ' calls']: () => call(CALLS),
  }
  const counts = [1, 1, 1, CALLS]
  const found = {}
  // The process and the tab are warm, as those of a visitor are who comes from elsewhere.
  await visit('/before', 'none')
  await quiet()
  let before = {}
  for (const [at, [name, step]] of Object.entries(steps).entries()) {
    await begin()
    await step()
    const after = await settled(counts[at])
    found[name] = { profiler: await end() }
    // Each page is counted from its own beginning.
    for (const what in after) found[name][what] = after[what] - (name.endsWith('page') ? 0 : before[what])
    before = await read()
  }
  await context.close()
  return found
}

console.log(`ms of the page's main thread, medians of ${ROUNDS} rounds; Chromium ${browser.version()}`)
for (const rate of RATES) {
  const found = Object.fromEntries(SIDES.map((side) => [side, []]))
  for (let round = 0; round < ROUNDS; round++) for (const side of SIDES) found[side].push(await measure(side, rate))
  const [[, [one]]] = Object.entries(found)
  for (const step of Object.keys(one)) {
    console.log(`\nCPU x${rate}, ${step}`.padEnd(24) + Object.keys(one[step]).map((what) => what.padStart(10)).join(''))
    for (const side of SIDES) {
      const values = Object.keys(one[step]).map((what) => median(found[side].map((round) => round[step][what])))
      console.log('  ' + side.padEnd(21) + values.map((value) => value.toFixed(2).padStart(10)).join(''))
    }
  }
}
await kill()
await site.close()
await recorder.close()
