// The tools in the page, each against a stand-in that is as strict as its vendor's documentation. They run here as in a page
// whose vendor's script comes late: calls wait in the vendor's queue.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { build } from 'esbuild'

const bundled = async (name) => {
  const { outputFiles } = await build({ entryPoints: [new URL(`../tools/${name}`, import.meta.url).pathname], bundle: true, format: 'esm', write: false })
  return import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].text).toString('base64'))
}
const tools = {}
for (const name of ['google-tag', 'posthog', 'intercom', 'meta-pixel']) tools[name] = (await bundled(name + '.tool.js')).default
const { uuidOf } = await bundled('uuid5.tool.js')
const { isWanted, isAllowed } = await bundled('switches.js')

const VENDORS = { 'google-tag': 'gtag', posthog: 'posthog', intercom: 'intercom', 'meta-pixel': 'fbevents' }
const GLOBALS = ['dataLayer', 'google', 'posthog', 'ph', 'Intercom', 'messenger', 'fbq', '_fbq', 'meta', 'intercomSecret']
globalThis.window = globalThis

/** A page with this tool; `arrive` is when the vendor's script has loaded. */
const open = (name, settings, given, { keeps } = {}) => {
  for (const key of GLOBALS) delete globalThis[key]
  for (const key of Object.keys(globalThis)) if (key.startsWith('ga-disable-')) delete globalThis[key]
  const scripts = []
  globalThis.document = {
    querySelector: (what) => (what == 'script[nonce]' ? { nonce: 'n1' } : null),
    createElement: () => ({}),
    head: { append: (script) => scripts.push(script) },
  }
  if (!keeps) globalThis.localStorage = {}
  const tool = tools[name](settings, given)
  return { tool, scripts, arrive: () => (0, eval)(readFileSync(new URL(`../../tests/browser/vendors/${VENDORS[name]}.js`, import.meta.url), 'utf8')) }
}

let count = 0
const message = (type, more = {}) => ({
  type,
  messageId: 'm' + ++count,
  anonymousId: 'anon-1',
  timestamp: '2026-11-29T10:00:00.000Z',
  context: { page: { url: 'https://www.rdio.test/' } },
  integrations: {},
  ...more,
})
const track = (event, properties = {}, more) => message('track', { event, properties, ...more })
const page = (url = 'https://www.rdio.test/', more) =>
  message('page', { properties: { url, path: new URL(url).pathname, title: 'Rdio', referrer: '', search: '' }, ...more })
const identify = (userId, traits = {}, more) => message('identify', { userId, traits, ...more })

// ---- Google tag ----

const googled = (events, settings = {}) => {
  const { tool, arrive, scripts } = open('google-tag', { ids: ['G-ONE'], ...settings })
  events.forEach((event) => tool.call(event))
  arrive()
  return { hits: google.hits, faults: google.faults, tool, scripts }
}

test('the Google tag counts a page once, without a page view of its own, with its nonce', () => {
  const { hits, faults, scripts } = googled([page(), page('https://www.rdio.test/two')])
  assert.deepEqual(hits.map(({ name, params }) => [name, params.automatic, params.page_location]), [
    ['page_view', undefined, 'https://www.rdio.test/'],
    ['page_view', undefined, 'https://www.rdio.test/two'],
  ])
  assert.deepEqual(faults, [])
  assert.deepEqual(scripts.map(({ src, nonce, async }) => [src, nonce, async]), [['https://www.googletagmanager.com/gtag/js?id=G-ONE', 'n1', true]])
})

const NAMES = [
  ['Plan Chosen', 'Plan_Chosen'],
  ['  Signed  Up ', 'sign_up'],
  ['signed up', 'sign_up'],
  ['Ünïcode Ärger', 'Ünïcode_Ärger'],
  ['注册', '注册'],
  ['2nd visit', 'e_2nd_visit'],
  ['_private', 'e__private'],
  ['click', 'e_click'],
  ['Click', 'e_Click'],
  ['first_visit', 'e_first_visit'],
  ['ga_event', 'e_ga_event'],
  ['gtag.set', 'e_gtag_set'],
  ['firebase_x', 'e_firebase_x'],
  ['page_view', 'e_page_view'],
  ['constructor', 'constructor'],
  ['__proto__', 'e__proto_'],
  ['a\nb\tc', 'a_b_c'],
  ['"quoted"; drop', 'e__quoted_drop'],
  ['👍', 'e__'],
  ['x'.repeat(300), 'x'.repeat(40)],
  ['Order  Completed', 'purchase'],
]
test("any event name becomes one that Google takes, and never one of Google's own", () => {
  const { hits, faults } = googled(NAMES.map(([name]) => track(name, name.startsWith('Order') ? { order_id: 'o1', revenue: 1 } : {})))
  assert.deepEqual(hits.map(({ name }) => name), NAMES.map(([, name]) => name))
  assert.deepEqual(faults, [])
})

