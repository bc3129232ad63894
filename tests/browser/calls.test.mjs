// Every documented function, as a page calls it, and what of it reaches the server.
import assert from 'node:assert/strict'
import { eventually, recorder, site, visit, test } from './setup.mjs'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('track says who, what, when and where', async () => {
  const visitor = await visit('/shop?utm_campaign=spring&utm_source=mail&utm_x=1')
  const before = Date.now()
  await visitor.run(() =>
    analytics.track('Item Added', { price: 5, at: new Date(0), none: undefined, nil: null }),
  )
  const [message] = await visitor.sent(1)
  assert.equal(message.type, 'track')
  assert.equal(message.event, 'Item Added')
  assert.deepEqual(message.properties, { price: 5, at: '1970-01-01T00:00:00.000Z', nil: null })
  assert.match(message.anonymousId, UUID)
  assert.equal(message.userId, undefined)
  assert.ok(Date.parse(message.timestamp) >= before && Date.parse(message.timestamp) <= Date.now())
  assert.match(message.messageId, /^\d{17}-[0-9a-f-]{36}$/)
  const { context } = message
  const url = await visitor.run(() => location.href)
  assert.deepEqual(context.page, {
    path: '/shop',
    referrer: '',
    search: new URL(url).search,
    title: '/shop',
    url,
  })
  assert.deepEqual(context.campaign, { name: 'spring', source: 'mail', x: '1' })
  assert.equal(context.locale, 'en-US')
  assert.ok(context.timezone && context.userAgent)
  assert.deepEqual(Object.keys(context.userAgentData).sort(), ['brands', 'mobile', 'platform'])
  assert.deepEqual(context.screen, { width: 1280, height: 720, density: 1 })
  assert.equal(context.library.name, 'onym.js')
  await visitor.close()
})

test('track takes its arguments in every form', async () => {
  const visitor = await visit()
  const missing = await visitor.run(async () => {
    analytics.track('A', () => {})
    analytics.track('B', { b: 1 }, { context: { ip: '0.0.0.0' }, extra: 'x', integrations: { All: false } })
    analytics.track({ event: 'C', properties: { c: 1 } })
    analytics.track('D', null, {
      timestamp: '2020-01-01T00:00:00Z',
      messageId: 'mine',
      userId: 'only here',
    })
    analytics.track('E', {}, { timestamp: new Date(0) })
    return analytics.track('').catch((error) => error.message)
  })
  assert.equal(missing, 'Event missing')
  const [a, b, c, d, e] = await visitor.sent(5)
  assert.deepEqual([a.event, b.event, c.event, d.event, e.event], ['A', 'B', 'C', 'D', 'E'])
  assert.equal(b.context.ip, '0.0.0.0')
  assert.equal(b.context.extra, 'x')
  assert.deepEqual(b.integrations, { All: false })
  assert.deepEqual(c.properties, { c: 1 })
  assert.deepEqual([d.timestamp, d.messageId, d.userId], ['2020-01-01T00:00:00Z', 'mine', 'only here'])
  assert.equal(e.userId, undefined)
  assert.equal(e.timestamp, '1970-01-01T00:00:00.000Z')
  await visitor.close()
})

test('identify is remembered, and every later call says who it is', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    analytics.identify({ source: 'ad' })
    analytics.identify('u1', { plan: 'Free' })
    analytics.identify('u1', { seats: 2 })
    analytics.track('T')
  })
  const [anonymous, first, second, track] = await visitor.sent(4)
  assert.equal(anonymous.userId, undefined)
  assert.deepEqual(anonymous.traits, { source: 'ad' })
  assert.equal(first.userId, 'u1')
  assert.deepEqual(first.traits, { source: 'ad', plan: 'Free' })
  assert.deepEqual(second.traits, { source: 'ad', plan: 'Free', seats: 2 })
  assert.equal(track.userId, 'u1')
  assert.equal(new Set([anonymous, first, second, track].map((m) => m.anonymousId)).size, 1)
  await visitor.page.goto(visitor.url('/next'))
  await visitor.loaded()
  await visitor.run(() => analytics.track('on the next page'))
  assert.equal((await visitor.sent(5))[4].userId, 'u1')
  await visitor.close()
})

