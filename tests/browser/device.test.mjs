// Tools in the page that the source's configuration names (device_mode): what is loaded when, in which order they hear of
// calls, and that nothing of theirs touches collection or the page.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach } from 'node:test'
import { eventually as eventuallyWithin, onym, recorder, test, visit } from './setup.mjs'
import { withVendors } from './vendors.mjs'

const eventually = (test, what) => eventuallyWithin(test, what, 30_000)
const skip = onym?.export ? false : 'needs build/onym'
afterEach(() => (recorder.fault = null))

/** A visitor of the source with tools; `asks` as in `visit`. The vendors are there before the page. */
const come = async (asks = {}, how, path = '/') => {
  const visitor = await visit('/', { lib: 'none' })
  const asked = await withVendors(visitor.context, how)
  const fetched = []
  visitor.page.on('request', (request) => fetched.push(new URL(request.url()).pathname))
  const console = []
  visitor.page.on('console', (message) => console.push(message.text()))
  await visitor.page.goto(visitor.url(path, { lib: 'onym', key: 'wk_tools', ...asks }))
  await visitor.loaded()
  return { ...visitor, asked, fetched, console }
}
// Firefox's driver tells as errors of the page that something could not be loaded.
const own = (errors) => errors.filter((text) => !/^(The Same Origin Policy|Loading module from|Cross-Origin Request)/.test(text))
const arrived = (name) => recorder.until(({ event }) => event == name, 1)
const faults = (visitor) => visitor.run(() => [window.messenger, window.google, window.meta, window.ph].flatMap((vendor) => vendor?.faults ?? ['is not there']))
const told = (visitor, count) =>
  eventually(() => visitor.run((count) => [window.google?.hits, window.meta?.events, window.ph?.events].every((list) => list?.length >= count) && window.messenger?.boots, count), 'all tools were told ' + count)
const names = (visitor) =>
  visitor.run(() => ({ google: google.hits.map(({ name }) => name), meta: meta.events.map(({ name }) => name), posthog: ph.events.map(({ event }) => event) }))

test('settings name the tools, to pages of the source, and never a secret', { skip }, async () => {
  const answer = await fetch(onym.url + '/v1/projects/wk_tools/settings')
  const { deviceMode, integrations } = await answer.json()
  assert.deepEqual(Object.keys(deviceMode), ['intercom', 'google_tag', 'meta_pixel', 'posthog'])
  assert.deepEqual(deviceMode.google_tag, { ids: ['G-ONE', 'AW-2'], user_properties: ['plan'], conversions: JSON.parse('{"Signed Up":"AW-2/abc","__proto__":"AW-2/x"}') })
  // analytics-next would load a bundle of each integration from a CDN.
  assert.deepEqual(Object.keys(integrations), ['Segment.io'])
  assert.deepEqual((await (await fetch(onym.url + '/v1/projects/wk_website/settings')).json()).deviceMode, {})
  for (const [path, origin, status] of [['wk_tools/tools.js', '', 200], ['wk_nobody/tools.js', '', 404], ['wk_bound/tools.js', 'https://evil.test', 401], ['wk_bound/tools.js', 'https://www.rdio.test', 200]]) {
    const answer = await fetch(onym.url + '/analytics.js/v1/' + path, { headers: origin ? { origin } : {} })
    assert.equal(answer.status, status, path + origin)
  }
})

test('a source without tools loads none of it, and its core is the one without', { skip }, async () => {
  const visitor = await come({ key: 'wk_website', script: 'analytics.track("No tools")' })
  await arrived('No tools')
  assert.deepEqual(visitor.fetched.filter((path) => /tool|more/.test(path)), [])
  assert.deepEqual(visitor.asked, [])
  await visitor.close()
})

