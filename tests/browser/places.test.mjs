// Pages that stand in other places than a window of their own, or are taken away under the calls: sandboxed frames, service
// workers, documents that are written anew, requests that are stopped, clocks that are put right between two pages.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, site, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = site.worker = null))

const named = (messages) => messages.map(({ type, event }) => event ?? type)

for (const sandbox of ['allow-scripts', 'allow-scripts allow-forms', 'allow-scripts allow-same-origin'])
  test(`a frame with sandbox="${sandbox}": its calls arrive, once, in order, of one visitor`, async () => {
    const visitor = await visit('/', { lib: 'none' })
    const script = `analytics.identify('framed'); analytics.track('a'); analytics.ready(() => analytics.track('b'))`
    await visitor.run(
      ([src, sandbox]) => void document.body.append(Object.assign(document.createElement('iframe'), { sandbox, src })),
      [site.page('/frame', { page: '1', script }), sandbox],
    )
    const messages = await visitor.sent(4)
    assert.deepEqual(named(messages), ['page', 'identify', 'a', 'b'])
    assert.equal(new Set(messages.map(({ anonymousId }) => anonymousId)).size, 1)
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })

for (const [what, worker] of [
  ['passes all on', `event.respondWith(fetch(event.request))`],
  ['makes requests of its own from what it is asked', `event.respondWith(event.request.clone().text().then((body) =>
      fetch(event.request.url, { method: event.request.method, ...(body && { body }) })))`],
  ['answers everything with its page for being offline', `event.respondWith(new Response('<h1>Offline</h1>', { headers: { 'content-type': 'text/html' } }))`],
  ['answers everything with an error', `event.respondWith(Response.error())`],
  ['throws', `event.respondWith(Promise.reject(new Error('no')))`],
]) {
  test(`a service worker that ${what}: no call is lost`, async () => {
    site.worker = `addEventListener('install', () => skipWaiting()); addEventListener('activate', (event) => event.waitUntil(clients.claim()));
      addEventListener('fetch', (event) => { if (/[/]v1[/]b$/.test(event.request.url)) ${worker} })`
    const visitor = await visit()
    await visitor.run(async () => {
      await navigator.serviceWorker.register('/worker.js')
      while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 20))
      analytics.identify('12345')
      analytics.track('Signed Up')
    })
    if (/everything|throws/.test(what)) {
      assert.equal((await visitor.waiting()).length >= 2, true)
      await visitor.run(async () => void (await (await navigator.serviceWorker.getRegistration()).unregister()))
      await visitor.page.goto(visitor.url('/next'))
    }
    assert.deepEqual(named(await visitor.sent(2)), ['identify', 'Signed Up'])
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    await visitor.close()
  })
}

test('window.stop() behind the calls: what was under way is sent again', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    for (const event of ['a', 'b', 'c']) {
      analytics.track(event)
      window.stop()
    }
  })
  assert.deepEqual(named(await visitor.sent(3)), ['a', 'b', 'c'])
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  await visitor.close()
})

test('window.stop() while the library is on its way: the next page sends the calls', async () => {
  recorder.scriptGate = new Promise(() => {})
  const visitor = await visit('/', {}, { waits: false })
  await visitor.run(() => (analytics.identify('12345'), analytics.track('Signed Up'), window.stop()))
  recorder.scriptGate = null
  await visitor.page.goto(visitor.url('/next'))
  assert.deepEqual(named(await visitor.sent(2)), ['identify', 'Signed Up'])
  await visitor.close()
})

test('document.open() and a new document in the old window: calls go on, and none is lost on leaving', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    analytics.track('before')
    document.open()
    document.write('<!doctype html><title>new</title><h1>new</h1>')
    document.close()
    analytics.track('after')
  })
  assert.deepEqual(named(await visitor.sent(2)), ['before', 'after'])
  await visitor.run((to) => {
    analytics.track('leaving')
    location.href = to
  }, visitor.url('/next')).catch(() => {})
  assert.deepEqual(named(await visitor.sent(3)), ['before', 'after', 'leaving'])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

for (const way of ['location.replace(to)', 'location.replace(to); location.replace(to + "&again")', 'location.replace(to); window.stop(); location.href = to',
  'history.pushState(null, "", "/route"); location.replace(to)', 'document.write("gone"); location.replace(to)', 'window.open(to, "_self")'])
  test(`calls, and ${way} in the same tick: they arrive, once, in order`, async () => {
    const visitor = await visit()
    visitor.leave(`(to) => { analytics.identify('12345'); analytics.track('Signed Up'); ${way} }`, visitor.url('/next'))
    await eventually(() => visitor.page.url().includes('/next'), 'the page is left')
    const messages = await visitor.sent(2)
    assert.deepEqual(named(messages), ['identify', 'Signed Up'])
    assert.deepEqual(messages.map(({ userId }) => userId), ['12345', '12345'])
    await visitor.close()
  })