test('another userId drops the traits of the one before, and takes a new anonymous id along', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    analytics.identify('u1', { plan: 'Free' })
    analytics.identify('u2', { name: 'B' })
  })
  const [one, two] = await visitor.sent(2)
  assert.deepEqual(two.traits, { name: 'B' })
  assert.notEqual(one.anonymousId, two.anonymousId)
  await visitor.close()
})

test('each call keeps the identity of its moment, though it leaves later', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    analytics.track('before')
    analytics.identify('u1')
    analytics.track('during')
    analytics.reset()
    analytics.track('after')
  })
  const [before, identify, during, after] = await visitor.sent(4)
  assert.deepEqual(
    [before.userId, identify.userId, during.userId, after.userId],
    [undefined, 'u1', 'u1', undefined],
  )
  assert.equal(before.anonymousId, during.anonymousId)
  assert.notEqual(after.anonymousId, during.anonymousId)
  await visitor.close()
})

test('page carries the page, and what the call says of it', async () => {
  const visitor = await visit('/a', { head: '<link rel="canonical" href="/canonical/a">' })
  await visitor.run(() => {
    analytics.page()
    analytics.page('Pricing')
    analytics.page('Docs', 'Start', { title: 'mine', keywords: ['x'] }, { page: { path: '/forced' } })
  })
  const [plain, named, full] = await visitor.sent(3)
  assert.equal(plain.type, 'page')
  assert.equal(plain.properties.path, '/canonical/a')
  assert.equal(plain.properties.title, '/a')
  assert.ok(plain.properties.url.includes('/canonical/a?'))
  assert.equal(plain.name, undefined)
  assert.deepEqual([named.name, named.category, named.properties.name], ['Pricing', undefined, 'Pricing'])
  assert.deepEqual([full.name, full.category, full.properties.category], ['Start', 'Docs', 'Docs'])
  assert.deepEqual(full.properties.keywords, ['x'])
  assert.deepEqual([full.context.page.title, full.context.page.path], ['mine', '/forced'])
  await visitor.close()
})

test('screen, group and pageview', async () => {
  const visitor = await visit('/x')
  const remembered = await visitor.run(() => {
    analytics.screen('Home', { a: 1 })
    analytics.group('g1', { seats: 5 })
    analytics.group({ plan: 'Pro' })
    analytics.group('g2', { seats: 1 })
    analytics.pageview('/virtual')
    return [analytics.group().id(), analytics.group().traits()]
  })
  assert.deepEqual(remembered, ['g2', { seats: 1 }])
  const [screen, g1, same, g2, view] = await visitor.sent(5)
  assert.deepEqual([screen.type, screen.name, screen.properties.a], ['screen', 'Home', 1])
  assert.deepEqual([g1.type, g1.groupId, g1.traits], ['group', 'g1', { seats: 5 }])
  assert.deepEqual([same.groupId, same.traits], ['g1', { seats: 5, plan: 'Pro' }])
  assert.deepEqual(g2.traits, { seats: 1 })
  assert.deepEqual([view.type, view.properties.path], ['page', '/virtual'])
  await visitor.close()
})

test('alias names the new id and the old one, whoever is identified', async () => {
  const visitor = await visit()
  const anonymousId = await visitor.run(() => {
    analytics.alias('n1')
    analytics.identify('u1')
    analytics.alias('n2')
    analytics.alias('x', 'y')
    return analytics.user().anonymousId()
  })
  const [anonymous, identify, own, others] = await visitor.sent(4)
  assert.deepEqual([anonymous.userId, anonymous.previousId], ['n1', anonymousId])
  assert.equal(identify.userId, 'u1')
  assert.deepEqual([own.userId, own.previousId, own.anonymousId], ['n2', 'u1', anonymousId])
  assert.deepEqual([others.userId, others.previousId, others.anonymousId], ['x', 'y', undefined])
  assert.equal(await visitor.run(() => analytics.user().id()), 'u1')
  await visitor.close()
})

