// The ways in which a visitor leaves a page right after a call, each run many times against Onym's library
// and against unmodified analytics-next, by the same script. loss.test.mjs judges the result.
import { isFirefox, startBrowser } from './browsers.mjs'
import { NEXT_KEY, startRecorder } from './recorder.mjs'
import { startSite } from './site.mjs'

/**
 * How long calls may take to arrive, once the visitor is on a page whose library has loaded: analytics-next looks at
 * what an earlier page has left only after some seconds, and the machine may be busy. Only what is lost takes so long.
 */
const ARRIVE_MS = Number(process.env.ARRIVE_MS ?? 30_000)
const SETTLE_MS = 300
/** One run, with all of its pages; the browser of one that takes longer is hung. */
const RUN_MS = Number(process.env.RUN_MS ?? 90_000)
const STALLS_MAX = 5
const KEYS = { onym: 'wk_website', next: NEXT_KEY }

const CALLS = `
  analytics.track('first of two', { call: 1 })
  analytics.track('second of two', { call: 2 })`
const NAMES = ['first of two', 'second of two']

const loaded = (page) =>
  page.waitForFunction(() => window.analytics?.initialized, null, { timeout: 45_000 })

/** Calls that are in the very last lines before `leave`. The page is gone before evaluate could answer. */
const runAndLeave = async (page, script, target) => {
  const arrived = page.waitForURL((url) => url.pathname == target, { waitUntil: 'commit' })
  // Not awaited: its answer can be lost with the page, and Playwright then waits for good.
  page.evaluate((text) => void setTimeout(text), script).catch(() => {})
  await arrived
}

/** Kills every renderer of the browser, as the kernel would. */
const killTabs = async (browser) => {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  for (const { type, id } of processInfo) if (type == 'renderer') process.kill(id, 'SIGKILL')
}

/** What the visitor does: each begins on /a with the library loaded, and must end on a loaded page. */
export const WAYS = {
  async 'last line before location ='({ page, url }) {
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await loaded(page)
  },

  async 'in beforeunload'({ page, url }) {
    await page.evaluate((text) => addEventListener('beforeunload', new Function(text)), CALLS)
    await runAndLeave(page, `location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await loaded(page)
  },

  async 'on a form post'({ page, url }) {
    await page.evaluate(
      ([text, target]) => {
        const form = Object.assign(document.createElement('form'), { method: 'post' })
        form.action = '/submit?to=' + encodeURIComponent(target)
        form.addEventListener('submit', new Function(text))
        document.body.append(form)
      },
      [CALLS, url('/b')],
    )
    await runAndLeave(page, `document.forms[0].requestSubmit()`, '/b')
    await loaded(page)
  },

  async 'the server down for a while'({ page, url, recorder }) {
    recorder.fault = () => 'down'
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await page.waitForLoadState()
    recorder.fault = null
    await page.goto(url('/c'))
    await loaded(page)
  },

  async 'the server answers 500'({ page, url, recorder }) {
    recorder.fault = (path) =>
      path.startsWith('/v1/') && !path.endsWith('/settings') ? { status: 500 } : null
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await loaded(page)
    recorder.fault = null
    await page.goto(url('/c'))
    await loaded(page)
  },

  async 'the answer lost'({ page, url, recorder }) {
    recorder.fault = (path, method) => (method == 'POST' ? 'lost' : null)
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await loaded(page)
    recorder.fault = null
    await page.goto(url('/c'))
    await loaded(page)
  },

  async 'offline, and the lid closed'({ page, url, context }) {
    await context.setOffline(true)
    await page.evaluate(CALLS)
    await page.close()
    await context.setOffline(false)
    const later = await context.newPage()
    await later.goto(url('/b'))
    await loaded(later)
  },

  async 'the tab killed'({ page, url, context, browser, site }) {
    // The page says that the calls have returned, and hangs: only what was safe by then can survive.
    const made = new Promise((resolve) => (site.onMade = resolve))
    const crashed = page.waitForEvent('crash')
    page
      .evaluate((text) => void setTimeout(text + '; navigator.sendBeacon("/made"); for (;;) {}'), CALLS)
      .catch(() => {})
    await within(made, 20_000, 'the page says that its calls have returned')
    await killTabs(browser)
    await crashed
    await page.close()
    const later = await context.newPage()
    await later.goto(url('/b'))
    await loaded(later)
  },

  async 'before the library has loaded'({ page, url, recorder }) {
    let open
    recorder.scriptGate = new Promise((resolve) => (open = resolve))
    await page.goto(url('/early'), { waitUntil: 'commit' })
    await page.waitForFunction(() => window.analytics && document.body)
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b'))}`, '/b')
    open()
    await loaded(page)
  },

  async 'to another subdomain, the server down'({ page, url, recorder }) {
    await page.goto(url('/www', {}, 'www.rdio.test'))
    await loaded(page)
    recorder.fault = () => 'down'
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/app', {}, 'app.rdio.test'))}`, '/app')
    await page.waitForLoadState()
    recorder.fault = null
    await page.goto(url('/later', {}, 'app.rdio.test'))
    await loaded(page)
  },

  async 'to another subdomain before the library has loaded'({ page, url, recorder }) {
    let open
    recorder.scriptGate = new Promise((resolve) => (open = resolve))
    await page.goto(url('/early', {}, 'www.rdio.test'), { waitUntil: 'commit' })
    await page.waitForFunction(() => window.analytics && document.body)
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/app', {}, 'app.rdio.test'))}`, '/app')
    open()
    await loaded(page)
  },

  async 'localStorage cleared in the same tick'({ page, url }) {
    await runAndLeave(page, `${CALLS}; localStorage.clear(); location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await loaded(page)
  },

  async 'a proxy answers 403'({ page, url, recorder }) {
    recorder.fault = (path) =>
      path.startsWith('/v1/') && !path.endsWith('/settings') ? { status: 403, body: '<h1>Forbidden</h1>' } : null
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b'))}`, '/b')
    await loaded(page)
    recorder.fault = null
    await page.goto(url('/c'))
    await loaded(page)
  },

  async 'to a page with another write key'({ page, url, recorder, key }) {
    let open
    recorder.scriptGate = new Promise((resolve) => (open = resolve))
    await page.goto(url('/early'), { waitUntil: 'commit' })
    await page.waitForFunction(() => window.analytics && document.body)
    await runAndLeave(page, `${CALLS}; location.href = ${JSON.stringify(url('/b', { key: key + '2' }))}`, '/b')
    open()
    await loaded(page)
    await page.goto(url('/c'))
    await loaded(page)
  },

  async 'a plugin that never settles'({ page, url }) {
    await page.evaluate(() => {
      const plugin = { name: 'hung', type: 'enrichment', version: '1', isLoaded: () => true, load: () => Promise.resolve() }
      void window.analytics.register({ ...plugin, track: () => new Promise(() => {}) })
    })
    await page.evaluate(`${CALLS}; void 0`)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    await page.goto(url('/b'))
    await loaded(page)
  },
}
// Only Chromium tells its driver which processes are its tabs.
if (isFirefox) delete WAYS['the tab killed']

