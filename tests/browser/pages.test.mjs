// Single-page apps, consent, privacy signals, content security policies, the cookie set by the server.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, site, visit, test } from './setup.mjs'

afterEach(() => (recorder.fault = null))

test('autoPage: one page call for each route, with the title and the referrer of the moment', async () => {
  const visitor = await visit('/app', { options: { autoPage: true }, page: '1' })
  await visitor.run(async () => {
    const turn = () => new Promise((resolve) => setTimeout(resolve, 30))
    history.pushState({}, '', '/app/one')
    document.title = 'One'
    await turn()
    history.replaceState({}, '', '/app/one')
    await turn()
    history.pushState({}, '', '/app/two?tab=1')
    document.title = 'Two'
    await turn()
    location.hash = 'anchor'
    await turn()
    analytics.track('on two')
    history.back()
    await turn()
    history.back()
  })
  const messages = await visitor.sent(5)
  assert.deepEqual(
    messages.map((m) => [
      m.event ?? m.type,
      m.context.page.path,
      m.context.page.title,
      new URL(m.context.page.referrer || 'x:').pathname,
    ]),
    [
      ['page', '/app', '/app', ''],
      ['page', '/app/one', 'One', '/app'],
      ['page', '/app/two', 'Two', '/app/one'],
      ['on two', '/app/two', 'Two', '/app/one'],
      ['page', '/app/one', 'Two', '/app/two'],
    ],
  )
  await visitor.close()
})

test('a page without autoPage makes no calls of its own', async () => {
  const visitor = await visit('/app')
  await visitor.run(() => history.pushState({}, '', '/app/one'))
  assert.deepEqual(await visitor.sent(1, 300), [])
  await visitor.close()
})

const traces = (visitor) => visitor.run(() => [document.cookie, Object.keys(localStorage)])

test('before consent nothing is stored or sent; after it everything, with its times, in order', async () => {
  const writes = `
    window.writes = []
    const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie')
    const set = function (text) { writes.push(text); cookie.set.call(this, text) }
    Object.defineProperty(Document.prototype, 'cookie', { get: cookie.get, set })
    const setItem = Storage.prototype.setItem
    Storage.prototype.setItem = function (k, v) { writes.push(k); setItem.call(this, k, v) }`
  const visitor = await visit('/first', { options: { consent: false }, page: '1' }, { init: writes })
  const posts = recorder.requests.length
  const made = Date.now()
  await visitor.run(() => {
    analytics.identify('u1', { plan: 'Free' })
    history.pushState({}, '', '/second')
    analytics.track('early')
  })
  await visitor.run(() => new Promise((resolve) => setTimeout(resolve, 400)))
  assert.deepEqual(await traces(visitor), ['', []])
  assert.deepEqual(await visitor.run(() => window.writes), [])
  assert.equal(recorder.requests.length, posts)
  await visitor.run(() => {
    analytics.consent(true, { Analytics: true, Ads: false })
    analytics.consent(true, { Analytics: true, Ads: false })
  })
  const [page, identify, track] = await visitor.sent(3)
  assert.deepEqual([page.type, identify.userId, track.event], ['page', 'u1', 'early'])
  assert.deepEqual([page.context.page.path, track.context.page.path], ['/first', '/second'])
  assert.deepEqual(track.context.consent, { categoryPreferences: { Analytics: true, Ads: false } })
  assert.ok(Math.abs(Date.parse(track.timestamp) - made) < 300)
  await visitor.close()
})

test('consent withdrawn: nothing stays, nothing goes; granted again: from then on', async () => {
  const visitor = await visit()
  await visitor.run(() => analytics.identify('u1', { plan: 'Free' }))
  await visitor.sent(1)
  recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
  await visitor.run(() => {
    analytics.track('waits')
    analytics.consent(false)
    analytics.track('while refused')
  })
  recorder.fault = null
  assert.deepEqual(await traces(visitor), ['', []])
  await visitor.run(() => {
    analytics.consent(true)
    analytics.track('from now on')
  })
  const messages = await visitor.sent(2)
  assert.deepEqual(
    messages.map((m) => m.event ?? m.type),
    ['identify', 'from now on'],
  )
  assert.equal(messages[1].userId, undefined)
  await visitor.close()
})

test('consent refused before load, through the stub', async () => {
  const visitor = await visit('/', { script: 'analytics.track("never"); analytics.consent(false)' })
  assert.deepEqual(await visitor.sent(1, 400), [])
  assert.deepEqual(await traces(visitor), ['', []])
  await visitor.close()
})

test('disabled, or asked not to track, it is silent; promises and callbacks still come', async () => {
  const gpc = () => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })
  const dnt = () => Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' })
  for (const [options, init] of [
    [{ disable: true }, null],
    [{ respectGPC: true }, gpc],
    [{ respectDNT: true }, dnt],
  ]) {
    const visitor = await visit('/', { options, page: '1' }, { init })
    await visitor.run(async () => {
      await new Promise((resolve) => analytics.track('T', resolve))
      await analytics.identify('u1')
      analytics.reset()
      analytics.consent(true)
      await analytics.page()
    })
    assert.deepEqual(await visitor.sent(1, 300), [])
    assert.deepEqual(await traces(visitor), ['', []])
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  }
  const ignoring = await visit('/', {}, { init: `(${gpc})();(${dnt})()` })
  await ignoring.run(() => analytics.track('T'))
  assert.equal((await ignoring.sent(1)).length, 1)
  await ignoring.close()
})

