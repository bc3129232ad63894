// What becomes of a page in the wild: frozen with the lid, kept for the back button, killed, on a bad network.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { startBrowser } from './browsers.mjs'
import { eventually, recorder, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = null))

const down = (path) => (path == '/v1/b' ? 'down' : null)
/** Runs `use` with a browser of its own, which is gone after. */
const withChromium = async (options, use) => {
  const chromium = await startBrowser(options)
  try {
    await use(chromium, await chromium.browser.newContext())
  } finally {
    await chromium.kill()
  }
}
const rendererIds = async ({ browser }) => {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return processInfo.filter(({ type }) => type == 'renderer').map(({ id }) => id)
}
const pass = (delay_ms) => new Promise((resolve) => setTimeout(resolve, delay_ms))

test('the lid closed while calls are under way, and opened again: each arrives once, in order', () =>
  withChromium({}, async (chromium, context) => {
    const visitor = await visit('/', {}, { context })
    const since = recorder.requests.length
    recorder.fault = (path) => (path == '/v1/b' ? { status: 503, delay_ms: 700 } : null)
    await visitor.run(() => {
      analytics.track('first')
      analytics.track('second')
    })
    await eventually(() => recorder.requests.length > since, 'a request is under way')
    chromium.signal('SIGSTOP')
    await pass(1500)
    // The answer went to a machine that slept, and the connections are dead.
    recorder.dropConnections()
    recorder.fault = null
    chromium.signal('SIGCONT')
    assert.deepEqual((await visitor.sent(2)).map((m) => m.event), ['first', 'second'])
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    assert.equal(visitor.arrivals().length, 2)
  }))

test('a tab that is put to sleep and never wakes: another tab sends what it has left', () =>
  withChromium({}, async (chromium, context) => {
    const visitor = await visit('/', {}, { context })
    const [sleeper] = await rendererIds(chromium)
    const other = await visit('/other', {}, { context })
    assert.ok((await rendererIds(chromium)).length > 1, 'the tabs share a process')
    let tries = 0
    recorder.fault = (path) => {
      tries += path == '/v1/b'
      return down(path)
    }
    await visitor.run(() => analytics.track('asleep'))
    // Once that has failed nobody holds the lock: the other tab need not wait until it is sure that this one sleeps.
    await eventually(() => tries, 'a request was tried')
    await pass(500)
    process.kill(sleeper, 'SIGSTOP')
    recorder.fault = null
    await other.run(() => analytics.track('awake'))
    assert.deepEqual((await other.sent(1)).map((m) => m.event), ['awake'])
    const both = await recorder.until((m) => ['awake', 'asleep'].includes(m.event), 2, 30_000)
    assert.deepEqual(both.map((m) => m.event).sort(), ['asleep', 'awake'])
  }))

test('a tab that falls asleep in the middle of a request holds the others up for a while only', () =>
  withChromium({}, async (chromium, context) => {
    const visitor = await visit('/', {}, { context })
    const [sleeper] = await rendererIds(chromium)
    // The test does not wait for the library's twenty seconds.
    const hurry = () => {
      const { setTimeout } = window
      window.setTimeout = (job, ms, ...args) => setTimeout(job, ms == 20_000 ? 1500 : ms, ...args)
    }
    const other = await visit('/other', {}, { context, init: hurry })
    const since = recorder.requests.length
    recorder.fault = (path) => (path == '/v1/b' ? { status: 503, delay_ms: 60_000 } : null)
    await visitor.run(() => analytics.track('held'))
    await eventually(() => recorder.requests.length > since, 'a request is under way')
    process.kill(sleeper, 'SIGSTOP')
    recorder.fault = null
    const start = Date.now()
    await other.run(() => analytics.track('holding not'))
    const both = await recorder.until((m) => ['holding not', 'held'].includes(m.event), 2, 40_000)
    assert.deepEqual(both.map((m) => m.event).sort(), ['held', 'holding not'])
    assert.ok(Date.now() - start > 1000, 'the lock was not held at all')
  }))

