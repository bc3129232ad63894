// Pages as they are: values that JSON cannot write, plugins that hang, options of other libraries, libraries of 2008,
// pages that are never shown, a name that is taken, another subdomain.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, visit, test } from './setup.mjs'

const WWW = 'www.rdio.test'
const APP = 'app.rdio.test'
afterEach(() => (recorder.fault = recorder.scriptGate = null))

const ODD = `({
  big: 5n, node: document.documentElement, window, ok: 1,
  get bad() { throw new Error('no') },
  toJSONs: { toJSON() { throw new Error('no') } },
  proxy: new Proxy({}, { ownKeys() { throw new Error('no') } }),
  deep: Array.from({ length: 200 }).reduce((inner) => ({ inner }), 1),
  cycle: (() => { const a = {}; a.a = a; return a })(),
})`

test('a value that JSON cannot write costs itself, and is told', async () => {
  const visitor = await visit()
  await visitor.run(`window.told = []; analytics.on('error', ({ code, path }) => told.push(code + ' ' + path))
    const odd = ${ODD}
    analytics.track('T', odd); analytics.identify('12345', odd); analytics.group('g', odd)
    analytics.page('p', odd); analytics.alias('a', 'b', { context: odd }); 0`)
  const messages = await visitor.sent(5)
  assert.equal(messages.length, 5)
  assert.deepEqual([messages[0].properties.ok, messages[0].properties.big, messages[1].traits.ok], [1, '5', 1])
  const told = await visitor.run(() => window.told)
  assert.ok(told.includes('not_json properties.cycle.a') && told.includes('not_json node'))
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('the same before the library has loaded, on a page that is left at once: no other call is lost', async () => {
  let open
  recorder.scriptGate = new Promise((resolve) => (open = resolve))
  const visitor = await visit('/', {}, { waits: false })
  await visitor.run(`analytics.track('first'); analytics.track('odd', ${ODD}); analytics.track('last'); 0`)
  visitor.leave((to) => (location.href = to), visitor.url('/next'))
  await visitor.page.waitForURL(/next/, { waitUntil: 'commit' })
  open()
  await visitor.loaded()
  assert.deepEqual((await visitor.sent(3)).map(({ event }) => event), ['first', 'odd', 'last'])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

for (const [what, hang] of [
  ['middleware', `analytics.addSourceMiddleware(() => new Promise(() => {}))`],
  ['a before plugin', `analytics.register({ name: 'h', type: 'before', version: '1', load: () => {}, isLoaded: () => true, track: () => new Promise(() => {}) })`],
  ['a plugin that never loads', `analytics.register({ name: 'h', type: 'enrichment', version: '1', load: () => new Promise(() => {}), isLoaded: () => false })`],
]) {
  test(`${what} that never settles: on without it`, async () => {
    const visitor = await visit('/', { script: hang })
    await visitor.run(() => void (analytics.track('one'), analytics.track('two')))
    assert.deepEqual((await visitor.sent(2)).map(({ event }) => event), ['one', 'two'])
    await visitor.run(() => void analytics.ready(() => (window.isReady = true)))
    await eventually(() => visitor.run(() => window.isReady), 'ready')
    await visitor.close()
  })
}

/** A page with the library, loaded with options that are code. */
const start = async (options) => {
  const visitor = await visit('/', { lib: 'none' })
  await visitor.run(`(async () => {
    window.warned = []
    console.warn = (...all) => warned.push(all.join(' '))
    window.analytics = [['identify', 'u1', { a: 1 }], ['track', 'T'], ['group', 'g1']]
    analytics._writeKey = 'wk_website'
    analytics._loadOptions = ${options}
    const script = document.createElement('script')
    script.src = ${JSON.stringify(recorder.url)} + '/analytics.js/v1/wk_website/analytics.min.js'
    await new Promise((resolve) => { script.onload = resolve; document.head.append(script) })
  })()`)
  return visitor
}
for (const [options, count] of [
  ['{ disable: () => true }', 0],
  ['{ disable: async () => true }', 0],
  ['{ disable: async () => false }', 3],
  ['{ disable: () => { throw new Error("no") } }', 0],
  ['{ disable: () => Promise.reject(new Error("no")) }', 0],
  ['{ disable: (settings) => !settings.integrations["Segment.io"] }', 3],
  ['{ updateCDNSettings: (settings) => { window.seen = settings.integrations; return settings } }', 3],
  ['{ updateCDNSettings: async (settings) => settings, disable: (settings) => !settings.integrations }', 3],
  ['{ integrations: { All: false } }', 0],
  ['{ integrations: { "Segment.io": false } }', 0],
  ['{ integrations: { All: false, "Segment.io": true } }', 3],
  ['{ integrations: { All: false, Mixpanel: true } }', 0],
]) {
  test('load options ' + options, async () => {
    const visitor = await start(options)
    assert.equal((await visitor.sent(count || 1, count ? 8000 : 1200)).length, count)
    if (options.includes('seen')) assert.ok(await visitor.run(() => window.seen['Segment.io']))
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
}

test('user.disable and group.disable: nothing remembered, calls carry what they are given', async () => {
  const visitor = await start('{ user: { disable: true }, group: { disable: true } }')
  const [identify, track, group] = await visitor.sent(3)
  assert.deepEqual([identify.userId, identify.traits, track.userId, group.groupId], ['u1', { a: 1 }, undefined, 'g1'])
  assert.ok(track.anonymousId)
  assert.deepEqual(await visitor.run(() => [analytics.user().id(), analytics.group().id(), document.cookie]), [null, null, ''])
  await visitor.close()
})

test('user.localStorageFallbackDisabled: ids in cookies alone', async () => {
  const visitor = await start('{ user: { localStorageFallbackDisabled: true } }')
  await visitor.sent(3)
  assert.deepEqual(await visitor.run(() => [localStorage.ajs_user_id, /ajs_user_id=u1/.test(document.cookie)]), [undefined, true])
  await visitor.close()
})

test('an option that does nothing here is told', async () => {
  const visitor = await start('{ obfuscate: true, plan: {}, autoPage: false }')
  // The second file says it, when it has come.
  await eventually(async () => /obfuscate,plan/.test((await visitor.run(() => window.warned)).join()), 'obfuscate,plan')
  await visitor.close()
})

const OLD_LIBRARIES = `
  Array.prototype.toJSON = function () { return '[' + this.map((v) => JSON.stringify(v)).join(', ') + ']' }
  Object.prototype.toJSON = undefined; delete Object.prototype.toJSON
  Array.from = (value) => (value == null ? [] : [].slice.call(value))
  Array.prototype.each = Array.prototype.forEach; Array.prototype.last = function () { return this[this.length - 1] }
  Function.prototype.delay = function () {}; String.prototype.startsWith2 = 1`
// Version 1.6, whose toJSON gives JSON's text, quotes included.
const QUOTING = `
  String.prototype.toJSON = function () { return '"' + this + '"' }
  Number.prototype.toJSON = Boolean.prototype.toJSON = function () { return this + ' as text' }
  Array.prototype.toJSON = function () { return '[' + this.join(', ') + ']' }`
for (const [what, init] of [
  ['Prototype.js and MooTools', OLD_LIBRARIES],
  ['Prototype.js 1.6', QUOTING],
  ['a toJSON on every object', `Object.prototype.toJSON = function () { return 'gone' }`],
  ['no crypto', `Object.defineProperty(window, 'crypto', { value: undefined })`],
  ['crypto that throws', `Object.defineProperty(window, 'crypto', { value: { getRandomValues() { throw 1 } } })`],
  ['no Web Locks', `Object.defineProperty(navigator, 'locks', { value: undefined })`],
  ['Web Locks that throw', `navigator.locks.request = () => { throw 1 }`],
  ['no beacon', `navigator.sendBeacon = undefined`],
  ['no AbortSignal', `window.AbortSignal = window.AbortController = undefined`],
  ['a function at window.analytics', `window.analytics = function () {}; analytics.own = () => 7`],
  ['an object at window.analytics', `window.analytics = { own: () => 7, track: 'taken' }`],
]) {
  test(what + ': no error in the page and no lost call, early ones included', async () => {
    let open
    recorder.scriptGate = new Promise((resolve) => (open = resolve))
    const visitor = await visit('/', {}, { init, waits: false })
    await visitor.run(`analytics.track('early', { list: [1, { a: [2] }] }); 0`)
    open()
    await visitor.loaded()
    await visitor.run(`analytics.identify('12345', { list: [1] }); analytics.track('late', { list: [1] }); 0`)
    const [early, identify, late] = await visitor.sent(3)
    assert.deepEqual([early.event, identify.userId, late.event, late.userId], ['early', '12345', 'late', '12345'])
    assert.deepEqual([early.properties.list, identify.traits.list, late.properties.list], [[1, { a: [2] }], [1], [1]])
    assert.match(early.anonymousId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    if (init.includes('own')) assert.equal(await visitor.run('analytics.own()'), 7)
    visitor.leave((to) => {
      analytics.track('leaving')
      location.href = to
    }, visitor.url('/next'))
    assert.equal((await visitor.sent(4)).length, 4)
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
}

test('an element with the id analytics', async () => {
  const visitor = await visit('/', { head: '<form id="analytics"></form>', body: '<p id="analytics"></p>' })
  await visitor.run(() => analytics.track('T'))
  assert.equal((await visitor.sent(1)).length, 1)
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

// An element hides what the document has under its name: two of it make a list, a frame its window.
const HIDING = ['cookie', 'prerendering', 'createElement', 'querySelector', 'addEventListener', 'currentScript', 'getElementsByTagName', 'referrer', 'title']
const ELEMENTS = {
  'a form': (name) => `<form name="${name}"></form>`,
  'a picture and a form': (name) => `<img name="${name}" src="https://elsewhere.test/x.png"><form name="${name}" id="${name}"></form>`,
  'a frame': (name) => `<iframe name="${name}"></iframe>`,
}
for (const name of HIDING)
  for (const [element, write] of Object.entries(ELEMENTS).slice(0, name == 'cookie' ? 3 : 2))
    test(`${element} with the name ${name}: calls arrive, early ones too, and the next page knows the visitor`, async () => {
      let open
      recorder.scriptGate = new Promise((resolve) => (open = resolve))
      const head = '<link rel="canonical" href="/canonical">' + write(name)
      const visitor = await visit('/app', { head, script: `analytics.track('early')` }, { host: APP, waits: false })
      open()
      await visitor.loaded()
      await visitor.run(() => void (analytics.identify('12345'), analytics.track('late')))
      const [early, identify, late] = await visitor.sent(3)
      assert.deepEqual([early.event, identify.userId, late.event, late.userId], ['early', '12345', 'late', '12345'])
      assert.equal(late.context.page.path, '/canonical')
      assert.equal(new Set([early, identify, late].map(({ anonymousId }) => anonymousId)).size, 1)
      await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
      // The whole domain knows them, so the cookie was written and read.
      assert.deepEqual(
        (await visitor.context.cookies()).filter(({ name }) => /^ajs_/.test(name)).map(({ name, domain }) => name + domain).sort(),
        ['ajs_anonymous_id.rdio.test', 'ajs_user_id.rdio.test'],
      )
      const www = new URL(visitor.url('/next'))
      www.hostname = WWW
      await visitor.page.goto(www.href)
      await visitor.loaded()
      await visitor.run(() => analytics.track('next page'))
      const next = (await visitor.sent(4))[3]
      assert.deepEqual([next.userId, next.anonymousId], ['12345', late.anonymousId])
      assert.deepEqual(visitor.errors, [])
      await visitor.close()
    })

test("a consent tool's own document.cookie, which lets none through, is not gone round", async () => {
  const init = `Object.defineProperty(document, 'cookie', { get: () => '', set() {}, configurable: true })`
  const visitor = await visit('/app', {}, { host: APP, init })
  await visitor.run(() => void (analytics.identify('12345'), analytics.track('T')))
  assert.equal((await visitor.sent(2))[1].userId, '12345')
  assert.deepEqual(await visitor.context.cookies(), [])
  await visitor.close()
})

test('Trusted Types: the snippet works with a policy named onym', async () => {
  const headers = { 'content-security-policy': "require-trusted-types-for 'script'; trusted-types onym" }
  const visitor = await visit('/', { headers })
  await visitor.run(() => analytics.track('T'))
  assert.equal((await visitor.sent(1)).length, 1)
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('a page that is prerendered and never shown is not counted; shown, it is, with that time', async () => {
  const init = () => {
    if (location.pathname != '/hidden') return
    window.isHidden = true
    Object.defineProperty(document, 'prerendering', { get: () => window.isHidden })
  }
  const visitor = await visit('/hidden', { page: '1' }, { init })
  await visitor.run(() => analytics.track('hidden'))
  await visitor.page.goto(visitor.url('/next', { page: '' }))
  await visitor.loaded()
  await visitor.run(() => analytics.track('next'))
  assert.deepEqual((await visitor.sent(1)).map(({ event }) => event), ['next'])
  await visitor.page.goto(visitor.url('/hidden'))
  await visitor.loaded()
  const shownAt = await visitor.run(() => {
    const shownAt = Date.now()
    window.isHidden = false
    document.dispatchEvent(new Event('prerenderingchange'))
    return shownAt
  })
  const page = (await visitor.sent(2)).find(({ type }) => type == 'page')
  assert.ok(Date.parse(page.timestamp) >= shownAt)
  await visitor.close()
})

test('from www to app while the server is down: who signed up arrives, once', async () => {
  recorder.fault = (path) => (path.startsWith('/v1') ? 'down' : null)
  const www = await visit('/', {}, { host: WWW })
  await www.run(() => {
    for (let view = 0; view < 20; view++) analytics.page('view')
    analytics.identify('12345', { email: 'kim@example.com', name: 'Ü 😀' })
    analytics.track('Signed Up', { plan: 'Free' })
  })
  const app = new URL(www.url('/app'))
  app.hostname = APP
  await www.page.goto(app.href)
  recorder.fault = null
  await www.loaded()
  const [identify, track] = await www.sent(2)
  assert.deepEqual([identify.userId, identify.traits.name, track.event], ['12345', 'Ü 😀', 'Signed Up'])
  assert.match(track.context.userAgent, /Mozilla/)
  assert.match(track.context.page.url, /www/)
  await eventually(() => www.run(() => !document.cookie.includes('onym_')), 'the cookie is gone')
  await www.page.goto(www.url('/'))
  await www.loaded()
  assert.equal((await www.sent(22)).length, 22)
  await www.close()
})

test('from www to app before the library has loaded', async () => {
  let open
  recorder.scriptGate = new Promise((resolve) => (open = resolve))
  const www = await visit('/', {}, { host: WWW, waits: false })
  await www.run(() => {
    analytics.page()
    analytics.identify('12345', { email: 'kim@example.com' })
    analytics.track('Signed Up')
  })
  const app = new URL(www.url('/app'))
  app.hostname = APP
  www.leave((to) => (location.href = to), app.href)
  await www.page.waitForURL(/app\./, { waitUntil: 'commit' })
  open()
  await www.loaded()
  const [identify, track] = await www.sent(2)
  assert.deepEqual([identify.userId, track.event, track.userId], ['12345', 'Signed Up', '12345'])
  await www.close()
})

test('a read-only visit carries no cookie along', async () => {
  const www = await visit('/', { page: '1' }, { host: WWW })
  await www.run(() => analytics.track('T'))
  await www.sent(2)
  await eventually(async () => !(await www.waiting()).length, 'the queue is empty')
  await www.page.goto('about:blank')
  assert.deepEqual((await www.context.cookies()).map(({ name }) => name), ['ajs_anonymous_id'])
  await www.close()
})

test('two write keys on one origin: early calls arrive under their own', async () => {
  recorder.scriptGate = new Promise(() => {})
  const one = await visit('/', {}, { waits: false })
  await one.run(() => analytics.track('of one'))
  recorder.scriptGate = null
  const other = await visit('/', { key: 'wk_other' }, { context: one.context })
  await other.run(() => analytics.track('of the other'))
  const messages = await other.sent(1)
  assert.deepEqual(messages.map(({ event, writeKey }) => [event, writeKey]), [['of the other', 'wk_other']])
  // What was called for the first waits for a page with its key, and goes out under that.
  const again = await visit('/', {}, { context: one.context })
  assert.deepEqual((await again.sent(1)).map(({ event, writeKey }) => [event, writeKey]), [['of one', 'wk_website']])
  await one.close()
})