test('reset forgets everything and makes a new anonymous id', async () => {
  const visitor = await visit()
  const [before, after, left] = await visitor.run(() => {
    analytics.identify('u1', { a: 1 })
    analytics.group('g1', { b: 1 })
    const before = analytics.user().anonymousId()
    analytics.reset()
    return [
      before,
      analytics.user().anonymousId(),
      [document.cookie, Object.keys(localStorage).filter((k) => k.startsWith('ajs'))],
    ]
  })
  assert.notEqual(before, after)
  assert.deepEqual(left, ['ajs_anonymous_id=' + after, ['ajs_anonymous_id']])
  await visitor.close()
})

test('user() and setAnonymousId read and write', async () => {
  const visitor = await visit()
  const answers = await visitor.run(() => {
    const user = analytics.user()
    return [
      analytics.setAnonymousId('a1'),
      user.anonymousId(),
      user.id('u9'),
      user.traits({ t: 1 }),
      user.id(),
      user.traits(),
      user.anonymousId('a2'),
      analytics.user().anonymousId(),
    ]
  })
  assert.deepEqual(answers, ['a1', 'a1', 'u9', { t: 1 }, 'u9', { t: 1 }, 'a2', 'a2'])
  await visitor.run(() => analytics.track('T', {}, { anonymousId: 'a3' }))
  assert.equal((await visitor.sent(1))[0].anonymousId, 'a3')
  assert.equal(await visitor.run(() => analytics.user().anonymousId()), 'a3')
  await visitor.close()
})

