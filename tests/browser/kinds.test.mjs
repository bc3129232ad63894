// More of the kinds that cost strangers a sign-up: cookies of every scope and text, odd ids, storage that fails at any
// write, odd values, clocks that jump, frames that vanish. Each row is the same sign-up, which must arrive whole, once,
// in order and as the right person.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, onym, recorder, test, visit } from './setup.mjs'

const APP = 'app.rdio.test'
afterEach(() => (recorder.fault = null))

const signUp = () => {
  analytics.track('before')
  analytics.identify('12345', { email: 'kim@example.com' })
  analytics.track('Signed Up')
}
const names = (messages) => messages.map(({ event, type }) => event ?? type)
const checkSignUp = (messages, what) => {
  assert.deepEqual(names(messages), ['before', 'identify', 'Signed Up'], what)
  const [, identify, signedUp] = messages
  assert.deepEqual([identify.userId, signedUp.userId], ['12345', '12345'], what)
  assert.deepEqual(identify.traits, { email: 'kim@example.com' }, what)
  assert.equal(new Set(messages.slice(1).map(({ anonymousId }) => anonymousId)).size, 1, what)
}

const scopes = [
  'path=/app/', 'domain=.rdio.test;path=/', 'domain=.app.rdio.test;path=/app/', 'path=/app/home;samesite=strict',
  'path=/app;domain=.rdio.test;samesite=lax', 'path=/app/home/',
]
const texts = ['old', '%E0%A4%A', '%22old%22', 'null', '', '12345', '"', '%00', 'a=b=c', 'undefined']
for (const scope of scopes)
  for (const text of scope == scopes[0] ? texts : texts.slice(0, 4)) {
    const what = scope + ' ' + text
    test(`a cookie that lies there already (${what}): the sign-up is of who signed up, and so is the next page`, async () => {
      const script = `for (const name of ['ajs_user_id', 'ajs_anonymous_id', 'ajs_group_id']) document.cookie = name + '=' + ${JSON.stringify(text)} + ';max-age=9999;${scope}'`
      const visitor = await visit('/app/home', { head: `<script>if (!sessionStorage.seen) { ${script}; sessionStorage.seen = 1 }</script>` }, { host: APP })
      await visitor.run(signUp)
      checkSignUp(await visitor.sent(3), what)
      await visitor.page.goto(visitor.url('/app/home/next'))
      await visitor.loaded()
      await visitor.run(() => analytics.track('next page'))
      const last = (await visitor.sent(4))[3]
      assert.deepEqual([last.event, last.userId], ['next page', '12345'], what)
      await visitor.run(() => void (analytics.reset(), analytics.track('after')))
      const after = (await visitor.sent(5))[4]
      assert.equal(after.userId ?? null, null, what)
      assert.notEqual(after.anonymousId, last.anonymousId, what)
      assert.deepEqual(visitor.errors, [], what)
      await visitor.close()
    })
  }

test('cookies that the server has set out of the reach of scripts', async () => {
  for (const scope of ['Path=/; HttpOnly', 'Path=/; HttpOnly; Domain=rdio.test', 'Path=/app; HttpOnly', 'Path=/; SameSite=Strict; HttpOnly']) {
    const headers = { 'set-cookie': ['ajs_user_id=old; ' + scope, 'ajs_anonymous_id=old-anonymous; ' + scope] }
    const visitor = await visit('/app/home', { headers }, { host: APP })
    await visitor.run(signUp)
    checkSignUp(await visitor.sent(3), scope)
    await visitor.page.goto(visitor.url('/app/next'))
    await visitor.loaded()
    await visitor.run(() => analytics.track('next page'))
    assert.equal((await visitor.sent(4))[3].userId, '12345', scope)
    await visitor.close()
  }
})

test('option cookie.key with a prefix that the page may not set: localStorage remembers', async () => {
  for (const key of ['__Host-uid', '__Secure-uid', 'ajs uid', 'ünï']) {
    const visitor = await visit('/', { options: { user: { cookie: { key } } } }, { host: APP })
    await visitor.run(signUp)
    checkSignUp(await visitor.sent(3), key)
    await visitor.page.goto(visitor.url('/next'))
    await visitor.loaded()
    await visitor.run(() => analytics.track('next page'))
    assert.equal((await visitor.sent(4))[3].userId, '12345', key)
    await visitor.close()
  }
})