for (const [what, shift_ms] of [['a day ahead', 86_400_000], ['an hour behind', -3_600_000], ['ahead by a second', 1_000]])
  test(`a clock that is ${what} on the first page, and put right on the next: the calls keep their order`, async () => {
    const init = `if (location.pathname == '/first') { const { now } = Date; Date.now = () => now() + ${shift_ms} }`
    recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
    const visitor = await visit('/first', {}, { init })
    await visitor.run(() => (analytics.identify('12345'), void analytics.track('first')))
    await visitor.page.goto(visitor.url('/second', { script: `analytics.track('early on second')` }))
    await visitor.loaded()
    await visitor.run(() => void analytics.track('second'))
    recorder.fault = null
    await visitor.page.goto(visitor.url('/third', { script: '' }))
    await visitor.loaded()
    await visitor.run(() => void analytics.track('third'))
    assert.deepEqual(named(await visitor.sent(5)), ['identify', 'first', 'early on second', 'second', 'third'])
    await visitor.close()
  })

for (const [what, script] of [
  ['a plugin that takes its time', `analytics.register({ name: 'slow', version: '1', type: 'enrichment', isLoaded: () => true,
      load: async () => {}, track: () => new Promise((resolve) => setTimeout(resolve, 1200)) })`],
  ['middleware that never comes', `analytics.addSourceMiddleware(({ payload, next }) => next(payload))`],
])
  test(what + ': a callback has its call all the same', async () => {
    if (/never/.test(what)) recorder.fault = (path) => (path.endsWith('/more.min.js') ? { status: 404 } : null)
    const visitor = await visit('/', { script })
    await visitor.run(() => void analytics.track('a', {}, {}, ({ event }) => (window.told = [event.event])))
    await visitor.run(() => void analytics.track('b').then(({ event }) => window.told.push(event.event)))
    await eventually(async () => (await visitor.run(() => window.told?.join())) == 'a,b', 'both are told')
    await visitor.close()
  })

test('no plugin, and a callback that logs and counts as it did with analytics-next: nothing happens', async () => {
  const visitor = await visit('/')
  await visitor.run(() =>
    analytics.track('a', {}, {}, (context) => {
      context.log('info', 'sent', { by: 'us' })
      context.logger.log('debug', 'sent')
      context.stats.increment('calls')
      context.stats.gauge('length', 2, ['a'])
      window.told = context.event.event
    }),
  )
  assert.equal(await visitor.run(() => window.told), 'a')
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

const station = (more) =>
  `analytics.register({ name: 'odd', version: '1', type: 'enrichment', isLoaded: () => true, load: async () => {}, ${more} });`
for (const [what, script] of [
  ['load throws', station(`load() { throw new Error('no') }`)],
  ['ready throws', station(`ready() { throw new Error('no') }`)],
  ['ready rejects', station(`ready: () => Promise.reject(new Error('no'))`)],
  ['a call throws undefined', station(`track() { throw undefined }`)],
  ['a call answers a text', station(`track: () => 'yes'`)],
  ['a call answers something else', station(`track: () => ({ ok: true })`)],
  ['a call takes the event away', station(`track: (ctx) => { ctx.event = undefined; return ctx }`)],
  ['a call takes the integrations away', station(`track: (ctx) => { delete ctx.event.integrations; return ctx }`)],
  ['it is nothing', `analytics.register(undefined);`],
  ['it has no functions', `analytics.register({ name: 'bare', version: '1', type: 'enrichment' });`],
  ['middleware is no function', `analytics.addSourceMiddleware('no');`],
  ['middleware throws', `analytics.addDestinationMiddleware('*', () => { throw new Error('no') });` + station(`type: 'destination', track: (ctx) => ctx`)],
  ['middleware hands on nothing', `analytics.addSourceMiddleware(({ payload, next }) => { payload.obj = undefined; next(payload) });`],
  ['unload throws', station(`unload() { throw new Error('no') }`) + `analytics.deregister('odd');`],
]) {
  test(`a plugin that is odd (${what}): no call is lost, and the page is ready`, async () => {
    const visitor = await visit('/', { script })
    await visitor.run(() => {
      analytics.ready(() => (window.isReady = true))
      analytics.track('a')
      analytics.track('b')
    })
    assert.deepEqual(named(await visitor.sent(2)), ['a', 'b'])
    await eventually(() => visitor.run(() => window.isReady), 'ready')
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    await visitor.close()
  })
}