test('callbacks and promises come once the call is safe; ready, on, once and off', async () => {
  const visitor = await visit()
  const heard = await visitor.run(async () => {
    const heard = []
    const listener = (event) => heard.push('on ' + event)
    analytics.on('track', listener)
    analytics.once('track', (event, properties, options) =>
      heard.push(['once', event, properties, options]),
    )
    analytics.on('identify', (id, traits) => heard.push(['identify', id, traits]))
    analytics.on('page', (category, name, properties) =>
      heard.push(['page', category, name, properties.path]),
    )
    analytics.on('group', (id, traits) => heard.push(['group', id, traits]))
    analytics.on('alias', (to, from) => heard.push(['alias', to, from]))
    analytics.on('screen', (category, name) => heard.push(['screen', category, name]))
    analytics.on('reset', () => heard.push('reset'))
    analytics.on('track', () => {
      throw new Error('a listener that fails')
    })
    await analytics
      .track('A', { a: 1 }, { x: 1 })
      .then((context) => heard.push('promise ' + context.event.event))
    await new Promise((resolve) =>
      analytics.track('B', (context) => resolve(heard.push('callback ' + context.event.event))),
    )
    analytics.off('track', listener)
    await analytics.track('C')
    await analytics.identify('u1', { n: 1 })
    await analytics.page('Cat', 'Name')
    await analytics.screen('Home')
    await analytics.group('g1', { g: 1 })
    await analytics.alias('to', 'from')
    analytics.reset()
    await analytics.ready(() => heard.push('ready'))
    return heard
  })
  assert.deepEqual(heard, [
    'on A',
    ['once', 'A', { a: 1 }, { x: 1 }],
    'promise A',
    'on B',
    'callback B',
    ['identify', 'u1', { n: 1 }],
    ['page', 'Cat', 'Name', '/'],
    ['screen', undefined, 'Home'],
    ['group', 'g1', { g: 1 }],
    ['alias', 'to', 'from'],
    'reset',
    'ready',
  ])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('debug prints calls, timeout limits how long a callback waits for plugins', async () => {
  const visitor = await visit()
  const printed = []
  visitor.page.on('console', (line) => printed.push(line.text()))
  const waited_ms = await visitor.run(async () => {
    analytics.debug()
    analytics.track('printed')
    analytics.debug(false)
    analytics.track('not printed')
    const { setTimeout } = window
    window.setTimeout = (job, ms, ...more) => (limits.push(ms), setTimeout(job, ms, ...more))
    const limits = (window.limits = [])
    analytics.timeout(50)
    analytics.addSourceMiddleware(() => new Promise(() => {}))
    const start = performance.now()
    await new Promise((resolve) => analytics.track('slow', resolve))
    return performance.now() - start
  })
  assert.ok(waited_ms >= 45, 'waited ' + waited_ms)
  assert.ok((await visitor.run(() => window.limits)).includes(50), 'the limit that was asked for')
  assert.equal(printed.filter((line) => line.startsWith('analytics')).length, 1)
  await visitor.close()
})

test('trackLink and trackForm take elements, lists and functions, and never hold back', async () => {
  const body = `<a id="one" href="/linked">1</a><a class="many" href="#x">2</a><a class="many" href="#y">3</a>
    <form id="form" action="/submitted"><input name="plan" value="Free"><button>go</button></form>`
  const visitor = await visit('/', { body })
  await visitor.run(() => {
    analytics.trackLink(document.querySelectorAll('.many'), (link) => 'Clicked ' + link.textContent, {
      a: 1,
    })
    analytics.trackClick([document.getElementById('one')], 'Left by link', (link) => ({
      href: link.getAttribute('href'),
    }))
    analytics.trackSubmit(document.getElementById('form'), 'Submitted', (form) => ({
      plan: form.plan.value,
    }))
    analytics.trackForm(null, 'Nothing')
  })
  await visitor.page.click('.many >> nth=0')
  await visitor.page.click('.many >> nth=1')
  await visitor.page.click('#form button')
  await visitor.page.waitForURL((url) => url.pathname == '/submitted')
  await visitor.page.goto(visitor.url('/', { body }))
  await visitor.loaded()
  await visitor.run(() => {
    analytics.trackLink(document.getElementById('one'), 'Left by link', (link) => ({
      href: link.getAttribute('href'),
    }))
  })
  await visitor.page.click('#one')
  await visitor.page.waitForURL((url) => url.pathname == '/linked')
  await visitor.loaded()
  const messages = await visitor.sent(4)
  assert.deepEqual(
    messages.map(({ event, properties }) => [event, properties]),
    [
      ['Clicked 2', { a: 1 }],
      ['Clicked 3', { a: 1 }],
      ['Submitted', { plan: 'Free' }],
      ['Left by link', { href: '/linked' }],
    ],
  )
  await visitor.close()
})

test('trackForm and trackLink take what stands in a frame of the same origin', async () => {
  const inside = `<a href='/x' onclick='event.preventDefault()'>x</a><form action='/submitted'><input name='plan' value='Free'><button>go</button></form>`
  const visitor = await visit('/', { body: `<iframe srcdoc="${inside}"></iframe>` })
  const frame = visitor.page.frameLocator('iframe')
  await frame.locator('button').waitFor()
  await visitor.run(() => {
    const { contentDocument } = document.querySelector('iframe')
    analytics.trackLink(contentDocument.querySelectorAll('a'), 'Clicked in a frame')
    analytics.trackForm(contentDocument.forms[0], 'Submitted in a frame', (form) => ({ plan: form.plan.value }))
  })
  await frame.locator('a').click()
  await frame.locator('button').click()
  const messages = await visitor.sent(2)
  assert.deepEqual(
    messages.map(({ event, properties }) => [event, properties]),
    [
      ['Clicked in a frame', {}],
      ['Submitted in a frame', { plan: 'Free' }],
    ],
  )
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('a link in an e-mail says who clicks: the query-string API', async () => {
  const query = '?ajs_aid=a77&ajs_uid=u77&ajs_trait_plan=Pro&ajs_event=Opened+Mail&ajs_prop_list=news'
  const visitor = await visit('/' + query, { script: 'analytics.track("after")' })
  const messages = await visitor.sent(3)
  const [identify, track] = messages.filter((message) => message.event != 'after')
  const after = messages.find((message) => message.event == 'after')
  assert.deepEqual(
    [identify.userId, identify.anonymousId, identify.traits],
    ['u77', 'a77', { plan: 'Pro' }],
  )
  assert.deepEqual([track.event, track.properties, track.userId], ['Opened Mail', { list: 'news' }, 'u77'])
  assert.deepEqual([after.userId, after.anonymousId], ['u77', 'a77'])
  await visitor.run(() => analytics.queryString('?ajs_event=Again'))
  assert.equal((await visitor.sent(4))[3].event, 'Again')
  const closed = await visit('/' + query, {
    options: { useQueryString: false },
    script: 'analytics.track("only")',
  })
  assert.deepEqual(
    (await closed.sent(1)).map((message) => message.event),
    ['only'],
  )
  await visitor.close()
  await closed.close()
})

test('a link that anybody can write makes nobody else of who is identified, with consent that comes later, too', async () => {
  for (const options of [{}, { consent: false }]) {
    const visitor = await visit('/', { script: 'analytics.identify("12345"); analytics.track("mine")' })
    const { anonymousId } = (await visitor.sent(2))[1]
    await visitor.page.goto(visitor.url('/?ajs_uid=evil&ajs_aid=evil&ajs_trait_email=evil%40x.test&ajs_event=Opened', {
      options,
      script: 'analytics.ready(() => { analytics.queryString("?ajs_uid=evil2"); analytics.consent(true); analytics.track("after") })',
    }))
    const of = (name) => recorder.until(({ event, anonymousId: aid }) => event == name && aid == anonymousId, 1)
    const messages = [...(await of('Opened')), ...(await of('after'))]
    assert.deepEqual(messages.slice(0, 2).map(({ event, userId, anonymousId: aid }) => [event, userId, aid]).sort(),
      [['Opened', '12345', anonymousId], ['after', '12345', anonymousId]])
    await visitor.close()
  }
})

test('integrations: load options become true, false for Segment.io keeps a call in the page', async () => {
  const visitor = await visit('/', { options: { integrations: { Mixpanel: { token: 'x' }, All: false, 'Segment.io': {} } } })
  await visitor.run(() => {
    analytics.track('stays', {}, { integrations: { 'Segment.io': false } })
    analytics.track('goes', {}, { integrations: { Intercom: true } })
  })
  const [goes] = await visitor.sent(1)
  assert.deepEqual(
    [goes.event, goes.integrations],
    ['goes', { Mixpanel: true, All: false, 'Segment.io': true, Intercom: true }],
  )
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  await visitor.close()
})

test('what cannot be written as JSON is left out of that call alone', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    const ring = { size: 1 }
    ring.ring = ring
    analytics.track('ring', ring)
    analytics.track('fine')
  })
  const [ring, fine] = await visitor.sent(2)
  assert.deepEqual([ring.properties, fine.event], [{ size: 1 }, 'fine'])
  await visitor.close()
})

test('options: initialPageview, and a host named by the options', async () => {
  const visitor = await visit('/start', { options: { initialPageview: true } })
  assert.equal((await visitor.sent(1))[0].type, 'page')
  await visitor.close()
  const other = await visit('/', { options: { apiHost: 'localhost:1' } })
  const requests = []
  other.page.on('request', (request) => requests.push(request.url()))
  await other.run(() => analytics.track('elsewhere'))
  await eventually(() => requests.includes('http://localhost:1/v1/b'), 'a request to the other host')
  assert.equal((await other.waiting()).length, 1)
  await other.close()
  assert.ok(site.port)
})