test('odd ids: each call arrives, with the id or with none, and the next sign-up is right', async () => {
  const visitor = await visit('/', {}, { host: APP })
  const odd = `[['a', 'b'], { id: 7 }, 'x'.repeat(10000), '\\ud83d', '\\udc00tail', '__proto__', 'constructor', ' 12345 ', '%', 'a;b=c', 'a\\nb', 'a\\0b', '"quoted"', 'onym:wk_website:', Infinity, -0, new Date(0), /x/, new String('boxed'), 'ü'.repeat(3000), '🙂'.repeat(1500), 'undefined', 'NaN', '[object Object]']`
  const count = await visitor.run(`(() => { const odd = ${odd}; for (const id of odd) { analytics.identify(id); analytics.track('T', { type: typeof id }); analytics.group(id) } return odd.length })()`)
  await visitor.run(signUp)
  await eventually(async () => !(await visitor.waiting()).length, 'all have arrived')
  const messages = await visitor.sent(3 * count + 3)
  assert.equal(messages.length, 3 * count + 3)
  for (const { userId, groupId } of messages) assert.ok([userId, groupId].every((id) => id == null || typeof id == 'string'))
  checkSignUp(messages.slice(-3))
  assert.ok(messages.some(({ userId }) => userId == 'x'.repeat(10000)))
  await visitor.page.goto(visitor.url('/next'))
  await visitor.loaded()
  await visitor.run(() => analytics.track('next page'))
  assert.equal((await visitor.sent(3 * count + 4)).pop().userId, '12345')
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

/** A localStorage in front of the real one, on which `trap` may throw. */
const failing = (trap) => `if (/^http/.test(location.protocol)) {
  const real = window.localStorage
  let writes = 0
  const full = () => { throw new DOMException('full', 'QuotaExceededError') }
  const broken = () => { throw new DOMException('corrupt', 'NS_ERROR_FILE_CORRUPTED') }
  const area = new Proxy({}, {
    get: (_, key) => { ${trap('get')}; if (key == 'length') { ${trap('keys')} }; const value = real[key]; return typeof value == 'function' ? value.bind(real) : value },
    set: (_, key, value) => { writes++; ${trap('set')}; real[key] = value; return true },
    deleteProperty: (_, key) => { ${trap('delete')}; delete real[key]; return true },
    has: (_, key) => key in real,
    ownKeys: () => { ${trap('keys')}; return Reflect.ownKeys(real) },
    getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(real, key),
  })
  Object.defineProperty(window, 'localStorage', { get: () => area, configurable: true })
}`
const TRAPS = {
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9, 12].map((n) => [`write ${n} fails`, (at) => (at == 'set' ? `if (writes == ${n}) full()` : '')])),
  'every write fails': (at) => (at == 'set' ? 'full()' : ''),
  'every second write fails': (at) => (at == 'set' ? 'if (writes % 2) full()' : ''),
  'writes fail from the third on': (at) => (at == 'set' ? 'if (writes > 2) full()' : ''),
  'removing fails': (at) => (at == 'delete' ? 'broken()' : ''),
  'reading fails': (at) => (at == 'get' ? 'broken()' : ''),
  'listing fails': (at) => (at == 'keys' ? 'broken()' : ''),
  'all of it fails': () => 'broken()',
}
for (const [what, trap] of Object.entries(TRAPS))
  test('localStorage where ' + what + ': the sign-up arrives, once', async () => {
    for (const host of [APP, 'localhost']) {
      const visitor = await visit('/', {}, { init: failing(trap), host })
      await visitor.run(signUp)
      checkSignUp(await visitor.sent(3), what)
      await visitor.run(() => analytics.track('on'))
      const messages = await visitor.sent(4)
      assert.deepEqual([messages[3].event, messages[3].userId], ['on', '12345'])
      assert.deepEqual(visitor.errors, [])
      await visitor.close()
    }
  })

const VALUES = {
  'a map and a set': 'new Map([[1, 2]]), s: new Set([1])',
  'a typed array': 'new Uint8Array([1, 2])',
  'a date that is none': 'new Date(NaN)',
  'not a number, not finite': '[NaN, Infinity, -Infinity]',
  'an array with holes': '[1, , 3]',
  'symbols': 'Symbol("x"), [Symbol("k")]: 1',
  'toJSON that gives nothing': '{ toJSON() {} }',
  'toJSON that gives itself': '(() => { const o = { toJSON: () => o }; return o })()',
  'an event of the page': 'new MouseEvent("click", { view: window })',
  'an error': 'new Error("x")',
  'the window': 'window',
  'another window': 'document.body.appendChild(document.createElement("iframe")).contentWindow',
  'a key that is no key': 'JSON.parse(\'{"__proto__":{"x":1},"constructor":1,"":2}\')',
  'halves of signs': '"\\ud83d" + "\\udc00".repeat(3)',
  'a revoked proxy': '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()',
  'a promise': 'Promise.resolve(1)',
  'a file': 'new File(["x"], "x.txt")',
  'a function': 'function f() {}',
  'a million signs': '"x".repeat(1e6)',
  'a thousand levels': '(() => { let o = {}; for (let i = 0; i < 1000; i++) o = { o }; return o })()',
  'a generator that never ends': '(function* () { for (;;) yield 1 })()',
  'an object without a prototype': 'Object.create(null)',
}
for (const [what, value] of Object.entries(VALUES))
  test(`an odd value, ${what}: the call with it costs no other, and no error in the page`, async () => {
    const visitor = await visit()
    await visitor.run(`void analytics.track('odd', { v: ${value} })`)
    await visitor.run(signUp)
    await eventually(async () => !(await visitor.waiting()).length, 'all have an answer: ' + what)
    checkSignUp((await visitor.sent(3)).filter(({ event }) => event != 'odd'), what)
    if (what != 'a million signs') assert.ok((await visitor.sent(4)).some(({ event }) => event == 'odd'), what)
    assert.deepEqual(visitor.errors, [], what)
    await visitor.close()
  })

