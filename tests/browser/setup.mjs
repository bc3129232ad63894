// What every test file starts with: a collector (or Onym behind one), a site, a browser; and a visitor.
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChromium } from './chromium.mjs'
import { startOnym } from './onym.mjs'
import { startRecorder } from './recorder.mjs'
import { startSite } from './site.mjs'

export const onym = await startOnym()
export const recorder = await startRecorder({ upstream: onym?.url })
export const site = await startSite(recorder.url)
const chromium = await startChromium()
export const browser = chromium.browser
export { test } from './test.mjs'

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
  page.on('pageerror', (error) => errors.push(error.message))
  const since = recorder.taken.length
  await page.goto(site.page(path, asks, host), { waitUntil: waits ? 'load' : 'domcontentloaded' })
  const loaded = () => page.waitForFunction(() => window.analytics?.initialized, null, { timeout: 10_000 })
  if (waits && asks.lib != 'none') await loaded()
  const recent = () => new Set(recorder.taken.slice(since).map((entry) => entry.message.messageId))
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
    leave: (script, argument) =>
      void page
        .evaluate(`void setTimeout(() => (${script})(${JSON.stringify(argument)}))`)
        .catch(() => {}),
    /** The messages since the visit began, once there are `count`, in the order of their arrival. */
    sent: (count, limit_ms) =>
      recorder.until((message) => recent().has(message.messageId), count, limit_ms),
    /** How often each messageId came over the wire since the visit began. */
    arrivals: () => recorder.taken.slice(since).map((entry) => entry.message.messageId),
    waiting: () =>
      page.evaluate(() =>
        Object.keys(localStorage).filter((key) => /^onym[:-]/.test(key) && key != 'onym:lock'),
      ),
    /** Playwright may wait for good to close what is just navigating; it ends with the browser then. */
    close: () => Promise.race([context.close(), sleep(3000, null, { ref: false })]),
  }
}

/** Resolves when `test` answers true; fails after the limit. */
export const eventually = async (test, what, limit_ms = 8000) => {
  const end = Date.now() + limit_ms
  while (!(await test())) {
    if (Date.now() > end) throw new Error('never came true: ' + what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
