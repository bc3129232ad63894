// The second file of the library, which comes when a page first uses what is in it.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = recorder.faultBody = null))
const isMore = (path) => /\/more\.min\.js$|\/m\.js$/.test(path)

test('a page without plugins never asks for it', async () => {
  const visitor = await visit('/')
  const asked = []
  visitor.page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await visitor.run(() => void analytics.track('a'))
  const [{ context }] = await visitor.sent(1)
  assert.equal(asked.filter(isMore).length, 0)
  assert.equal(context.onym, undefined)
  await visitor.close()
})

for (const [what, fault] of [
  ['comes late', { delay_ms: 700 }],
  ['does not come', 'down'],
  ['is not there', { status: 404 }],
  ['is a page of HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Hello</h1>' }],
]) {
  test(`a middleware, and the file ${what}: nothing is sent without it, and the next page sends all, in order`, async () => {
    recorder.fault = (path) => (isMore(path) ? fault : null)
    const script = `analytics.addSourceMiddleware(({ payload, next }) => { payload.obj.context.seen = 1; next(payload) })
        analytics.identify('12345'); analytics.track('a')`
    const visitor = await visit('/', { script })
    await visitor.run(() => void analytics.track('b'))
    if (what != 'comes late') {
      await new Promise((resolve) => setTimeout(resolve, 2500))
      assert.deepEqual(await visitor.sent(0), [])
      recorder.fault = null
      await visitor.page.goto(visitor.url('/next'))
    }
    const messages = await visitor.sent(3)
    assert.deepEqual(messages.slice(0, 3).map(({ type, event }) => event ?? type), ['identify', 'a', 'b'])
    assert.ok(messages.every(({ context }) => context.seen == 1))
    await visitor.close()
  })

  test(`a plugin, routes and the server's cookie, and the file ${what}: no call is lost, and they keep their order`, async () => {
    recorder.fault = (path) => (isMore(path) ? fault : null)
    const visitor = await visit('/', {
      options: { autoPage: true, serverCookie: true },
      script: `analytics.register({ name: 'seer', version: '1', type: 'enrichment', isLoaded: () => true, load: async () => {},
          track: (ctx) => { ctx.event.context.seen = 1; return ctx }, identify: (ctx) => { ctx.event.context.seen = 1; return ctx } })
        analytics.identify('12345'); analytics.track('a')`,
    })
    await visitor.run(() => void analytics.track('b'))
    const messages = await visitor.sent(3)
    assert.deepEqual(messages.map(({ type, event }) => event ?? type), ['identify', 'a', 'b'])
    const isThere = what == 'comes late'
    assert.deepEqual(messages.map(({ context }) => context.seen), Array(3).fill(isThere ? 1 : undefined))
    assert.equal(messages[2].userId, '12345')
    await visitor.close()
  })
}

test('the page is left before it has come: the next page finishes the calls', async () => {
  recorder.fault = (path) => (isMore(path) ? { delay_ms: 60_000 } : null)
  const script = `analytics.addSourceMiddleware(({ payload, next }) => { payload.obj.context.seen = 1; next(payload) })`
  const visitor = await visit('/', { script })
  await visitor.run(() => void analytics.track('a'))
  recorder.fault = null
  await visitor.page.goto(visitor.url('/next'))
  const [{ event, context }] = await visitor.sent(1)
  assert.deepEqual([event, context.seen], ['a', 1])
  await visitor.close()
})

const SEEN = `analytics.addSourceMiddleware(({ payload, next }) => { payload.obj.context.seen = 1; next(payload) });`
const gone = (path) => (isMore(path) ? { status: 404 } : null)
const hasAsked = (visitor) => visitor.page.waitForResponse((response) => isMore(new URL(response.url()).pathname))