test('it works under a strict content security policy', async () => {
  const policy = `default-src 'none'; script-src 'nonce-n1' ${recorder.url}; connect-src ${recorder.url}`
  const visitor = await visit('/', { headers: { 'content-security-policy': policy }, page: '1' })
  const violations = []
  visitor.page.on('console', (line) => /Content Security/.test(line.text()) && violations.push(line.text()))
  await visitor.run(() => analytics.track('T'))
  assert.equal((await visitor.sent(2)).length, 2)
  assert.deepEqual(violations, [])
  await visitor.close()
})

test('serverCookie: the server sets the ids, once a tab and id', async () => {
  const host = 'localhost'
  const options = { serverCookie: true, apiHost: 'http://localhost:' + recorder.port }
  const visitor = await visit('/', { options }, { host })
  const asked = () => recorder.requests.filter(({ path }) => path == '/v1/cookie').length
  const before = asked()
  await visitor.run(() => analytics.track('anonymous'))
  await eventually(() => asked() == before + 1, 'the cookie is asked for')
  await visitor.run(() => {
    analytics.track('again')
    analytics.identify('u 1')
  })
  await eventually(() => asked() == before + 2, 'the cookie is asked for again, for the user')
  await visitor.sent(3)
  await eventually(
    async () => (await visitor.run(() => sessionStorage['onym:cookie'] ?? '')).includes('u 1'),
    'answered',
  )
  await visitor.page.goto(visitor.url('/next'))
  await visitor.loaded()
  await visitor.run(() => analytics.track('T'))
  const [, , , last] = await visitor.sent(4)
  assert.equal(last.userId, 'u 1')
  assert.equal(asked(), before + 2)
  await visitor.close()
  assert.ok(site.port)
})

test('hash routes are counted, anchors are not; the canonical link of an app shell names its own path alone', async () => {
  const head = '<link rel="canonical" href="/shell">'
  const visitor = await visit('/shell', { head, options: { autoPage: true } })
  await visitor.run(async () => {
    const turn = () => new Promise((resolve) => setTimeout(resolve, 50))
    location.hash = '#section'
    await turn()
    location.hash = '#/settings'
    await turn()
    location.hash = '#!/old'
    await turn()
    history.pushState({}, '', '/billing?x=1')
    await turn()
    history.pushState({}, '', '/shell')
    await turn()
  })
  const paths = (await visitor.sent(4)).map(({ properties }) => properties.path)
  assert.deepEqual(paths, ['/shell', '/shell', '/billing', '/shell'])
  await visitor.close()
})

// As analytics-next has them, but for undefined, which overrides nothing here.
for (const [call, wanted] of [
  [`page('n', { name: 'other' })`, { name: 'n', properties: { name: 'n' } }],
  [`page('c', 'n', { category: 'x', name: 'y' })`, { name: 'n', category: 'c', properties: { name: 'n', category: 'c' } }],
  [`page({ name: 'z' })`, { name: undefined, properties: { name: 'z' } }],
  [`page('n', { path: undefined, title: undefined })`, { properties: { path: '/p', title: '/p' } }],
  [`track('E', {}, { context: { page: { search: '?utm_source=mine', title: undefined } } })`, { context: { campaign: { source: 'mine' }, page: { title: '/p' } } }],
  [`track('E', {}, { page: { search: '?utm_source=opt' } })`, { context: { campaign: { source: 'opt' } } }],
  [`page({ search: '?utm_source=prop' })`, { context: { campaign: { source: 'prop' } } }],
  [`track('E', {}, { campaign: { name: 'x' } })`, { context: { campaign: { name: 'x', source: undefined } } }],
  [`track('E')`, { context: { campaign: { source: 's', name: '', medium: 'b', '': undefined } } }],
]) {
  test('page values: ' + call, async () => {
    const visitor = await visit('/p?utm_source=s&utm_=x&utm_campaign=&utm_medium=a&utm_medium=b')
    await visitor.run(`analytics.${call}; 0`)
    const [message] = await visitor.sent(1)
    const compare = (actual, expected, path) => {
      for (const key in expected)
        if (expected[key] && typeof expected[key] == 'object') compare(actual[key], expected[key], path + '.' + key)
        else assert.equal(actual[key], expected[key], path + '.' + key)
    }
    compare(message, wanted, '')
    await visitor.close()
  })
}

test("trackForm on a form of a frame of the site's own", async () => {
  const visitor = await visit('/', { body: '<iframe srcdoc="<form onsubmit=\'return false\'><input name=length></form>"></iframe>' })
  await visitor.page.waitForFunction(() => frames[0].document.forms[0])
  await visitor.run(() => {
    const form = frames[0].document.forms[0]
    analytics.trackForm(form, 'Sent')
    form.requestSubmit()
  })
  assert.equal((await visitor.sent(1))[0].event, 'Sent')
  await visitor.close()
})