/** Fails when `promise` is not settled by the limit: a browser that hangs must not hang the tests. */
const within = (promise, limit_ms, what) => {
  let timer
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('not within ' + limit_ms + ' ms: ' + what)), limit_ms)
  })
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}

/** Each run has a site of its own, on a port of its own, so that only cookies could be left of the one before. */
export const runOnce = async (way, library, { browser, context }, upstream) => {
  const recorder = await startRecorder({ upstream })
  const site = await startSite(recorder.url)
  const leave = async () => {
    const page = context.pages()[0] ?? (await context.newPage())
    // The page of the run before may have had no answer yet: as it goes it writes its calls, and who made them, into
    // cookies of the domain, which have no port.
    await page.goto('about:blank')
    await context.clearCookies()
    const key = KEYS[library]
    const url = (path, more = {}, host = 'localhost') =>
      site.page(path, { lib: library, key, page: '1', ...more }, host)
    await page.goto(url('/a'))
    await loaded(page)
    await WAYS[way]({ page, url, recorder, context, browser, site, key })
    const belongs = (message) => message.type == 'track' && NAMES.includes(message.event) && message.writeKey == key
    await recorder.until(belongs, NAMES.length, ARRIVE_MS)
    // What would be doubled has this long to arrive as well.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const messages = recorder.messages(belongs)
    const events = messages.map((message) => message.event)
    const ids = new Set(messages.map((message) => message.anonymousId))
    const arrivals = recorder.taken.filter((entry) => belongs(entry.message)).length
    return {
      calls: NAMES.length,
      lost: NAMES.filter((name) => !events.includes(name)).length,
      doubled: events.length - new Set(events).size,
      repeated: arrivals - events.length,
      outOfOrder: +(events.length == NAMES.length && events.join() != NAMES.join()),
      split: +(ids.size > 1),
    }
  }
  try {
    return await within(leave(), RUN_MS, way)
  } finally {
    await site.close()
    await recorder.close()
  }
}

/** A browser with one context, in which one run happens after the other. */
export const startLane = async () => {
  const chromium = await startBrowser()
  return { ...chromium, context: await chromium.browser.newContext() }
}

/** `count` lanes for `runWay`, each a browser that starts when it is first needed; `close` ends them. */
export const makeLanes = (count) => {
  const lanes = Array.from({ length: count }, () => ({ chromium: undefined }))
  return { lanes, close: () => Promise.all(lanes.map(({ chromium }) => chromium?.kill())) }
}

export const emptySum = () => ({ runs: 0, calls: 0, lost: 0, doubled: 0, repeated: 0, outOfOrder: 0, split: 0, stalled: 0 })

/**
 * Runs one way `count` times, in all lanes at once; gives the sums over all runs. A run in which the browser
 * itself stalled is made again, in a new one; `stalled` counts those.
 */
export const runWay = async (way, library, count, { lanes, upstream }) => {
  const sum = emptySum()
  let left = count
  const work = async (lane) => {
    while (left > 0) {
      left--
      lane.chromium ??= await startLane()
      try {
        const run = await runOnce(way, library, lane.chromium, upstream)
        sum.runs++
        for (const key in run) sum[key] += run[key]
      } catch (error) {
        console.error('a run is made again:', error.message)
        left++
        await lane.chromium.kill()
        lane.chromium = undefined
        if (++sum.stalled > STALLS_MAX) throw error
      }
    }
  }
  await Promise.all(lanes.map(work))
  return sum
}
