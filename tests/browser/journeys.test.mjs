// Whole visits as sites have them: sign-up on one host and the app on another, a log-in by the backend, pages left before the
// library has loaded, the back button after a log-out. Each says who every call is of: that goes wrong in silence.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { isFirefox, startBrowser } from './browsers.mjs'
import { eventually, recorder, site, test, visit } from './setup.mjs'

const WWW = 'www.rdio.test'
const APP = 'app.rdio.test'

afterEach(() => (recorder.fault = recorder.scriptGate = null))

/** The visitor's one tab on a page of that host, with the library loaded. */
const go = async (visitor, path, host) => {
  await visitor.page.goto(site.page(path, {}, host))
  await visitor.loaded()
}
const who = (visitor) => visitor.run(() => [analytics.user().id(), analytics.user().anonymousId()])
const pass = (delay_ms) => new Promise((resolve) => setTimeout(resolve, delay_ms))

/** Opens a page of www, makes the calls before the library has loaded, and goes on to app at once. */
const leaveEarly = async (calls, context) => {
  let open
  recorder.scriptGate = new Promise((resolve) => (open = resolve))
  const visitor = await visit('/early', {}, { host: WWW, waits: false, context })
  await visitor.run(calls)
  // A browser gives way to the next page some milliseconds later; here the log-out is surely behind these calls.
  await pass(20)
  visitor.leave((to) => (location.href = to), site.page('/app', {}, APP))
  await visitor.page.waitForURL(/app\./, { waitUntil: 'commit' })
  open()
  await visitor.loaded()
  return visitor
}