test('any properties become 25 parameters that Google takes', () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => ['key ' + at, at]))
  const odd = {
    'Plan Name': 'Pro', empty: '', nothing: null, nested: { a: 1 }, list: [1], yes: true, zero: 0, nan: NaN, endless: Infinity,
    session_id: 's', gclid: 'g', _x: 1, ga_y: 2, 9: 'nine', '': 'no name', long: '€'.repeat(500), ['n'.repeat(99)]: 1, items: 'mine', send_to: 'G-EVIL',
    user_id: 'u', constructor: 'c', email: 'a@b.test',
  }
  const { hits, faults } = googled([track('A', many), track('B', odd)])
  assert.deepEqual(faults, [])
  assert.equal(Object.keys(hits[0].params).length, 26)
  assert.equal(hits[1].params.Plan_Name, 'Pro')
  assert.equal(hits[1].params.zero, 0)
  assert.equal([...hits[1].params.long].length, 100)
  assert.deepEqual(hits[1].params.send_to, ['G-ONE'])
  for (const name of ['empty', 'nothing', 'nested', 'list', 'nan']) assert.equal(name in hits[1].params, false, name)
})

test("Segment's ecommerce events become Google's, and an order counts once", () => {
  const products = [{ product_id: 'p1', name: 'Shirt', price: '19.90', quantity: 2, category: 'Clothes', position: 1, image_url: 'x' }, { sku: 's2', name: 'Hat' }, null, 'junk']
  const { hits, faults } = googled([
    track('Product Viewed', { product_id: 'p1', name: 'Shirt', price: 19.9 }),
    track('Product Added', { product_id: 'p1', price: 10, quantity: 3, currency: 'EUR' }),
    track('Checkout Started', { order_id: 'o1', value: 39.8, products }),
    track('Order Completed', { order_id: 'o1', total: 45, revenue: '39.80', tax: 3, products, coupon: 'X' }),
    track('Order Completed', { order_id: 'o1', revenue: 39.8, products }),
    track('Order Completed', { revenue: 5 }, { messageId: 'fixed' }),
    track('Order Completed', { order_id: '', products: [] }, { messageId: 'fixed' }),
    track('Products Searched', { query: 'jazz' }),
    track('Promotion Clicked', { promotion_id: 'p', creative: 'banner', name: 'Summer' }),
    track('Order Completed', { order_id: 'o2', products: Array.from({ length: 300 }, (_, id) => ({ product_id: 'p' + id })) }),
  ])
  assert.deepEqual(faults, [])
  assert.deepEqual(hits.map(({ name }) => name), ['view_item', 'add_to_cart', 'begin_checkout', 'purchase', 'purchase', 'search', 'select_promotion', 'purchase'])
  const { params } = hits[3]
  assert.deepEqual([params.transaction_id, params.value, params.currency, params.tax], ['o1', 39.8, 'USD', 3])
  assert.deepEqual(params.items, [{ item_id: 'p1', item_name: 'Shirt', item_category: 'Clothes', index: 1, price: 19.9, quantity: 2 }, { item_id: 's2', item_name: 'Hat' }])
  assert.deepEqual([hits[1].params.value, hits[1].params.currency], [30, 'EUR'])
  assert.equal(hits[4].params.transaction_id, 'fixed')
  assert.equal(hits[7].params.items.length, 200)
})

test('the user id is told, taken back at log-out, and never an address; only traits that are named become user properties', () => {
  const { hits, faults } = googled(
    [page(), identify('u1', { plan: 'Pro', email: 'a@b.test', 'favourite colour of all times': 'x'.repeat(99) }), page(undefined, { userId: 'u1' }), page(), page(undefined, { userId: 'kim@rdio.test' }), page(undefined, { userId: 'ü'.repeat(300) })],
    { user_properties: ['plan', 'favourite colour of all times', 'missing', 'user_id'] },
  )
  assert.deepEqual(faults, [])
  assert.deepEqual(hits.map(({ user }) => user), [null, 'u1', null, null, 'ü'.repeat(256)])
  assert.deepEqual(google.properties, { plan: 'Pro', favourite_colour_of_all_: 'x'.repeat(36) })
})

