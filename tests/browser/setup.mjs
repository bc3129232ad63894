// What every test file starts with: a collector (or Onym behind one), a site, a browser; and a visitor.
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBrowser } from './browsers.mjs'
import { startOnym } from './onym.mjs'
import { startRecorder } from './recorder.mjs'
import { startSite } from './site.mjs'
import { clearBy } from './test.mjs'

export const onym = await startOnym()
export const recorder = await startRecorder({ upstream: onym?.url })
export const site = await startSite(recorder.url)
const chromium = await startBrowser()
export const browser = chromium.browser
export { test } from './test.mjs'

// What is not closed within the limit ends with the browser.
clearBy(async () => {
  recorder.fault = recorder.faultBody = recorder.scriptGate = null
  await Promise.race([Promise.allSettled(browser.contexts().map((context) => context.close())), sleep(10_000, 0, { ref: false })])
  await recorder.settle()
})

after(async () => {
  await chromium.kill()
  await site.close()
  await recorder.close()
  await onym?.close()
})

/**
 * A new visitor on `path`, with the library loaded unless `asks.lib` is 'none' or `waits` is false. `sent`
 * waits for that many messages of theirs; `asks` are those of site.mjs.
 */
export const visit = async (
  path = '/',
  asks = {},
  { host, waits = true, context: given, init, contextOptions } = {},
) => {
  const context = given ?? (await browser.newContext(contextOptions))
  if (init) await context.addInitScript(init)
  const page = await context.newPage()
  const errors = []
  // Firefox tells its own remarks on cookies in the same way.
  page.on('pageerror', ({ message }) => /^Cookie “/.test(message) || errors.push(message))
  const since = recorder.taken.length
  await page.goto(site.page(path, asks, host), { waitUntil: waits ? 'load' : 'domcontentloaded' })
  const loaded = () => page.waitForFunction(() => window.analytics?.initialized, null, { timeout: 30_000 })
  if (waits && asks.lib != 'none') await loaded()
  const recent = () => new Set(recorder.taken.slice(since).map((entry) => entry.message.messageId))
  let left
  return {
    page,
    context,
    errors,
    loaded,
    url: (to, more) => site.page(to, { ...asks, ...more }, host),
    /** Runs the function in the page; it is given `argument`. */
    run: (script, argument) => page.evaluate(script, argument),
    /**
     * Runs a function that leaves the page. Nothing to await: the answer can be lost with the page, and
     * Playwright then waits for good.
     */
    leave: (script, argument) => {
      left = page
        .waitForEvent('framenavigated', { timeout: 5000 })
        .then(() => page.waitForLoadState('domcontentloaded', { timeout: 5000 }))
        .catch(() => {})
      void page
        .evaluate(`void setTimeout(() => (${script})(${JSON.stringify(argument)}))`)
        .catch(() => {})
    },
    /** The messages since the visit began, once there are `count`, in the order of their arrival. */
    sent: (count, limit_ms) =>
      recorder.until((message) => recent().has(message.messageId), count, limit_ms),
    /** How often each messageId came over the wire since the visit began. */
    arrivals: () => recorder.taken.slice(since).map((entry) => entry.message.messageId),
    waiting: () =>
      page.evaluate(() =>
        Object.keys(localStorage).filter((key) => /^onym[:-]/.test(key) && key != 'onym:lock'),
      ),
    /**
     * Nothing of this visitor arrives in the next test. Playwright may wait for good to close what is just navigating, so
     * whoever leaves arrives first; what is not closed even so ends with the browser.
     */
    close: async () => {
      await left
      const isClosed = await Promise.race([context.close().then(() => true), sleep(10_000, false, { ref: false })])
      if (!isClosed) console.log('not closed within 10 s: ' + page.url())
      await recorder.settle()
    },
  }
}

/**
 * Resolves when `test` answers true; fails after the limit. A test that throws has not come true yet: what it asks of
 * the page may not be there, or the page may be on its way to the next.
 */
export const eventually = async (test, what, limit_ms = 30_000) => {
  const end = Date.now() + limit_ms
  for (;;) {
    let trouble
    try {
      if (await test()) return
    } catch (error) {
      trouble = error
    }
    if (Date.now() > end) throw new Error('never came true: ' + what, { cause: trouble })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