test('tools hear of every call, in order, also of those before load, and count each once with their own page views off', { skip }, async () => {
  const visitor = await come({ page: 1, script: 'analytics.track("Early", {}, { messageId: "early-1" }); analytics.identify("u1", { plan: "Pro", email: "u1@x.test" })' })
  await visitor.run(() => {
    analytics.track('Signed Up', { method: 'mail' })
    history.pushState({}, '', '/two')
    analytics.page()
  })
  await told(visitor, 4)
  assert.deepEqual(await names(visitor), {
    google: ['page_view', 'page_view', 'Early', 'Early', 'sign_up', 'sign_up', 'conversion', 'page_view', 'page_view'],
    meta: ['PageView', 'Early', 'CompleteRegistration', 'PageView'],
    posthog: ['$pageview', 'Early', '$identify', 'Signed Up', '$pageview'],
  })
  assert.deepEqual(await faults(visitor), [])
  const anonymousId = await visitor.run(() => analytics.user().anonymousId())
  assert.deepEqual(await visitor.run(() => ph.events.find(({ event }) => event == '$identify').$anon_distinct_id), anonymousId)
  assert.deepEqual(await visitor.run(() => [messenger.user.user_id, messenger.user.email]), ['u1', 'u1@x.test'])
  // The same ids as the server has.
  const [early] = await arrived('Early')
  assert.deepEqual([early.messageId, await visitor.run(() => meta.events[1].eventID)], ['early-1', 'early-1'])
  assert.deepEqual(await visitor.run(() => google.properties), { plan: 'Pro' })
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('nothing of a tool is fetched before consent, per tool by category, and a withdrawal ends all of them', { skip }, async () => {
  const visitor = await come({ key: 'wk_consent', options: { consent: false }, script: 'analytics.track("Waits")' })
  await new Promise((resolve) => setTimeout(resolve, 400))
  assert.deepEqual([visitor.asked, visitor.fetched.filter((path) => /tool/.test(path))], [[], []])
  await visitor.run(() => void analytics.consent(true, { Analytics: true, Ads: false }))
  await eventually(() => visitor.run(() => window.google?.hits.length == 1), 'Google was told')
  assert.deepEqual(visitor.asked.map((url) => new URL(url).host), ['www.googletagmanager.com'])
  assert.deepEqual(await visitor.run(() => google.consent), { analytics_storage: 'granted', ad_storage: 'denied' })
  await visitor.run(() => {
    analytics.consent(true, { Analytics: true, Ads: true })
    analytics.track('Both')
  })
  await eventually(() => visitor.run(() => window.meta?.events.length == 1 && google.hits.length == 2), 'both were told')
  assert.equal(await visitor.run(() => google.consent.ad_storage), 'granted')
  await visitor.run(() => void analytics.consent(true, { Analytics: true, Ads: false }))
  await visitor.run(() => void analytics.track('Google only'))
  await eventually(() => visitor.run(() => google.hits.length == 3), 'Google was told')
  assert.equal(await visitor.run(() => google.consent.ad_storage), 'denied')
  await visitor.run(() => {
    analytics.track('Withdrawn with it')
    analytics.consent(false)
    analytics.track('Refused')
  })
  await eventually(() => visitor.run(() => window['ga-disable-G-ONE'] === true), 'Google has ended')
  assert.equal(await visitor.run(() => google.consent.analytics_storage), 'denied')
  assert.deepEqual(await visitor.run(() => meta.events.map(({ name }) => name)), ['Both'])
  assert.equal(await visitor.run(() => google.hits.some(({ name }) => name == 'Refused')), false)
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('a refusal before the tool has come is kept: what waited for it is dropped', { skip }, async () => {
  let arrive
  const visitor = await come({ script: 'analytics.track("Given")' }, new Promise((resolve) => (arrive = resolve)))
  await eventually(() => visitor.asked.length == 4, 'all are asked for')
  await visitor.run(() => void analytics.consent(false))
  arrive()
  await eventually(() => visitor.run(() => window.ph && window.posthog.has_opted_out_capturing()), 'PostHog obeys')
  assert.deepEqual(await visitor.run(() => ph.events), [])
  await visitor.close()
})

for (const [what, options, calls, expected] of [
  ['All: false at load', { integrations: { All: false, 'Segment.io': true } }, undefined, []],
  ['All: false at load, one named', { integrations: { All: false, 'Segment.io': true, 'Google Tag': true } }, undefined, ['googletagmanager.com']],
  ['one off at load', { integrations: { 'Facebook Pixel': false, Intercom: false, PostHog: false } }, undefined, ['googletagmanager.com']],
  ['one off by call', {}, { google_tag: false, posthog: false, 'Meta Pixel': false }, ['intercom.io']],
  ['deviceMode: false', { deviceMode: false }, undefined, []],
])
  test('switches: ' + what, { skip }, async () => {
    const visitor = await come({ options, script: `analytics.track(${JSON.stringify('Switch ' + what)}, {}, ${JSON.stringify({ integrations: calls ?? {} })})` })
    await arrived('Switch ' + what)
    await eventually(() => visitor.asked.length >= expected.length, 'those that may')
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.deepEqual(visitor.asked.map((url) => new URL(url).host.split('.').slice(-2).join('.')), expected)
    await visitor.close()
  })

for (const how of ['blocked', 'hung'])
  test(`vendors that are ${how} hold up neither collection nor the page`, { skip }, async () => {
    const visitor = await come({ page: 1, script: `analytics.track("While ${how}")` }, how)
    await arrived('While ' + how)
    assert.equal(await visitor.run(async () => (await Promise.race([analytics.track('Promise'), new Promise((r) => setTimeout(r, 5000, 'late'))])) != 'late'), true)
    await eventually(() => visitor.asked.length == 4, 'all were asked for')
    await visitor.run((how) => void analytics.track('After ' + how), how)
    await arrived('After ' + how)
    if (how == 'blocked') await eventually(() => visitor.console.filter((text) => /did not load/.test(text)).length == 4, 'the console says which')
    assert.deepEqual(own(visitor.errors), [])
    await visitor.close()
  })

test("Onym's own file for the tools blocked, hung or broken: collection goes on, the console says why", { skip }, async () => {
  for (const [what, answer] of [['blocked', (route) => route.abort()], ['broken', (route) => route.fulfill({ contentType: 'text/javascript', body: 'throw 1' })], ['html', (route) => route.fulfill({ contentType: 'text/html', body: '<p>' })], ['hung', () => {}]]) {
    const visitor = await visit('/', { lib: 'none' })
    const console = []
    visitor.page.on('console', (message) => console.push(message.text()))
    await visitor.context.route('**/tools.js', answer)
    // In Firefox a file that is on its way holds up the page's load event.
    await visitor.page.goto(visitor.url('/', { lib: 'onym', key: 'wk_tools', script: `analytics.track("Tools ${what}")` }), { waitUntil: 'domcontentloaded' })
    await arrived('Tools ' + what)
    if (what != 'hung') await eventually(() => console.some((text) => /Onym: tools of the page/.test(text)), 'the console says so: ' + what)
    assert.deepEqual(own(visitor.errors), [], what)
    await visitor.close()
  }
})

test("errors in a vendor's functions stay out of the page, and cost no call", { skip }, async () => {
  const head = `<script nonce=n1>Intercom = () => { throw new Error('intercom') }; fbq = () => { throw new Error('fbq') }; dataLayer = { push() { throw new Error('layer') }, some() { throw new Error('some') } }; posthog = { init() { throw new Error('hog') } }</script>`
  const visitor = await come({ head, page: 1, script: 'analytics.track("Vendors throw"); analytics.identify("u9"); analytics.reset()' })
  await arrived('Vendors throw')
  await visitor.run(() => void analytics.track('Still there'))
  await arrived('Still there')
  await eventually(() => visitor.console.filter((text) => /Onym: (intercom|meta_pixel|google_tag)/.test(text)).length >= 3, 'the console says so')
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('destination middleware sees what a tool is given, by its name, and may change or drop it', { skip }, async () => {
  const visitor = await come({
    script: `analytics.addDestinationMiddleware('Facebook Pixel', ({ payload, next, integration }) => { payload.obj.properties.by = integration; if (payload.obj.event != 'Dropped') next(payload) });
      analytics.track('Changed', {}); analytics.track('Dropped', {}); analytics.track('Last', {})`,
  })
  await told(visitor, 2)
  await eventually(() => visitor.run(() => meta.events.length == 2), 'the pixel was told')
  assert.deepEqual(await visitor.run(() => meta.events.map(({ name, data }) => [name, data.by])), [['Changed', 'Facebook Pixel'], ['Last', 'Facebook Pixel']])
  assert.equal((await arrived('Changed'))[0].properties.by, undefined)
  await visitor.close()
})

test("Intercom's signature comes by load option or call; without one nobody who is known is named", { skip }, async () => {
  const init = (context) => context.addInitScript(() => (window.intercomSecret = (id) => 'hash of ' + id))
  for (const [what, options, more, expected] of [
    ['option', { integrations: { Intercom: { user_hash: 'hash of u1' } } }, undefined, 'u1'],
    ['call', {}, { integrations: { Intercom: { user_hash: 'hash of u1' } } }, 'u1'],
    ['nothing', {}, undefined, undefined],
  ]) {
    const visitor = await visit('/', { lib: 'none' })
    await withVendors(visitor.context)
    await init(visitor.context)
    await visitor.page.goto(visitor.url('/', { lib: 'onym', key: 'wk_signed', options, script: `analytics.identify('u1', {}, ${JSON.stringify(more ?? {})}); analytics.track('Signed by ${what}')` }))
    await arrived('Signed by ' + what)
    if (expected) await eventually(() => visitor.run(() => window.messenger?.user?.user_id == 'u1'), 'Intercom knows the user')
    else await new Promise((resolve) => setTimeout(resolve, 400))
    assert.deepEqual(await visitor.run(() => window.messenger?.faults ?? []), [], what)
    assert.equal(await visitor.run(() => window.messenger?.user?.user_id), expected, what)
    await visitor.close()
  }
})

test("reset: Intercom is shut down, PostHog has Onym's new anonymous id, Google forgets the user", { skip }, async () => {
  const visitor = await come({ script: 'analytics.identify("u1"); analytics.track("One")' })
  await told(visitor, 1)
  await visitor.run(() => {
    analytics.reset()
    analytics.track('Two')
  })
  await eventually(() => visitor.run(() => ph.events.some(({ event }) => event == 'Two') && google.hits.length == 4), 'told of the second')
  const anonymousId = await visitor.run(() => analytics.user().anonymousId())
  assert.deepEqual(await visitor.run(() => [messenger.shutdowns, messenger.boots, messenger.user.user_id, ph.events.at(-1).distinct_id, google.hits.at(-1).user]), [1, 2, undefined, anonymousId, null])
  assert.deepEqual(await faults(visitor), [])
  await visitor.close()
})

test("below a source's own path: nothing is asked of a path that ad blockers know", { skip }, async () => {
  const visitor = await come({ key: 'wk_owntools', own: 'x9q', script: 'analytics.track("Own path")' })
  await arrived('Own path')
  await eventually(() => visitor.run(() => window.google?.hits.length == 1), 'Google was told')
  assert.deepEqual(visitor.fetched.filter((path) => /analytics\.js|^\/v1/.test(path)), [])
  assert.ok(visitor.fetched.includes('/x9q/t.js') && visitor.fetched.includes('/x9q/x/google-tag.tool.js'), visitor.fetched.join(' '))
  await visitor.close()
})

test('the library with receipts has the tools, too, and so has the npm package where it is asked', { skip }, async () => {
  const plus = await come({ plus: 1, script: 'analytics.track("Plus")' })
  await told(plus, 1)
  assert.equal(await plus.run(() => typeof analytics.confirm), 'function')
  await plus.close()
  for (const deviceMode of [true, undefined]) {
    const visitor = await visit('/', { lib: 'none' })
    const asked = await withVendors(visitor.context)
    await visitor.context.route('**/npm.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: readFileSync(new URL('../../build/browser/npm/esm/npm.js', import.meta.url), 'utf8') }))
    const options = JSON.stringify({ apiHost: recorder.url, deviceMode })
    const name = 'npm ' + deviceMode
    await visitor.page.goto(visitor.url('/', { body: `<script type=module>
      import { AnalyticsBrowser } from '/npm.js'
      window.analytics = AnalyticsBrowser.load({ writeKey: 'wk_tools' }, ${options})
      analytics.track('${name}')</script>` }))
    await arrived(name)
    if (deviceMode) await eventually(() => visitor.run(() => window.google?.hits.length == 2), 'Google was told')
    else await new Promise((resolve) => setTimeout(resolve, 400))
    // The four come side by side: Google may be told before the last is asked.
    if (deviceMode) await eventually(() => asked.length >= 4, 'all four are asked')
    assert.equal(asked.length, deviceMode ? 4 : 0)
    await visitor.close()
  }
})

test('a tool that asks for a category waits without one, and the console says what for', { skip }, async () => {
  const visitor = await come({ key: 'wk_consent', script: 'analytics.track("No categories"); analytics.track("Again")' })
  await arrived('Again')
  await eventually(() => visitor.console.filter((text) => /waits for analytics\.consent/.test(text)).length == 2, 'one line a tool')
  assert.deepEqual(visitor.asked, [])
  await visitor.close()
})

test('what JSON cannot write is told once, and a blocked vendor is told no more', { skip }, async () => {
  const visitor = await come({}, 'blocked')
  const told = await visitor.run(async () => {
    let count = 0
    analytics.on('error', ({ code }) => (count += code == 'not_json'))
    const loop = {}
    loop.loop = loop
    await analytics.track('Loop', { loop, big: 1n })
    return count
  })
  assert.equal(told, 1)
  await eventually(() => visitor.console.filter((text) => /did not load/.test(text)).length == 4, 'all are gone')
  await visitor.run(() => {
    for (let at = 0; at < 50; at++) analytics.track('Many')
  })
  await recorder.until(({ event }) => event == 'Many', 50)
  assert.ok((await visitor.run(() => [dataLayer.length, fbq.queue.length, Intercom.q.length])).every((count) => count < 10))
  await visitor.close()
})
