// Where the visitor is remembered: formats, subdomains, and browsers that allow less.
import assert from 'node:assert/strict'
import { eventually, recorder, site, visit, test } from './setup.mjs'

const WWW = 'www.rdio.test'
const SHOP = 'shop.rdio.test'

const stored = (visitor) =>
  visitor.run(() => [
    document.cookie,
    Object.fromEntries(Object.entries(localStorage).filter(([key]) => key.startsWith('ajs'))),
  ])

test('cookies and localStorage are those of analytics.js, byte for byte', async () => {
  const write = () => {
    analytics.setAnonymousId('a1')
    analytics.identify('user@example.com + ü', { plan: 'Free' })
    analytics.group('g1', { seats: 5 })
  }
  const ours = await visit()
  await ours.run(write)
  await ours.sent(2)
  const theirs = await visit('/', { lib: 'next', key: 'wk_next' })
  await theirs.run(write)
  await theirs.sent(2)
  const [cookies, local] = await stored(ours)
  const [theirCookies, theirLocal] = await stored(theirs)
  const decoded = (text) => text.split('; ').map(decodeURIComponent).sort()
  assert.deepEqual(decoded(cookies), decoded(theirCookies))
  assert.deepEqual(local, theirLocal)
  const lives = async ({ context }) =>
    (await context.cookies())
      .map(({ name, path, sameSite, secure, httpOnly, expires }) => [
        name,
        path,
        sameSite,
        secure,
        httpOnly,
        Math.round(expires / 86400),
      ])
      .sort()
  assert.deepEqual(await lives(ours), await lives(theirs))
  await ours.close()
  await theirs.close()
})

test('a site that switches from analytics-next keeps its visitors, and back again', async () => {
  const visitor = await visit('/', { lib: 'next', key: 'wk_next' })
  await visitor.run(() => analytics.identify('u1', { plan: 'Free' }))
  await visitor.sent(1)
  const who = () =>
    visitor.run(() => [analytics.user().id(), analytics.user().anonymousId(), analytics.user().traits()])
  const before = await who()
  await visitor.page.goto(visitor.url('/', { lib: 'onym', key: 'wk_website' }))
  await visitor.loaded()
  assert.deepEqual(await who(), before)
  await visitor.run(() => analytics.identify('u1', { seats: 2 }))
  await visitor.page.goto(visitor.url('/', { lib: 'next', key: 'wk_next' }))
  await visitor.loaded()
  assert.deepEqual(await who(), [before[0], before[1], { plan: 'Free', seats: 2 }])
  await visitor.close()
})

test('subdomains share the visitor through a cookie on the registrable domain', async () => {
  const visitor = await visit('/', {}, { host: WWW })
  await visitor.run(() => analytics.identify('u1'))
  const anonymousId = await visitor.run(() => analytics.user().anonymousId())
  const cookies = await visitor.context.cookies()
  assert.deepEqual([...new Set(cookies.map((cookie) => cookie.domain))], ['.rdio.test'])
  assert.ok(!cookies.some((cookie) => cookie.name.startsWith('__tld__')))
  const shop = await visit('/', {}, { host: SHOP, context: visitor.context })
  await shop.run(() => analytics.track('in the shop'))
  const [message] = await shop.sent(1)
  assert.deepEqual([message.userId, message.anonymousId], ['u1', anonymousId])
  await visitor.close()
})

test('a logout on one subdomain is one on the others, whose localStorage still knows better', async () => {
  const www = await visit('/', {}, { host: WWW })
  await www.run(() => analytics.identify('u1', { plan: 'Free' }))
  const shop = await visit('/', {}, { host: SHOP, context: www.context })
  const renewed = await shop.run(() => {
    analytics.reset()
    return analytics.user().anonymousId()
  })
  const now = await www.run(() => [
    analytics.user().id(),
    analytics.user().traits(),
    analytics.user().anonymousId(),
  ])
  assert.deepEqual(now, [null, {}, renewed])
  await www.close()
})