test('a conversion of Google Ads has the order or the messageId as transaction_id', () => {
  const { hits, faults } = googled(
    [track('Signed Up', {}, { messageId: 'once' }), track('Signed Up', {}, { messageId: 'once' }), track('Order Completed', { order_id: 'o1', revenue: 9 }), track('constructor')],
    { ids: ['G-ONE', 'AW-1'], conversions: { 'Signed Up': 'AW-1/abc', 'Order Completed': 'AW-1/buy' } },
  )
  assert.deepEqual(faults, [])
  assert.deepEqual(hits.filter(({ name }) => name == 'conversion').map(({ params }) => [params.send_to, params.transaction_id, params.value, params.currency]), [
    ['AW-1/abc', 'once', undefined, undefined],
    ['AW-1/buy', 'o1', 9, 'USD'],
  ])
})

test('what the page has configured by itself is left to it', () => {
  const { tool, arrive } = open('google-tag', { ids: ['G-ONE', 'G-TWO'] })
  ;(function () {
    dataLayer.push(arguments)
  })('config', 'G-ONE')
  tool.call(page())
  arrive()
  assert.deepEqual(google.hits.map(({ id, params }) => [id, !!params.automatic]), [['G-ONE', true], ['G-TWO', false]])
  assert.deepEqual(google.faults, [])
})

test("Consent Mode follows the visitor's categories, and a withdrawal ends it all until it is taken back", () => {
  const consent_mode = { analytics_storage: 'Analytics', ad_storage: 'Ads' }
  const said = (categoryPreferences) => ({ context: { consent: { categoryPreferences } } })
  const { tool, arrive } = open('google-tag', { ids: ['G-ONE'], consent_mode })
  tool.call(page(undefined, said({ Analytics: true, Ads: false })))
  arrive()
  assert.deepEqual(google.consent, { analytics_storage: 'granted', ad_storage: 'denied' })
  tool.call(page(undefined, said({ Analytics: true, Ads: true })))
  assert.deepEqual(google.consent, { analytics_storage: 'granted', ad_storage: 'granted' })
  tool.consent(false)
  assert.deepEqual([google.consent, window['ga-disable-G-ONE']], [{ analytics_storage: 'denied', ad_storage: 'denied' }, true])
  tool.consent(true, { Analytics: true, Ads: false })
  assert.deepEqual([google.consent, window['ga-disable-G-ONE']], [{ analytics_storage: 'granted', ad_storage: 'denied' }, false])
  assert.deepEqual(google.faults, [])
  assert.equal(google.hits.length, 2)
})

// ---- PostHog ----

const hogged = (run, settings = {}, how) => {
  const { tool, arrive, scripts } = open('posthog', { api_key: 'phc_one', ...settings }, undefined, how)
  run(tool, arrive)
  if (!globalThis.ph) arrive()
  return { events: ph.events, faults: ph.faults, scripts, tool }
}
const told = (events) => events.map(({ event, distinct_id, $anon_distinct_id }) => [event, distinct_id, ...($anon_distinct_id ? [$anon_distinct_id] : [])])

