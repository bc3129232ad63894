// Who a call is of, whatever else lies in the browser: cookies that stand before ours, full storage, odd ids.
// Also run in Firefox.
import assert from 'node:assert/strict'
import { visit, test } from './setup.mjs'

const APP = 'app.rdio.test'
const shadow = (scope) => `document.cookie = 'ajs_user_id=old;max-age=9999;${scope}';
  document.cookie = 'ajs_anonymous_id=old-anonymous;max-age=9999;${scope}';`

for (const scope of ['path=/', 'path=/app', 'path=/app/home', 'domain=app.rdio.test;path=/', 'domain=rdio.test;path=/app']) {
  test(`a cookie with ${scope} makes nobody somebody else, and no log-out void`, async () => {
    const visitor = await visit('/app/home', { head: `<script>${shadow(scope)}</script>` }, { host: APP })
    await visitor.run(() => {
      analytics.identify('12345', { email: 'kim@example.com' })
      analytics.track('Signed Up')
      analytics.reset()
      analytics.track('after')
    })
    const [identify, signUp, after] = await visitor.sent(3)
    assert.deepEqual([identify.userId, identify.traits], ['12345', { email: 'kim@example.com' }])
    assert.equal(signUp.userId, '12345')
    assert.equal(after.userId ?? null, null)
    assert.notEqual(after.anonymousId, signUp.anonymousId)
    assert.equal(identify.context.onym, undefined)
    const names = (await visitor.context.cookies()).map(({ name }) => name).filter((name) => name.startsWith('ajs'))
    assert.deepEqual(names, ['ajs_anonymous_id'])
    await visitor.close()
  })
}

test('a cookie out of reach is disregarded, on the next page too, and told to the server', async () => {
  const pinned = `const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie')
    Object.defineProperty(document, 'cookie', {
      get: () => 'ajs_user_id=old; ' + get.call(document),
      set: (text) => text.startsWith('ajs_user_id=') || set.call(document, text),
    })`
  const visitor = await visit('/', { lib: 'none' }, { host: APP })
  for (const call of [() => analytics.identify('12345'), () => analytics.track('next page')]) {
    const page = await visit('/', { head: `<script>${pinned}</script>` }, { host: APP, context: visitor.context })
    await page.run(call)
    const [message] = await page.sent(1)
    assert.equal(message.userId, '12345')
    assert.ok(message.context.onym.health.includes('cookie_stuck:ajs_user_id'))
    await page.page.close()
  }
  await visitor.close()
})

test('nobody in any of the ways that sites say it: no log-out, no user of that name', async () => {
  const visitor = await visit()
  const userIds = await visitor.run(() => {
    analytics.identify('u1', { a: 1 })
    const ids = []
    for (const value of [undefined, null, '', false, true, NaN, [], Symbol('s'), () => {}, {}]) {
      analytics.identify(value, { b: 2 })
      ids.push(analytics.user().id())
    }
    analytics.group('g1')
    for (const value of [undefined, null, '', false, NaN]) analytics.group(value, { c: 3 })
    for (const value of [undefined, null, '', false, NaN]) analytics.alias(value)
    return [...new Set(ids), analytics.group().id()]
  })
  assert.deepEqual(userIds, ['u1', 'g1'])
  const messages = await visitor.sent(22)
  assert.deepEqual([...new Set(messages.map(({ userId }) => userId))], ['u1'])
  assert.deepEqual([...new Set(messages.map(({ groupId }) => groupId))], [undefined, 'g1'])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('numbers are ids, and texts that look like nothing too', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    for (const id of [0, 42, 5n, 'null', 'false', ' ']) {
      analytics.identify(id)
      analytics.track('T')
    }
  })
  const ids = (await visitor.sent(12)).filter(({ type }) => type == 'track').map(({ userId }) => userId)
  assert.deepEqual(ids, ['0', '42', '5', 'null', 'false', ' '])
  await visitor.close()
})

test('a full localStorage and no cookie: the call has the id and traits that it was given', async () => {
  const init = () => {
    Object.defineProperty(document, 'cookie', { get: () => '', set: () => {} })
    localStorage.ajs_user_id = '"old"'
    localStorage.ajs_user_traits = '{"email":"old@example.com"}'
    for (let size = 1 << 20; size;) {
      try {
        localStorage['filler' + localStorage.length] = 'x'.repeat(size)
      } catch {
        size >>= 1
      }
    }
  }
  const visitor = await visit('/', {}, { init })
  await visitor.run(() => {
    analytics.identify('a-much-longer-id-than-before-12345', { email: 'kim@example.com', name: 'Kim '.repeat(20) })
    analytics.track('T')
  })
  const [identify, track] = await visitor.sent(2)
  assert.deepEqual([identify.userId, identify.traits.email], [track.userId, 'kim@example.com'])
  assert.equal(track.userId, 'a-much-longer-id-than-before-12345')
  await visitor.close()
})