test('cookie options are obeyed', async () => {
  const options = { cookie: { domain: SHOP, maxage: 7, sameSite: 'Strict', path: '/' } }
  const visitor = await visit('/', { options }, { host: SHOP })
  await visitor.run(() => analytics.identify('u1'))
  for (const { domain, sameSite, expires } of await visitor.context.cookies()) {
    assert.deepEqual(
      [domain, sameSite, Math.round((expires - Date.now() / 1000) / 86400)],
      ['.' + SHOP, 'Strict', 7],
    )
  }
  await visitor.close()
})

const block = {
  localStorage: () =>
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError')
      },
    }),
  cookies: () => Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set: () => {} }),
  full: () => {
    Storage.prototype.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError')
    }
  },
}

test('localStorage blocked: the cookie remembers, calls are sent', async () => {
  const visitor = await visit('/', {}, { init: block.localStorage })
  await visitor.run(() => analytics.identify('u1', { plan: 'Free' }))
  await visitor.page.goto(visitor.url('/next'))
  await visitor.loaded()
  await visitor.run(() => analytics.track('T'))
  const [identify, track] = await visitor.sent(2)
  assert.deepEqual(identify.traits, { plan: 'Free' })
  assert.deepEqual([track.userId, track.anonymousId], ['u1', identify.anonymousId])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('cookies blocked: localStorage remembers', async () => {
  const visitor = await visit('/', {}, { init: block.cookies })
  await visitor.run(() => analytics.identify('u1'))
  await visitor.page.goto(visitor.url('/next'))
  await visitor.loaded()
  await visitor.run(() => analytics.track('T'))
  const [identify, track] = await visitor.sent(2)
  assert.deepEqual([track.userId, track.anonymousId], ['u1', identify.anonymousId])
  await visitor.close()
})

test('a sandboxed frame, where everything is blocked: memory, and the calls are sent', async () => {
  const inner = site.page('/inside', { script: 'analytics.identify("u1"); analytics.track("inside")' })
  const address = inner.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
  const frame = `<iframe sandbox="allow-scripts" src="${address}"></iframe>`
  const visitor = await visit('/', { lib: 'none', body: frame })
  const [identify, track] = await visitor.sent(2)
  assert.deepEqual([identify.userId, track.userId, track.event], ['u1', 'u1', 'inside'])
  assert.equal(identify.anonymousId, track.anonymousId)
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('everything blocked, and the page left at once: the calls go out all the same', async () => {
  const session = String(block.localStorage).replace('localStorage', 'sessionStorage')
  const init = `(${block.localStorage})();(${block.cookies})();(${session})()`
  const visitor = await visit('/', {}, { init })
  visitor.leave((to) => {
    analytics.track('first')
    analytics.track('second')
    location.href = to
  }, visitor.url('/next'))
  const messages = await visitor.sent(2)
  assert.deepEqual(
    messages.map((message) => message.event),
    ['first', 'second'],
  )
  await visitor.close()
})

test('persistence switched off: ids live as long as the page', async () => {
  const visitor = await visit('/', { options: { disableClientPersistence: true } })
  await visitor.run(() => analytics.identify('u1'))
  assert.equal((await visitor.sent(1))[0].userId, 'u1')
  assert.deepEqual(await stored(visitor), ['', {}])
  await visitor.close()
})

for (const host of ['localhost', WWW]) {
  test('a full localStorage is no reason to lose a call, on ' + host, async () => {
    recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
    const visitor = await visit('/', {}, { host })
    await visitor.run(() => {
      for (let size = 1 << 20; size;) {
        try {
          localStorage['filler' + localStorage.length] = 'x'.repeat(size)
        } catch {
          size >>= 1
        }
      }
      analytics.track('full one')
      analytics.track('full two')
    })
    await visitor.page.goto(visitor.url('/next'))
    recorder.fault = null
    await visitor.loaded()
    assert.deepEqual(
      (await visitor.sent(2)).map((message) => message.event),
      ['full one', 'full two'],
    )
    await eventually(
      () => visitor.run(() => !Object.keys(sessionStorage).some((key) => key.startsWith('onym:wk'))),
      'sessionStorage is empty',
    )
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
}
