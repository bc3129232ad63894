// The ways in which a visitor leaves a page right after a call, each run many times against Onym's library
// and against unmodified analytics-next, by the same script. loss.test.mjs judges the result.
import { startChromium } from './chromium.mjs'
import { NEXT_KEY, startRecorder } from './recorder.mjs'
import { startSite } from './site.mjs'

/** How long calls may take to arrive, once the visitor is on a page whose library has loaded. */
const ARRIVE_MS = 6000
const KEYS = { onym: 'wk_website', next: NEXT_KEY }

const CALLS = `
  analytics.track('first of two', { call: 1 })
  analytics.track('second of two', { call: 2 })`
const NAMES = ['first of two', 'second of two']

const loaded = (page) =>
  page.waitForFunction(() => window.analytics?.initialized, null, { timeout: 10_000 })

/** Calls that are in the very last lines before `leave`. The page is gone before evaluate could answer. */
const runAndLeave = async (page, script, target) => {
  const arrived = page.waitForURL((url) => url.pathname == target, { waitUntil: 'commit' })
  await page.evaluate((text) => void setTimeout(text), script)
  await arrived
}

const fail = (delay_ms, what) =>
  new Promise((_, reject) => setTimeout(() => reject(new Error(what)), delay_ms).unref())

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
    await page.evaluate(
      (text) => void setTimeout(text + '; navigator.sendBeacon("/made"); for (;;) {}'),
      CALLS,
    )
    await Promise.race([made, fail(ARRIVE_MS, 'the page never said that its calls had returned')])
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
}

const needsOwnBrowser = (way) => way == 'the tab killed'

const runOnce = async (way, library, sharedBrowser, upstream) => {
  const recorder = await startRecorder({ upstream })
  const site = await startSite(recorder.url)
  const browser = needsOwnBrowser(way) ? await startChromium() : sharedBrowser
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const url = (path) => site.page(path, { lib: library, key: KEYS[library], page: '1' })
    await page.goto(url('/a'))
    await loaded(page)
    await WAYS[way]({ page, url, recorder, context, browser, site })
    const belongs = (message) => message.type == 'track' && NAMES.includes(message.event)
    const messages = await recorder.until(belongs, NAMES.length, ARRIVE_MS)
    const events = messages.map((message) => message.event)
    const ids = new Set(messages.map((message) => message.anonymousId))
    return {
      lost: NAMES.filter((name) => !events.includes(name)).length,
      doubled: events.length - new Set(events).size,
      isOutOfOrder: events.length == NAMES.length && events.join() != NAMES.join(),
      isSplit: ids.size > 1,
    }
  } finally {
    await context.close()
    if (browser != sharedBrowser) await browser.close()
    await site.close()
    await recorder.close()
  }
}

/** Runs one way `count` times, `lanes` at once; gives the sums over all runs. */
export const runWay = async (way, library, count, { browser, lanes = 4, upstream }) => {
  const sum = { runs: 0, calls: 0, lost: 0, doubled: 0, outOfOrder: 0, split: 0 }
  let left = count
  const lane = async () => {
    while (left-- > 0) {
      const run = await runOnce(way, library, browser, upstream)
      sum.runs++
      sum.calls += NAMES.length
      sum.lost += run.lost
      sum.doubled += run.doubled
      sum.outOfOrder += run.isOutOfOrder
      sum.split += run.isSplit
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return sum
}