test('a sign-up on a page of www that was left early, a log-out on app, and www again: nobody is logged in there', async () => {
  const visitor = await leaveEarly(`analytics.page('Sign-up'); analytics.identify('12345', { email: 'kim@example.com' });
    analytics.track('Signed Up'); 0`)
  await visitor.sent(2)
  assert.equal((await who(visitor))[0], '12345')
  await visitor.run(() => void analytics.reset())
  const [, anonymousId] = await who(visitor)
  await go(visitor, '/again', WWW)
  await visitor.run(() => void analytics.track('Somebody Else'))
  assert.deepEqual(await who(visitor), [null, anonymousId])
  // The page view of the first page stayed on www: it is sent now, and is not of who is there now.
  const messages = await visitor.sent(4)
  const [track] = messages.filter(({ event }) => event == 'Somebody Else')
  const [page] = messages.filter(({ type }) => type == 'page')
  assert.deepEqual([track.userId, track.anonymousId], [undefined, anonymousId])
  assert.notEqual(page.anonymousId, anonymousId)
  assert.deepEqual(messages.filter(({ userId }) => userId).map(({ type }) => type).sort(), ['identify', 'track'])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('the server is down; a sign-up on www, its next page left early, then app: who signed up arrives from there', async () => {
  recorder.fault = (path) => (path.startsWith('/v1') ? 'down' : null)
  const www = await visit('/sign-up', {}, { host: WWW })
  await www.run(() => {
    analytics.identify('12345', { email: 'kim@example.com' })
    analytics.track('Signed Up')
  })
  await www.page.goto('about:blank')
  const visitor = await leaveEarly(`analytics.track('Thanked'); 0`, www.context)
  recorder.fault = null
  const messages = await visitor.sent(3)
  assert.deepEqual(messages.map((m) => [m.event ?? m.type, m.userId]), [
    ['identify', '12345'],
    ['Signed Up', '12345'],
    ['Thanked', '12345'],
  ])
  assert.equal(new Set(messages.map(({ anonymousId }) => anonymousId)).size, 1)
  await eventually(() => visitor.run(() => !document.cookie.includes('onym_')), 'the cookie is gone')
  // The same calls still lie on www: they make nothing twice there.
  await go(visitor, '/again', WWW)
  await visitor.run(() => void analytics.track('Again'))
  assert.equal((await visitor.sent(4)).length, 4)
  await visitor.close()
})

test('an early call with a whole event that has a messageId goes along to another subdomain', async () => {
  const visitor = await leaveEarly(`analytics.track({ event: 'Signed Up', messageId: 'our own', properties: { plan: 'Free' } }); 0`)
  const [{ type, event, properties }] = await visitor.sent(1)
  assert.deepEqual([type, event, properties.plan], ['track', 'Signed Up', 'Free'])
  await visitor.close()
})

test('a call that is gone from storage keeps no other from going along to another subdomain', async () => {
  recorder.fault = (path) => (path.startsWith('/v1') ? 'down' : null)
  const www = await visit('/', {}, { host: WWW })
  await www.run(() => void analytics.track('one'))
  await www.page.goto(www.url('/two'))
  await www.loaded()
  await www.run(() => {
    analytics.identify('12345')
    analytics.track('Signed Up')
    // This page has its own calls in memory; that of the page before was only here.
    localStorage.clear()
  })
  www.leave((to) => (location.href = to), site.page('/app', {}, APP))
  await www.page.waitForURL(/app\./)
  recorder.fault = null
  await www.loaded()
  assert.deepEqual((await www.sent(2)).map(({ event, type }) => event ?? type), ['identify', 'Signed Up'])
  await www.close()
})

test('a log-out page of www that was left early, a log-in on app, and www again: still logged in', async () => {
  const www = await visit('/account', {}, { host: WWW })
  await www.run(() => void analytics.identify('one'))
  const visitor = await leaveEarly('analytics.reset(); 0', www.context)
  assert.equal((await who(visitor))[0], null)
  await visitor.run(() => void analytics.identify('two', { plan: 'Free' }))
  const [, anonymousId] = await who(visitor)
  await go(visitor, '/again', WWW)
  await visitor.run(() => void analytics.track('Back'))
  assert.deepEqual(await who(visitor), ['two', anonymousId])
  const [track] = (await visitor.sent(2)).filter(({ event }) => event == 'Back')
  assert.deepEqual([track.userId, track.anonymousId], ['two', anonymousId])
  await visitor.close()
})

test('a log-out, and a log-in on the next page that is left early: the page after that knows who it is', async () => {
  const visitor = await visit('/', {}, { host: WWW })
  await visitor.run(() => {
    analytics.identify('one')
    analytics.reset()
  })
  let open
  recorder.scriptGate = new Promise((resolve) => (open = resolve))
  await visitor.page.goto(site.page('/log-in', {}, WWW), { waitUntil: 'domcontentloaded' })
  await visitor.run(() => void analytics.identify('two'))
  visitor.leave((to) => (location.href = to), site.page('/next', {}, WWW))
  await visitor.page.waitForURL(/next/, { waitUntil: 'commit' })
  open()
  await visitor.loaded()
  assert.equal((await who(visitor))[0], 'two')
  await visitor.close()
})

for (const [what, who, cookie] of [['user', 'user', 'ajs_user_id'], ['account', 'group', 'ajs_group_id']])
  test(`the backend, or another host, puts another ${what} into the cookie: they get nothing of the one before`, async () => {
    const call = who == 'user' ? 'identify' : 'group'
    const visitor = await visit('/', {}, { host: APP })
    await visitor.run(([call]) => void analytics[call]('one', { email: 'one@example.com' }), [call])
    await visitor.sent(1)
    await visitor.context.addCookies([{ name: cookie, value: 'two', domain: '.rdio.test', path: '/' }])
    await go(visitor, '/home', APP)
    await visitor.run(([call]) => void analytics[call]('two', { plan: 'Free' }), [call])
    assert.deepEqual((await visitor.sent(2))[1].traits, { plan: 'Free' })
    assert.deepEqual(await visitor.run(([who]) => [analytics[who]().id(), analytics[who]().traits()], [who]), ['two', { plan: 'Free' }])
    await visitor.close()
  })

test('another account chosen on www: on app it has nothing of the one before', async () => {
  const app = await visit('/', {}, { host: APP })
  await app.run(() => void analytics.group('acme', { plan: 'Enterprise', seats: 500 }))
  await go(app, '/choose', WWW)
  await app.run(() => void analytics.group('tiny', { plan: 'Free' }))
  await go(app, '/work', APP)
  await app.run(() => void analytics.group('tiny', { name: 'Tiny' }))
  const [, , last] = await app.sent(3)
  assert.deepEqual([last.groupId, last.traits], ['tiny', { name: 'Tiny' }])
  await app.close()
})

const keeps = { skip: isFirefox && 'how Firefox keeps pages cannot be switched on from here' }
test('the back button after a log-out, to a page that was kept: its calls are nobody\'s', keeps, async () => {
  const chromium = await startBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
  try {
    const keepable = { headers: { 'cache-control': 'no-cache' } }
    const visitor = await visit('/account', keepable, { context: await chromium.browser.newContext() })
    await visitor.run(() => {
      addEventListener('pageshow', ({ persisted }) => (window.isBack = persisted))
      analytics.identify('one', { email: 'one@example.com' })
    })
    await visitor.sent(1)
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    await visitor.page.goto(visitor.url('/log-out'))
    await visitor.loaded()
    await visitor.run(() => void analytics.reset())
    const [, anonymousId] = await who(visitor)
    await visitor.page.goBack({ waitUntil: 'commit' })
    await eventually(() => visitor.run(() => window.isBack), 'the kept page is back')
    await visitor.run(() => void analytics.track('Clicked'))
    const [, track] = await visitor.sent(2)
    assert.deepEqual([track.userId, track.anonymousId], [undefined, anonymousId])
    assert.deepEqual(await visitor.run(() => analytics.user().traits()), {})
  } finally {
    await chromium.kill()
  }
})

const opens = { skip: isFirefox && 'Firefox opens no window where nobody has clicked' }
test('log-in by a page of another site, in a window of its own that closes itself: the page behind it knows who it is', opens, async () => {
  const visitor = await visit('/', {}, { host: APP })
  const opened = visitor.page.waitForEvent('popup')
  await visitor.run((to) => void window.open(to), site.page('/idp', { lib: 'none' }, 'localhost'))
  const popup = await opened
  await popup.waitForLoadState()
  // The other site sends it back by a form, as single sign-on does, to the site's own page.
  const back = site.page('/submit', { }, APP) + '?to=' + encodeURIComponent(site.page('/callback', {}, APP))
  void popup.evaluate((action) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action })
    document.body.append(form)
    setTimeout(() => form.submit())
  }, back).catch(() => {})
  await popup.waitForURL(/callback/)
  await popup.waitForFunction(() => window.analytics?.initialized)
  void popup.evaluate(() => {
    setTimeout(() => {
      analytics.identify('one', { email: 'one@example.com' })
      analytics.track('Signed In')
      window.close()
    })
  }).catch(() => {})
  const messages = await visitor.sent(2)
  const [, anonymousId] = await who(visitor)
  assert.deepEqual(messages.map((m) => [m.event ?? m.type, m.userId, m.anonymousId]), [
    ['identify', 'one', anonymousId],
    ['Signed In', 'one', anonymousId],
  ])
  await visitor.run(() => void analytics.track('Behind'))
  assert.equal((await visitor.sent(3)).find(({ event }) => event == 'Behind').userId, 'one')
  await visitor.close()
})