test('a clock that jumps between the calls: their order is that in which they were made', async () => {
  for (const jumps of [[0, -86400e3, 86400e3, 0], [0, 3600e3, -3600e3, 1], [86400e3 * 400, 0, -86400e3 * 400, 5], [0, -1, -2, -3]]) {
    recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
    const visitor = await visit()
    await visitor.run((jumps) => {
      const real = Date.now
      jumps.forEach((jump, call) => {
        Date.now = () => real() + jump
        analytics.track('T', { call })
      })
      Date.now = real
    }, jumps)
    recorder.fault = null
    const messages = await visitor.sent(jumps.length)
    assert.deepEqual(messages.map(({ properties }) => properties.call), [0, 1, 2, 3], jumps.join())
    await visitor.close()
  }
})

test('a frame that makes its calls and is taken out in the same tick: they arrive, once, of the same visitor', async () => {
  const visitor = await visit()
  await visitor.run(() => analytics.track('page'))
  await visitor.run(async (url) => {
    const frame = document.createElement('iframe')
    frame.src = url
    document.body.append(frame)
    await new Promise((resolve) => {
      const look = () => (frame.contentWindow?.analytics?.initialized ? resolve() : setTimeout(look, 20))
      look()
    })
    frame.contentWindow.analytics.track('in the frame')
    frame.remove()
  }, visitor.url('/frame'))
  const messages = await visitor.sent(2)
  assert.deepEqual(names(messages).sort(), ['in the frame', 'page'])
  assert.equal(new Set(messages.map(({ anonymousId }) => anonymousId)).size, 1)
  await visitor.close()
})

test('three subdomains in a row while the server is down: who signed up arrives, once each call', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
  const visitor = await visit('/', {}, { host: 'www.rdio.test' })
  await visitor.run(signUp)
  for (const host of ['shop.rdio.test', APP]) {
    await visitor.page.goto(visitor.url('/').replace('www.rdio.test', host))
    await visitor.loaded()
  }
  recorder.fault = null
  checkSignUp(await visitor.sent(3))
  await visitor.close()
})

const ODD_OPTIONS = {
  'a messageId of nothing': { messageId: '' },
  'a messageId that is none': { messageId: { id: 1 } },
  'a messageId that is true': { messageId: true },
  'an anonymousId of nothing': { anonymousId: '' },
  'an anonymousId that is none': { anonymousId: ['a'] },
  'a userId of nothing': { userId: '' },
  'a userId that is none': { userId: { id: '12345' } },
  'a userId that is false': { userId: false },
  'options that are null': { context: null, integrations: null, timestamp: null },
}
for (const [what, options] of Object.entries(ODD_OPTIONS))
  test(`${what} in the options: the call is the visitor's, once, though it is repeated`, async () => {
    const visitor = await visit('/', {}, { host: APP })
    await visitor.run(() => void analytics.identify('12345'))
    const [{ anonymousId }] = await visitor.sent(1)
    let lost = 0
    recorder.fault = (path) => (path == '/v1/b' && lost++ < 2 ? 'lost' : null)
    await visitor.run((options) => void analytics.track('odd', {}, options), options)
    await visitor.run(() => void analytics.track('next'))
    const messages = (await visitor.sent(3)).slice(1)
    await eventually(async () => !(await visitor.waiting()).length, 'all have an answer')
    assert.deepEqual(messages.map((m) => [m.event, m.userId, m.anonymousId]), [['odd', '12345', anonymousId], ['next', '12345', anonymousId]])
    assert.match(messages[0].messageId, /^\d{17}-/)
    assert.ok(visitor.arrivals().filter((id) => id == messages[0].messageId).length > 1, 'it was repeated')
    if (onym?.export) {
      const kept = (await onym.export()).filter((m) => m.event == 'odd' && m.anonymousId == anonymousId)
      assert.equal(kept.length, 1)
    }
    await visitor.close()
  })

for (const [what, step] of Object.entries({
  'empties it': 'payload.obj.messageId = ""; next(payload)',
  'deletes it': 'delete payload.obj.messageId; next(payload)',
  'makes a message of its own': 'const { type, event, anonymousId } = payload.obj; next({ obj: { type, event, anonymousId } })',
}))
  test(`a middleware that ${what}, the messageId: the call is one, though it is repeated`, async () => {
    const visitor = await visit('/', { script: `analytics.addSourceMiddleware(({ payload, next }) => { ${step} })` }, { host: APP })
    let lost = 0
    recorder.fault = (path) => (path == '/v1/b' && lost++ < 2 ? 'lost' : null)
    await visitor.run(() => void analytics.track('one'))
    const [{ messageId }] = await visitor.sent(1)
    await eventually(async () => !(await visitor.waiting()).length, 'all have an answer')
    assert.match(messageId, /^\d{17}-/)
    assert.ok(visitor.arrivals().every((id) => id == messageId))
    await visitor.close()
  })