test('one of two tabs crashes: the other sends the calls of both, each once, in order', async () => {
  const one = await visit()
  const two = await visit('/', {}, { context: one.context })
  recorder.fault = down
  await two.run(() => analytics.track('living 1'))
  await one.run(() => {
    analytics.identify('u1')
    analytics.track('dying 1')
    analytics.track('dying 2')
  })
  const crashed = one.page.waitForEvent('crash')
  const session = await one.context.newCDPSession(one.page)
  session.send('Page.crash').catch(() => {})
  await crashed
  await two.run(() => analytics.track('living 2'))
  recorder.fault = null
  const messages = await two.sent(5, 40_000)
  const of = (word) => messages.map((m) => m.event ?? m.type).filter((name) => name.startsWith(word))
  assert.deepEqual(of('dying'), ['dying 1', 'dying 2'])
  assert.deepEqual(of('living'), ['living 1', 'living 2'])
  assert.deepEqual(messages.filter((m) => !m.userId).map((m) => m.event), ['living 1'])
  await eventually(async () => !(await two.waiting()).length, 'the queue is empty')
  await one.close()
})

test('a slow network, and the page left at once: nothing is lost, nothing doubled', async () => {
  const visitor = await visit()
  const session = await visitor.context.newCDPSession(visitor.page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 400,
    downloadThroughput: 50_000,
    uploadThroughput: 20_000,
  })
  visitor.leave((to) => {
    for (let call = 0; call < 30; call++) analytics.track('slowly', { call, text: 'x'.repeat(500) })
    location.href = to
  }, visitor.url('/next'))
  await visitor.page.waitForURL((url) => url.pathname == '/next')
  const messages = await visitor.sent(30, 60_000)
  assert.deepEqual(
    messages.map((m) => m.properties.call),
    Array.from({ length: 30 }, (_, call) => call),
  )
  await visitor.close()
})

test('a page kept for the back button takes up its work where it was', () =>
  withChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] }, async (chromium, context) => {
    const keepable = { headers: { 'cache-control': 'no-cache' } }
    const visitor = await visit('/kept', keepable, { context })
    await visitor.run(() => {
      window.shown = []
      addEventListener('pageshow', ({ persisted }) => window.shown.push(persisted))
      analytics.track('before')
    })
    await visitor.sent(1)
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    recorder.fault = down
    visitor.leave(
      (to) => {
        analytics.track('leaving')
        location.href = to
      },
      visitor.url('/elsewhere', { lib: 'none' }),
    )
    await visitor.page.waitForURL((url) => url.pathname == '/elsewhere')
    recorder.fault = null
    // A kept page does not load again.
    await visitor.page.goBack({ waitUntil: 'commit' })
    await eventually(() => visitor.run(() => window.shown?.length), 'the kept page is back')
    assert.deepEqual(await visitor.run(() => window.shown), [true])
    await visitor.run(() => analytics.track('back'))
    assert.deepEqual((await visitor.sent(3)).map((m) => m.event), ['before', 'leaving', 'back'])
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    assert.equal(new Set(visitor.arrivals()).size, visitor.arrivals().length)
  }))

test('offline for several pages, then online: all of it, in the order in which it was called', async () => {
  const visitor = await visit('/one', { lib: 'onym' })
  recorder.fault = down
  for (const path of ['/two', '/three', '/four']) {
    visitor.leave(
      ([path, to]) => {
        analytics.track('left for ' + path)
        location.href = to
      },
      [path, visitor.url(path)],
    )
    await visitor.page.waitForURL((url) => url.pathname == path)
    await visitor.loaded()
  }
  recorder.fault = null
  await visitor.run(() => dispatchEvent(new Event('online')))
  const messages = await visitor.sent(3)
  assert.deepEqual(messages.map((m) => m.event), ['left for /two', 'left for /three', 'left for /four'])
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  assert.equal(visitor.arrivals().length, 3)
  await visitor.close()
})