test('somebody logs out in one tab while another has calls that wait: each call is of who made it', async () => {
  const one = await visit('/')
  await one.run(() => void analytics.identify('one'))
  await one.sent(1)
  const two = await visit('/other', {}, { context: one.context })
  recorder.fault = (path) => (path.startsWith('/v1') ? 'down' : null)
  await one.run(() => void analytics.track('before'))
  await two.run(() => {
    analytics.reset()
    analytics.identify('two')
  })
  await one.run(() => void analytics.track('after'))
  recorder.fault = null
  await eventually(() => recorder.taken.some(({ message }) => message.event == 'after'), 'all have arrived')
  const tracks = new Map(recorder.taken.map(({ message }) => [message.event, message]))
  assert.deepEqual(['before', 'after'].map((name) => tracks.get(name).userId), ['one', 'two'])
  assert.notEqual(tracks.get('before').anonymousId, tracks.get('after').anonymousId)
  await one.close()
})

test('a sign-up form in a frame on a page of another site, where no cookie sticks: one person, on its next page, too', async () => {
  const visitor = await visit('/', { lib: 'none', body: `<iframe src="${site.page('/form', {}, APP)}"></iframe>` })
  const frame = await visitor.page.waitForFunction(() => frames[0]).then(() => visitor.page.frames()[1])
  await frame.waitForFunction(() => window.analytics?.initialized)
  await frame.evaluate(() => {
    analytics.identify('12345', { email: 'kim@example.com' })
    analytics.track('Signed Up')
  })
  const messages = await visitor.sent(2)
  await frame.goto(site.page('/thanks', {}, APP))
  await frame.waitForFunction(() => window.analytics?.initialized)
  const now = await frame.evaluate(() => [analytics.user().id(), analytics.user().anonymousId()])
  for (const { userId, anonymousId } of messages) assert.deepEqual([userId, anonymousId], now)
  await visitor.close()
})

test('a log-out in odd places: in a listener, as the page goes, twice: each call is of who was there', async () => {
  const visitor = await visit('/', {}, { host: WWW })
  await visitor.run(() => {
    analytics.identify('one')
    analytics.once('track', () => analytics.reset())
    analytics.track('Logging Out')
    analytics.track('Nobody')
    analytics.identify('two')
    addEventListener('pagehide', () => {
      analytics.track('Leaving')
      analytics.reset()
    })
  })
  await visitor.sent(4)
  visitor.leave((to) => (location.href = to), site.page('/app', {}, APP))
  await visitor.page.waitForURL(/app\./)
  await visitor.loaded()
  await visitor.run(() => {
    analytics.reset()
    analytics.reset()
    analytics.track('On App')
  })
  const messages = await visitor.sent(6)
  const tracks = new Map(messages.map((message) => [message.event, message]))
  const names = ['Logging Out', 'Nobody', 'Leaving', 'On App']
  assert.deepEqual(names.map((name) => tracks.get(name).userId), ['one', undefined, 'two', undefined])
  const [one, nobody, two, other] = names.map((name) => tracks.get(name).anonymousId)
  assert.equal(nobody, two)
  assert.equal(new Set([one, two, other]).size, 3)
  await visitor.close()
})