test('it comes at last: the page itself sends all through the middleware, in order, and what is called meanwhile', async () => {
  recorder.fault = gone
  const visitor = await visit('/', { script: SEEN + `analytics.identify('12345'); analytics.track('a')` })
  await visitor.run(() => void analytics.track('b'))
  await hasAsked(visitor)
  recorder.fault = null
  const messages = await visitor.sent(3)
  await visitor.run(() => void analytics.track('c'))
  messages.push((await visitor.sent(4))[3])
  assert.deepEqual(messages.map(({ type, event }) => event ?? type), ['identify', 'a', 'b', 'c'])
  assert.ok(messages.every(({ context, userId }) => context.seen == 1 && userId == '12345'))
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('it comes at last: routes are counted, the server is asked for its cookie, a plugin hears of calls', async () => {
  recorder.fault = gone
  recorder.cookies.length = 0
  const visitor = await visit('/', {
    options: { autoPage: true, serverCookie: true },
    script: `analytics.register({ name: 'seer', version: '1', type: 'destination', isLoaded: () => true, load: async () => {},
        track: (ctx) => { window.heard = ctx.event.event; return ctx } })`,
  })
  const asked = hasAsked(visitor)
  await visitor.run(() => void analytics.track('early'))
  await asked
  recorder.fault = null
  await eventually(async () => {
    await visitor.run(() => void analytics.track('late'))
    return (await visitor.run(() => window.heard)) == 'late'
  }, 'the plugin is there')
  await visitor.run(() => history.pushState(null, '', '/route'))
  const isRoute = ({ message: { type, context } }) => type == 'page' && context.page.path == '/route'
  await eventually(() => recorder.taken.some(isRoute), 'the route is counted')
  await visitor.close()
})

test('one request for it is lost: nobody notices, what a link says included', async () => {
  let lost = 0
  recorder.fault = (path) => (isMore(path) && !lost++ ? { status: 503 } : null)
  const visitor = await visit('/?ajs_uid=u1&ajs_event=Opened', { page: '1' })
  const messages = await visitor.sent(3)
  // In the order in which they were made: the page's call waited for it, so that it is the right person's.
  assert.deepEqual(messages.map(({ type, event, userId }) => [event ?? type, userId]), [
    ['page', 'u1'],
    ['identify', 'u1'],
    ['Opened', 'u1'],
  ])
  assert.equal(lost, 2)
  await visitor.close()
})

test('it comes at last: what the link says is done, but not for somebody who has logged out since', async () => {
  for (const isReset of [false, true]) {
    recorder.fault = gone
    const visitor = await visit('/?ajs_uid=u1', { page: '1' })
    await visitor.sent(1)
    if (isReset) await visitor.run(() => void analytics.reset())
    recorder.fault = null
    // This is done behind it.
    await visitor.run(`${SEEN}; 0`)
    await visitor.run(() => void analytics.track('a'))
    const messages = await visitor.sent(isReset ? 2 : 3)
    assert.equal(messages.find(({ event }) => event == 'a').context.seen, 1)
    assert.deepEqual(messages.filter(({ type }) => type == 'identify').map(({ userId }) => userId), isReset ? [] : ['u1'])
    assert.equal(await visitor.run(() => analytics.user().id()), isReset ? null : 'u1')
    await visitor.close()
  }
})

test('it comes at last: what stood behind a refused call goes on', async () => {
  const refusal = { status: 400, body: '{"success":false,"code":"bad","message":"bad","error":"bad"}' }
  recorder.faultBody = (body) => (body.includes('"bad one"') ? refusal : undefined)
  recorder.fault = gone
  const visitor = await visit('/')
  const asked = hasAsked(visitor)
  await visitor.run(() => ['a', 'bad one', 'b'].forEach((event) => analytics.track(event)))
  await asked
  recorder.fault = null
  assert.deepEqual((await visitor.sent(2)).map(({ event }) => event), ['a', 'b'])
  await visitor.close()
})

/** What the console says of it; Chromium's own lines on requests that fail left out. */
const listen = (visitor) => {
  const said = []
  visitor.page.on('console', (line) => line.text().startsWith('Onym:') && said.push(line.text()))
  return said
}
test('it never comes, and a link and takeOver were there for it: calls go out, and the console says so once', async () => {
  let asked = 0
  recorder.fault = (path) => (isMore(path) ? (asked++, 'down') : null)
  const visitor = await visit('/', { lib: 'none' })
  const said = listen(visitor)
  await visitor.page.goto(visitor.url('/?ajs_uid=u1&ajs_event=Opened', { lib: 'onym', page: '1', options: { takeOver: ['jitsu'], autoPage: true } }))
  await visitor.loaded()
  await visitor.run(() => void analytics.track('a'))
  assert.deepEqual((await visitor.sent(2)).map(({ type, event }) => event ?? type), ['page', 'a'])
  // Asked for again and again, told once.
  await eventually(() => asked > 3, 'it is asked for again')
  assert.equal(said.length, 1, said.join('\n'))
  assert.match(said[0], /^Onym: more\.min\.js did not load/)
  await visitor.run(() => void analytics.track('b'))
  const { event, context } = (await visitor.sent(3))[2]
  assert.equal(event, 'b')
  assert.deepEqual(context.onym.health, ['more_missing'])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

for (const [what, path, script] of [
  ['a link waits', '/?ajs_uid=u1', ''],
  ['a plugin waits', '/', `analytics.register({ name: 'seer', version: '1', type: 'enrichment', isLoaded: () => true, load: async () => {}, track: (ctx) => ctx })`],
])
  test(`its request hangs, and ${what} for it: calls go out after a while, from this page, and the console says so`, async () => {
    let go
    const until = new Promise((resolve) => (go = resolve))
    recorder.fault = (path) => (isMore(path) ? { until } : null)
    const visitor = await visit('/', { lib: 'none' })
    const said = listen(visitor)
    await visitor.page.goto(visitor.url(path, { lib: 'onym', page: '1', script }))
    await visitor.loaded()
    await visitor.run(() => void analytics.track('a'))
    assert.deepEqual((await visitor.sent(2)).map(({ type, event }) => event ?? type), ['page', 'a'])
    await eventually(() => said.length, 'the console says so')
    // Late, but not too late: what it was wanted for is done.
    go()
    if (path != '/') await eventually(() => visitor.run(() => analytics.user().id() == 'u1'), 'the link is followed')
    else await eventually(() => visitor.run(() => analytics.queue.plugins.length == 1), 'the plugin is there')
    await visitor.run(() => void analytics.track('b'))
    await eventually(async () => (await visitor.sent(3)).some(({ event }) => event == 'b'), 'b arrives')
    const healthOf = (name) => visitor.sent(0).then((all) => all.find(({ event }) => event == name).context.onym?.health)
    // A call that waited for a link was made without the file; one that waited for a plugin was made before that was known.
    assert.deepEqual(await healthOf('a'), path != '/' ? ['more_missing'] : undefined)
    assert.deepEqual(await healthOf('b'), ['more_missing'])
    assert.deepEqual(said, ['Onym: more.min.js did not load: timeout'])
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