test('PostHog identifies once, with the anonymous id that Onym has, and in the order of the calls', () => {
  const { events, faults, scripts } = hogged((tool) => {
    tool.call(page())
    tool.call(track('Before'))
    tool.call(identify('u1', { plan: 'Pro' }))
    tool.call(track('After', {}, { userId: 'u1' }))
    tool.call(identify('u1', { plan: 'Free' }))
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(told(events), [['$pageview', 'anon-1'], ['Before', 'anon-1'], ['$identify', 'u1', 'anon-1'], ['After', 'u1'], ['$set', 'u1']])
  assert.deepEqual(scripts.map(({ src, nonce }) => [src, nonce]), [['https://us-assets.i.posthog.com/static/array.js', 'n1']])
  assert.equal(ph.config.disable_session_recording, true)
})

test('PostHog is made anew at reset, and when the anonymous id or the user is another', () => {
  const { events, faults } = hogged((tool) => {
    tool.call(identify('u1'))
    tool.reset('anon-2')
    tool.call(track('Stranger', {}, { anonymousId: 'anon-2' }))
    tool.call(identify('u2', {}, { anonymousId: 'anon-2' }))
    tool.call(track('Other device', {}, { anonymousId: 'anon-3' }))
    tool.call(identify('u3', {}, { anonymousId: 'anon-3' }))
    tool.call(identify('u4', {}, { anonymousId: 'anon-3' }))
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(told(events), [
    ['$identify', 'u1', 'anon-1'], ['Stranger', 'anon-2'], ['$identify', 'u2', 'anon-2'], ['Other device', 'anon-3'],
    ['$identify', 'u3', 'anon-3'], ['$identify', 'u4', 'anon-3'],
  ])
})

test('on the next page PostHog says nothing again of a user whom it knows', () => {
  hogged((tool) => tool.call(identify('u1')))
  const { events, faults } = hogged((tool) => tool.call(page(undefined, { userId: 'u1' })), {}, { keeps: true })
  assert.deepEqual([told(events), faults], [[['$pageview', 'u1']], []])
})

test("an event's uuid is the messageId's, so that a server's call and a repetition are one", () => {
  const own = '0b9d6a3e-6a3e-4c1b-9a53-3c1b9a530b9d'
  const { events, faults } = hogged((tool) => {
    for (const messageId of ['once', 'once', own, own]) tool.call(track('A', { $insert_id: 'mine', distinct_id: 'somebody', token: 't' }, { messageId }))
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(events.map(({ uuid, $insert_id, distinct_id }) => [uuid, $insert_id, distinct_id]), [[uuidOf('once'), 'once', 'anon-1'], [own, own, 'anon-1']])
})

test('the uuid is that of RFC 9562, version 5, for any text', () => {
  for (const text of ['', 'a', 'ü€👍', '\n"', '\ud800', 'x'.repeat(39), 'x'.repeat(40), 'x'.repeat(47), 'x'.repeat(48), 'x'.repeat(103), 'x'.repeat(104), 'x'.repeat(5000), '1764412345678000100-12345678901234567890123456789012']) {
    const hash = createHash('sha1').update(Buffer.from('6ba7b8129dad11d180b400c04fd430c8', 'hex')).update(Buffer.from(new TextEncoder().encode(text))).digest().subarray(0, 16)
    hash[6] = (hash[6] & 15) | 0x50
    hash[8] = (hash[8] & 63) | 0x80
    assert.equal(uuidOf(text), hash.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'), text)
  }
})

test('PostHog: a withdrawal drops what waits, is remembered, and is taken back; a refusal of the site is not', () => {
  const before = hogged((tool, arrive) => {
    tool.call(track('Waiting'))
    tool.consent(false)
    arrive()
    tool.call(track('Refused'))
    tool.consent(true)
    tool.call(track('Allowed'))
    tool.consent(false)
  })
  assert.deepEqual(told(before.events), [['Allowed', 'anon-1']])
  const after = hogged((tool) => tool.call(track('Next page')), {}, { keeps: true })
  assert.deepEqual(told(after.events), [['Next page', 'anon-1']])
  posthog.opt_out_capturing()
  const refused = hogged((tool) => tool.call(track('Against the site')), {}, { keeps: true })
  assert.deepEqual([refused.events, refused.faults], [[], []])
})

test('PostHog: groups, aliases, anonymous traits and screens', () => {
  const { events, faults } = hogged((tool) => {
    tool.call(message('group', { groupId: 'g1', traits: { name: 'Rdio' } }))
    tool.call(identify(undefined, { plan: 'Free' }))
    tool.call(message('screen', { name: 'Home', properties: {} }))
    tool.call(message('alias', { userId: 'new', previousId: 'old' }))
  }, { group_type: 'team', api_host: 'https://hog.rdio.test' })
  assert.deepEqual([faults, ph.groups], [[], { team: { key: 'g1', properties: { name: 'Rdio' } } }])
  assert.deepEqual(told(events), [['$set', 'anon-1'], ['$screen', 'anon-1'], ['$create_alias', 'old']])
})

test('a page that has PostHog itself keeps it to itself', () => {
  const { tool } = open('posthog', { api_key: 'phc_one' })
  globalThis.posthog = { mine: true }
  tool.call(track('A'))
  assert.deepEqual(globalThis.posthog, { mine: true })
})

// ---- Intercom ----

const talked = (run, settings = {}, given) => {
  const { tool, arrive, scripts } = open('intercom', { app_id: 'app1', ...settings }, given)
  globalThis.intercomSecret = settings.secret
  run(tool, arrive)
  if (!globalThis.messenger) arrive()
  return { ...messenger, scripts }
}

test('Intercom is booted as who the visitor is, updated, and shut down before somebody else comes', () => {
  const { faults, boots, shutdowns, user, companies } = talked((tool) => {
    tool.call(page())
    tool.call(identify('u1', { email: 'u1@x.test', name: 'Kim', createdAt: '2026-01-02T03:04:05Z', phone: null }))
    tool.call(message('group', { userId: 'u1', groupId: 'g1', traits: { name: 'Rdio' } }))
    tool.call(identify('u2', { createdAt: 'no date' }))
    tool.reset()
    tool.reset()
    tool.call(page(undefined, { userId: 'u3' }))
  })
  assert.deepEqual([faults, boots, shutdowns], [[], 3, 2])
  assert.deepEqual(user, { app_id: 'app1', user_id: 'u3' })
  assert.deepEqual(companies, [{ company_id: 'g1', name: 'Rdio' }])
})

test('Intercom with identity verification: nobody is named without a signature, wherever it comes from', () => {
  const secret = (id) => 'hash of ' + id
  const verified = { identity_verification: true, secret }
  for (const [what, more, given] of [
    ['the call', { integrations: { Intercom: { user_hash: 'hash of u1' } } }],
    ['the context', { context: { Intercom: { user_hash: 'hash of u1' } } }],
    ["the context's integrations", { context: { integrations: { Intercom: { user_hash: 'hash of u1' } } } }],
    ['the load options', {}, { user_hash: 'hash of u1' }],
  ]) {
    const { faults, user } = talked((tool) => tool.call(identify('u1', {}, more)), verified, given)
    assert.deepEqual([faults, user], [[], { app_id: 'app1', user_id: 'u1', user_hash: 'hash of u1' }], what)
  }
  const unsigned = talked((tool) => tool.call(page(undefined, { userId: 'u1' })), verified)
  assert.deepEqual([unsigned.faults, unsigned.boots], [[], 0])
  const next = talked((tool) => {
    tool.call(identify('u1', {}, { integrations: { Intercom: { user_hash: 'hash of u1' } } }))
    tool.reset()
    tool.call(page(undefined, { userId: 'u2' }))
  }, verified)
  assert.deepEqual([next.faults, next.boots, next.shutdowns], [[], 1, 1])
})

test('Intercom: routes update the Messenger, but never use up the updates of users; events only where they are asked for', () => {
  const routes = (tool) => {
    for (let at = 0; at < 60; at++) tool.call(page('https://www.rdio.test/' + at))
    tool.call(identify('u1'))
    tool.call(track('Played', { song: 'x' }))
  }
  const quiet = talked(routes)
  assert.deepEqual([quiet.faults, quiet.user.user_id, quiet.events], [[], 'u1', []])
  assert.deepEqual(talked(routes, { events: true }).events, [['Played', { song: 'x' }]])
  const eu = talked((tool) => tool.call(page()), { api_base: 'https://api-iam.eu.intercom.io' })
  assert.equal(eu.user.api_base, 'https://api-iam.eu.intercom.io')
})

test('Intercom is shut down when consent is withdrawn', () => {
  const { shutdowns, user } = talked((tool) => {
    tool.call(identify('u1'))
    tool.consent(true)
    tool.consent(false)
    tool.consent(false)
  })
  assert.deepEqual([shutdowns, user], [1, null])
})

test('Intercom: a signature that came with the page is of nobody else', () => {
  const { faults, boots } = talked(
    (tool) => {
      tool.call(page(undefined, { userId: 'u1' }))
      tool.call(page(undefined, { userId: 'u2' }))
      tool.reset()
      tool.call(page(undefined, { userId: 'u3' }))
    },
    { identity_verification: true, secret: (id) => 'hash of ' + id },
    { user_hash: 'hash of u1' },
  )
  assert.deepEqual([faults, boots], [[], 1])
  const looks = talked((tool) => tool.call(page()), {}, { hide_default_launcher: true, user_id: 'u9', email: 'a@b.test', user_hash: 'x', app_id: 'other' })
  assert.deepEqual(looks.user, { app_id: 'app1', hide_default_launcher: true })
  assert.deepEqual(talked((tool) => tool.call(page()), {}, true).user, { app_id: 'app1' })
})

// ---- Meta ----

const pixelled = (run) => {
  const { tool, arrive, scripts } = open('meta-pixel', { pixel_id: '12345678' })
  run(tool)
  arrive()
  return { ...meta, scripts, tool }
}

test("Meta's pixel sends nothing by itself, and a repetition of a messageId is one event", () => {
  const { events, faults, scripts } = pixelled((tool) => {
    tool.call(page(undefined, { messageId: 'p1' }))
    tool.call(page(undefined, { messageId: 'p1' }))
    tool.call(track('Played', { song: 'x', email: 'a@b.test', First_Name: 'Kim', nested: { a: 1 } }, { messageId: 't1' }))
    tool.call(identify('u1', { email: 'a@b.test' }))
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(events, [
    { id: '12345678', name: 'PageView', data: {}, eventID: 'p1' },
    { id: '12345678', name: 'Played', data: { song: 'x' }, eventID: 't1' },
  ])
  assert.deepEqual(scripts.map(({ src, nonce }) => [src, nonce]), [['https://connect.facebook.net/en_US/fbevents.js', 'n1']])
})

test("Segment's events become Meta's standard events; any other keeps its name, cut to what Meta takes", () => {
  const { events, faults } = pixelled((tool) => {
    tool.call(track('Order Completed', { order_id: 'o1', revenue: '9.50', currency: 'EUR', products: [{ product_id: 'p1', price: '4.75', quantity: 2 }, null] }))
    tool.call(track(' signed up', {}))
    tool.call(track('Product Added', { product_id: 'p1', name: 'Shirt', price: 5 }))
    tool.call(track('constructor', {}))
    tool.call(track('ü'.repeat(80), {}))
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(events.map(({ name }) => name), ['Purchase', 'CompleteRegistration', 'AddToCart', 'constructor', 'ü'.repeat(50)])
  assert.deepEqual(events[0].data, {
    order_id: 'o1', contents: [{ id: 'p1', quantity: 2, item_price: 4.75 }], content_ids: ['p1'], content_type: 'product', num_items: 1, value: 9.5, currency: 'EUR',
  })
  assert.deepEqual([events[2].data.value, events[2].data.currency, events[2].data.content_name], [5, 'USD', 'Shirt'])
})

test("Meta's pixel obeys a withdrawal", () => {
  const { events } = pixelled((tool) => {
    tool.call(track('A'))
    tool.consent(false)
    tool.call(track('B'))
    tool.consent(true)
    tool.call(track('C'))
  })
  assert.deepEqual(events.map(({ name }) => name), ['A', 'C'])
})

// ---- Switches ----

test('a call says by any of its names whether a tool gets it', () => {
  for (const [kind, integrations, isOn] of [
    ['google_tag', {}, true],
    ['google_tag', undefined, true],
    ['google_tag', { All: false }, false],
    ['google_tag', { All: false, 'Google Tag': true }, true],
    ['google_tag', { All: false, 'Google Analytics 4 Web': {} }, true],
    ['google_tag', { All: true, google_tag: false }, false],
    ['google_tag', { gtag: true, 'Google Tag': false }, false],
    ['google_tag', { GOOGLETAG: false }, false],
    ['meta_pixel', { 'Facebook Pixel': false }, false],
    ['meta_pixel', { 'meta-pixel': false }, false],
    ['meta_pixel', { Meta: false }, true],
    ['intercom', { intercom: false }, false],
    ['intercom', { All: false, Intercom: { user_hash: 'x' } }, true],
    ['posthog', { PostHog: false }, false],
    ['posthog', { 'Segment.io': false }, true],
  ])
    assert.equal(isWanted(kind, integrations), isOn, kind + JSON.stringify(integrations))
  assert.deepEqual([isAllowed(undefined), isAllowed(['Ads']), isAllowed(['Ads'], { Ads: true }), isAllowed(['Ads', 'X'], { Ads: true }), isAllowed(['Ads'], { Ads: 'true' })], [true, false, true, false, false])
})
