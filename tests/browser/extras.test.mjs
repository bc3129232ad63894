// The small files beside the library: signed links from another domain, consent tools, links and forms. The tools are
// stand-ins that do what their vendors' documentation says.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { afterEach } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { eventually, onym, recorder, test, visit } from './setup.mjs'
import { withVendors } from './vendors.mjs'

const skip = onym?.export ? false : 'needs build/onym'
afterEach(() => (recorder.fault = null))

const extra = (name, attributes = '') =>
  `<script src="${recorder.url}/analytics.js/v1/wk_website/x/${name}.js" ${attributes}></script>`
const of = (name) => recorder.until(({ event }) => event == name, 1)
const waited = () => new Promise((resolve) => setTimeout(resolve, 700))

const makeLink = async (anonymous_id, expires_in = 60) => {
  const answer = await fetch(onym.url + '/api/v1/links', {
    method: 'POST',
    headers: { authorization: 'Bearer sk_browser_tests' },
    body: JSON.stringify({ anonymous_id, expires_in }),
  })
  return (await answer.json()).parameter
}

test('a signed link hands a visitor over to another domain, once', { skip }, async () => {
  const first = await visit('/', { script: 'analytics.track("There")' })
  const { anonymousId } = (await first.sent(1))[0]
  const link = await makeLink(anonymousId)
  const land = (name, query = link) =>
    visit('/land?a=1&' + query + '#end', { body: extra('handover'), script: `analytics.track(${JSON.stringify(name)})` }, { host: '127.0.0.1' })
  const second = await land('Handed over')
  assert.equal((await of('Handed over'))[0].anonymousId, anonymousId)
  assert.equal(await second.run(() => analytics.user().anonymousId()), anonymousId)
  assert.match(await second.run(() => location.search + location.hash), /^\?a=1&_body=.*#end$/)
  assert.deepEqual(second.errors, [])
  // The same address, copied to somebody else.
  const third = await land('Copied')
  const copied = (await of('Copied'))[0].anonymousId
  assert.notEqual(copied, anonymousId)
  assert.doesNotMatch(copied, /^onym1/)
  for (const visitor of [first, second, third]) await visitor.close()
})

test('a signed link that is forged or comes without its file changes nothing', { skip }, async () => {
  const link = await makeLink('somebody')
  for (const [name, query, body] of [
    ['Forged', link.slice(0, -4) + '0000', extra('handover')],
    ['Nonsense', 'ajs_aid=onym1.%E0%A4%A', extra('handover')],
    ['No file', link, ''],
  ]) {
    const visitor = await visit('/?' + query, { body, script: `analytics.track('${name}')` })
    const { anonymousId } = (await of(name))[0]
    assert.match(anonymousId, /^[0-9a-f-]{36}$/, name)
    assert.deepEqual(visitor.errors, [], name)
    await visitor.close()
  }
})

test('a signed link is no way to be served twice while Onym is down: the call is kept and goes out', { skip }, async () => {
  const visitor = await visit('/', { lib: 'none' })
  await visitor.context.route('**/v1/link', (route) => route.abort())
  await visitor.page.goto(visitor.url('/?' + (await makeLink('unreached')), { lib: 'onym', body: extra('handover'), script: 'analytics.track("Unreached")' }))
  assert.match((await of('Unreached'))[0].anonymousId, /^[0-9a-f-]{36}$/)
  await visitor.close()
})

/** Each: what the page has of the tool, and what it does when the visitor says yes or no. */
const TOOLS = {
  onetrust: {
    head: `<script>
      let closed = false
      OneTrust = { IsAlertBoxClosed: () => closed }
      OnetrustActiveGroups = ',C0001,'
      choose = (groups) => { closed = true; OnetrustActiveGroups = groups; OptanonWrapper(); dispatchEvent(new CustomEvent('OneTrustGroupsUpdated', { detail: groups.split(',') })) }
      yes = () => choose(',C0001,C0002,'); no = () => choose(',C0001,'); ready = () => OptanonWrapper()
      OptanonWrapper = () => (theirs = true)
    </script>`,
    categories: { C0001: true, C0002: true },
  },
  cookiebot: {
    head: `<script>
      const say = (names) => names.forEach((name) => dispatchEvent(new Event(name)))
      const consent = { necessary: true, preferences: false, statistics: false, marketing: false }
      ready = () => { Cookiebot = { consent, hasResponse: false } }
      yes = () => { Cookiebot.hasResponse = consent.statistics = true; say(['CookiebotOnAccept', 'CookiebotOnConsentReady']) }
      no = () => { Cookiebot.hasResponse = true; consent.statistics = false; say(['CookiebotOnDecline', 'CookiebotOnConsentReady']) }
    </script>`,
    categories: { necessary: true, preferences: false, statistics: true, marketing: false },
  },
  trustarc: {
    head: `<script>
      let decision = { consentDecision: [1], source: 'implied' }
      ready = () => { truste = { cma: { callApi: (name, domain) => { if (name != 'getGDPRConsentDecision' || !domain) throw new Error(name); return decision } } }; dispatchEvent(new Event('load')) }
      const choose = (levels) => { decision = { consentDecision: levels, source: 'asserted' }; postMessage(JSON.stringify({ source: 'preference_manager', message: 'submit_preferences', data: levels.join() }), '*') }
      yes = () => choose([1, 2]); no = () => choose([1])
    </script>`,
    categories: { 1: true, 2: true, 3: false },
  },
  'consent-mode': {
    head: `<script>
      dataLayer = []; function gtag() { dataLayer.push(arguments) }
      gtag('consent', 'default', { analytics_storage: 'granted', region: ['US'] })
      gtag('consent', 'default', { analytics_storage: 'denied', ad_storage: 'denied', wait_for_update: 500 })
      ready = () => gtag('js', new Date())
      yes = () => gtag('consent', 'update', { analytics_storage: 'granted' })
      no = () => gtag('consent', 'update', { analytics_storage: 'denied' })
    </script>`,
    categories: { analytics_storage: true, ad_storage: false },
  },
}

for (const [name, { head, categories }] of Object.entries(TOOLS)) {
  test(`${name}: calls wait for the visitor's choice, and a withdrawal is obeyed`, async () => {
    const event = (what) => `${name} ${what}`
    const visitor = await visit('/', { options: { consent: false }, head, body: extra(name), script: `analytics.track('${event('early')}')` })
    await visitor.run(() => ready())
    await waited()
    assert.deepEqual(recorder.messages(({ event: found }) => found?.startsWith(name)), [])
    assert.deepEqual(await visitor.waiting(), [])
    await visitor.run(() => yes())
    const [early] = await of(event('early'))
    assert.deepEqual(early.context.consent, { categoryPreferences: categories })
    await visitor.run((text) => void analytics.track(text), event('allowed'))
    await of(event('allowed'))
    await visitor.run(() => no())
    await waited()
    await visitor.run((text) => void analytics.track(text), event('refused'))
    await waited()
    assert.deepEqual(recorder.messages(({ event: found }) => found == event('refused')), [])
    assert.doesNotMatch(await visitor.run(() => document.cookie), /ajs_/)
    if (name == 'onetrust') assert.equal(await visitor.run(() => theirs), true)
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
  test(`${name}: who has refused before anything was sent sends nothing`, async () => {
    const visitor = await visit('/', { options: { consent: false }, head, body: extra(name), script: `analytics.track('${name} never')` })
    await visitor.run(() => { ready(); no() })
    await waited()
    await visitor.run(() => yes())
    await waited()
    assert.deepEqual(recorder.messages(({ event }) => event == name + ' never'), [])
    await visitor.close()
  })
}

test('outbound links, downloads and forms become calls, without queries and without fields', async () => {
  const body = `<a id=out href="https://user:pw@other.test/a?secret=1#x"><b>Out</b></a> <a id=file href="/doc/Price%20List.PDF?token=1">List</a>
    <a id=in href="#in">In</a> <a id=mail href="mailto:a@b.test">Mail</a>
    <form id=f action="/post?token=1"><input name=action value=evil><input name=password value=secret><button id=send>Send</button></form>`
  const visitor = await visit('/', { body: body + extra('clicks') })
  await visitor.run(() => {
    addEventListener('click', (event) => event.target.closest('a') && event.preventDefault())
    addEventListener('submit', (event) => event.preventDefault())
    for (const id of ['out', 'file', 'in', 'mail', 'send']) (document.querySelector('#' + id + ' b') ?? document.getElementById(id)).click()
  })
  const messages = await visitor.sent(3)
  assert.deepEqual(
    messages.map(({ event, properties }) => [event, properties]),
    [
      ['Outbound Link Clicked', { url: 'https://other.test/a', text: 'Out', host: 'other.test' }],
      ['File Downloaded', { url: new URL(visitor.url('/')).origin + '/doc/Price%20List.PDF', text: 'List', name: 'Price%20List.PDF', extension: 'pdf' }],
      ['Form Submitted', { id: 'f', url: new URL(visitor.url('/')).origin + '/post' }],
    ],
  )
  await eventually(async () => (await visitor.waiting()).length == 0, 'all sent')
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('forms with an address that is none or no page, and fields that hide what is the form’s own: one call, no error', async () => {
  const page = (visitor, path) => new URL(visitor.url('/')).origin + path
  for (const [form, path] of [
    ['<form id=f action="http://[">', undefined],
    ['<form id=f action="/a" formaction="/b">', '/a'],
    ['<form id=f action="mailto:kim@example.com?subject=secret">', undefined],
    ['<form id=f action="javascript:void 0">', undefined],
    ['<form id=f action="/post?token=1"><input name=getAttribute value=secret><input name=action><input name=id>', '/post'],
    ['<form id=f>', '/'],
  ]) {
    const visitor = await visit('/', { body: form + '<button id=send>Send</button></form>' + extra('clicks') })
    await visitor.run(() => {
      addEventListener('submit', (event) => event.preventDefault())
      document.getElementById('send').click()
    })
    const [{ event, properties }] = await visitor.sent(1)
    assert.deepEqual([event, properties], ['Form Submitted', { id: 'f', ...(path && { url: page(visitor, path) }) }], form)
    assert.deepEqual(visitor.errors, [], form)
    await visitor.close()
  }
})

test("trustarc: the cookie of an earlier choice counts before its script has come, whatever else stands in the page's cookies", async () => {
  for (const [prefs, isAllowed] of [['0,1,2:', true], ['0%2C1%2C2:', true], ['0', false], ['0%2c2', false]]) {
    const cookies = `<script>document.cookie = 'odd=%E0%A4%A; path=/'; document.cookie = 'notice_gdpr_prefs=${prefs}; path=/'</script>`
    const visitor = await visit('/', { options: { consent: false }, head: cookies, body: extra('trustarc'), script: `analytics.track('prefs ${prefs}')` })
    if (isAllowed) assert.equal((await of('prefs ' + prefs))[0].context.consent.categoryPreferences[2], true)
    else await waited()
    assert.equal(recorder.messages(({ event }) => event == 'prefs ' + prefs).length, Number(isAllowed))
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  }
})

test('tools by hand: nothing before consent, switches obeyed, the messageId is the vendor\'s key, and a withdrawal ends them', async () => {
  const visitor = await visit('/', { lib: 'none' })
  const asked = await withVendors(visitor.context)
  await visitor.page.goto(visitor.url('/', {
    lib: 'onym',
    options: { consent: false },
    body: extra('intercom', 'data-app-id="app1"') + extra('meta-pixel', 'data-pixel-id="1234567"') +
      extra('google-tag', 'data-ids="G-ONE, AW-2" data-user-properties="plan"') + extra('posthog', 'data-api-key="phc_one"'),
  }))
  await visitor.loaded()
  await visitor.run(() => void analytics.track('Device One', { a: 1 }, { messageId: 'device-one' }))
  await waited()
  assert.deepEqual(asked, [])
  await visitor.run(() => {
    analytics.consent(true)
    analytics.identify('u1', { email: 'u1@x.test', plan: 'Pro' }, { integrations: { Intercom: { user_hash: 'h1' } } })
    analytics.track('Device Two', {}, { integrations: { 'Facebook Pixel': false, Intercom: false } })
    analytics.track('Device Three', {}, { integrations: { All: false } })
  })
  await of('Device Two')
  await eventually(() => visitor.run(() => window.messenger?.user?.user_id && google?.hits.length == 4 && meta?.events.length && ph?.events.length == 3), 'all were told')
  assert.deepEqual(await visitor.run(() => [messenger, google, meta, ph].flatMap(({ faults }) => faults)), [])
  assert.deepEqual(await visitor.run(() => messenger.user), { app_id: 'app1', user_id: 'u1', user_hash: 'h1', email: 'u1@x.test' })
  assert.deepEqual(await visitor.run(() => meta.events.map(({ name, eventID, data }) => [name, eventID, data])), [['Device One', 'device-one', { a: 1 }]])
  assert.deepEqual(await visitor.run(() => google.hits.map(({ id, name, user }) => [id, name, user])), [
    ['G-ONE', 'Device_One', null], ['AW-2', 'Device_One', null], ['G-ONE', 'Device_Two', 'u1'], ['AW-2', 'Device_Two', 'u1'],
  ])
  const anonymousId = await visitor.run(() => analytics.user().anonymousId())
  assert.deepEqual(await visitor.run(() => ph.events.map(({ event, distinct_id, $anon_distinct_id }) => [event, distinct_id, $anon_distinct_id])), [
    ['Device One', anonymousId, undefined], ['$identify', 'u1', anonymousId], ['Device Two', 'u1', undefined],
  ])
  assert.equal(asked.length, 4)
  await visitor.run(() => void analytics.consent(false))
  await eventually(() => visitor.run(() => messenger.user == null && window['ga-disable-G-ONE'] && posthog.has_opted_out_capturing()), 'all have ended')
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('every file beside the library comes by brotli, gzip or as it is, and is asked for again by its ETag', { skip }, async () => {
  const ask = (name, headers) => new Promise((resolve, reject) =>
    get(`${onym.url}/analytics.js/v1/wk_website/${name}`, { headers }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }))
    }).on('error', reject))
  const folder = new URL('../../build/browser/', import.meta.url)
  const files = readdirSync(new URL('x/', folder)).filter((name) => name.endsWith('.js')).map((name) => 'x/' + name)
  for (const name of ['analytics.min.js', 'analytics.plus.min.js', 'more.min.js', ...files]) {
    const plain = readFileSync(new URL(name, folder))
    const tags = new Set()
    for (const [accepted, encoding, unpack] of [
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync], ['gzip', 'gzip', gunzipSync], ['', undefined, (bytes) => bytes],
      ['br;q=0, gzip;q=0', undefined, (bytes) => bytes],
    ]) {
      const answer = await ask(name, { 'accept-encoding': accepted })
      assert.deepEqual([answer.status, answer.headers['content-encoding']], [200, encoding], name)
      assert.equal(unpack(answer.body).equals(plain), true, name)
      assert.match(answer.headers.vary, /Accept-Encoding/)
      assert.match(answer.headers['cache-control'], /^public, max-age=300/)
      tags.add(answer.headers.etag)
      const again = await ask(name, { 'accept-encoding': accepted, 'if-none-match': answer.headers.etag })
      assert.deepEqual([again.status, again.body.length], [304, 0], name)
    }
    assert.equal(tags.size, 3, name)
  }
  for (const name of ['x/', 'x/none.js', 'x/..%2fanalytics.min.js', 'x/analytics.min.js', 'x/follow.js']) assert.equal((await ask(name, {})).status, 404, name)
})
