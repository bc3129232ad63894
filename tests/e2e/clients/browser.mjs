// @segment/analytics-next in headless Chromium, unmodified: the npm package's dist/umd/standalone.js, which
// is its CDN build, loaded by a page as the snippet does. The page comes from another origin than onym, so
// every request is a cross-origin one; the settings document is onym's own.
//
// E2E_VERSION names the package's version, E2E_STRATEGY standard or batching delivery.
import { createServer } from 'node:http'
import { readFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { pause, run, said, url, writeKey } from './calls.mjs'

const version = process.env.E2E_VERSION
const batching = process.env.E2E_STRATEGY === 'batching'
const scenario = process.env.ONYM_SCENARIO
const BURST = { plain: 20, slow: 10, lost: 30, limit: 50, crash: 80 }[scenario]
const DONE_MS = 120_000

// ---- The site ----

const directory = ['@segment/analytics-next', `analytics-next-${version}`]
  .map((name) => join('node_modules', name))
  .find((path) => existsSync(path) && JSON.parse(readFileSync(join(path, 'package.json'))).version === version)

/** The page of a customer: the stub that buffers calls, then the library. */
function page() {
  const options = batching
    ? { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 5, timeout: 300 } } } } }
    : {}
  return `<!doctype html><title>A shop – Zürich</title><h1>Shop</h1><script>
    const stub = (window.analytics = []);
    stub.initialize = false;
    for (const method of ['track', 'identify', 'page', 'screen', 'group', 'alias', 'ready', 'reset', 'on', 'once',
        'setAnonymousId', 'register', 'addSourceMiddleware'])
      stub[method] = (...a) => (stub.push([method, ...a]), stub);
    stub._writeKey = ${JSON.stringify(writeKey)};
    stub._cdn = ${JSON.stringify(url)};
    stub._loadOptions = ${JSON.stringify(options)};
    if (window.__before) window.__before(stub);
  </script>
  <script async src="/analytics.min.js"></script>`
}

const site = createServer((request, response) => {
  const path = new URL(request.url, 'http://site').pathname
  if (path.endsWith('.js')) {
    const file = join(directory, 'dist/umd', path === '/analytics.min.js' ? 'standalone.js' : path.split('/').pop())
    response.writeHead(existsSync(file) ? 200 : 404, { 'content-type': 'text/javascript' })
    response.end(existsSync(file) ? readFileSync(file) : '')
    return
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(page())
})
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${site.address().port}`

// ---- The browser ----

const profile = mkdtempSync(join(tmpdir(), 'onym-chromium-'))
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  locale: 'de-CH',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
})

// What onym acknowledged: a call is done when the answer to a request that held it was 200. Any request to
// another host than ours is a failure: the settings document did not redirect the library.
const acknowledged = new Set()
const leaving = new Set() // which of the calls made while leaving the page were acknowledged
const strangers = new Set()
context.on('request', (request) => {
  if (!request.url().startsWith(origin) && !request.url().startsWith(url)) strangers.add(request.url())
})
context.on('response', (response) => {
  const request = response.request()
  if (request.method() !== 'POST' || response.status() !== 200) return
  const body = JSON.parse(request.postData() ?? '{}')
  for (const message of body.batch ?? [body]) {
    if (message.messageId) acknowledged.add(message.messageId)
    if (message.event === 'Left The Page') leaving.add(message.properties.n)
  }
})

const tab = await context.newPage()
tab.on('pageerror', (error) => console.error('page:', error.message))
let callCount = 0

/** Makes one call in the page and says what must be found of it. */
async function call(method, args, expected) {
  await tab.evaluate(([name, values]) => void window.analytics[name](...values), [method, args])
  said(expected)
  callCount++
  await pause()
}

async function open(path) {
  await tab.goto(origin + path)
  await tab.waitForFunction(() => window.analytics?.initialized, null, { timeout: 30_000 })
}

/** Waits until onym has acknowledged so many calls, visibly: answers to a page that has gone are not seen. */
async function isAcknowledged(count, ms) {
  for (const end = Date.now() + ms; acknowledged.size < count; ) {
    if (Date.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}

// ---- A visit ----

const id = (name) => `${run}-${name}`
const library = { name: 'analytics.js' }

// Calls made before the library is there wait in the stub.
await tab.addInitScript((anonymousId) => {
  window.__before = (analytics) => {
    if (location.pathname !== '/landing') return
    analytics.setAnonymousId(anonymousId)
    analytics.page()
    analytics.track('Before Load', { emoji: '🛒', quotes: '"\\' })
  }
}, id('visitor'))
await open('/landing?utm_source=mail&utm_campaign=spring')
const visitor = { anonymousId: id('visitor') }
said({ type: 'page', ...visitor, userId: null, properties: { path: '/landing', search: '?utm_source=mail&utm_campaign=spring' },
  context: { library, campaign: { source: 'mail', name: 'spring' }, locale: 'de-CH' } })
said({ type: 'track', event: 'Before Load', ...visitor, properties: { emoji: '🛒', quotes: '"\\' } })
callCount += 2

await call('track', ['Anonymous Click', { price: 14.99, nested: { a: [1, { b: null }] } }],
  { type: 'track', event: 'Anonymous Click', ...visitor, userId: null, properties: { price: 14.99, nested: { a: [1, { b: null }] } } })
await call('alias', [id('aliased')], { type: 'alias', userId: id('aliased'), previousId: id('visitor') })
await call('identify', [{ plan: 'free' }], { type: 'identify', ...visitor, userId: null, traits: { plan: 'free' } })
await call('identify', [id('user'), { email: 'anna@example.com', age: 31 }],
  { type: 'identify', ...visitor, userId: id('user'), traits: { plan: 'free', email: 'anna@example.com', age: 31 } })
await call('page', ['Docs', 'Start here', { section: 3 }],
  { type: 'page', ...visitor, userId: id('user'), category: 'Docs', name: 'Start here', properties: { section: 3, path: '/landing' } })
await call('screen', ['Home', { unread: 0 }], { type: 'screen', name: 'Home', ...visitor, properties: { unread: 0 } })
await call('group', [id('group'), { employees: 329 }],
  { type: 'group', groupId: id('group'), ...visitor, userId: id('user'), traits: { employees: 329 } })
await call('track', ['With Options', {}, { context: { ip: '203.0.113.9' }, integrations: { Mixpanel: false },
  timestamp: '2022-03-04T05:06:07.008Z', experiment: 'b' }],
  { type: 'track', event: 'With Options', ...visitor, userId: id('user'), context: { ip: '203.0.113.9', experiment: 'b' },
    integrations: { Mixpanel: false }, timestamp: '2022-03-04T05:06:07.008Z' })
await call('track', ['Named By Its User', {}, { messageId: id('own-message-id') }],
  { type: 'track', event: 'Named By Its User', messageId: id('own-message-id') })
await call('identify', [4711, { numeric: true }], { type: 'identify', userId: '4711', traits: { numeric: true } })
await tab.evaluate(() => window.analytics.reset())
await tab.evaluate((anonymousId) => window.analytics.setAnonymousId(anonymousId), id('second'))
await call('track', ['After Reset', {}], { type: 'track', event: 'After Reset', anonymousId: id('second'), userId: null })
for (let n = 0; n < BURST; n++)
  await call('track', ['Burst', { n, run }], { type: 'track', event: 'Burst', properties: { n, run } })

if (!(await isAcknowledged(callCount, DONE_MS)))
  console.error(`after ${DONE_MS / 1000} s only ${acknowledged.size} of ${callCount} calls were acknowledged`)

// A click that leaves the page: its calls are on their way, or wait in localStorage for the next page.
const LEAVING = 5
await tab.evaluate(([name, count]) => {
  for (let n = 0; n < count; n++) window.analytics.track('Left The Page', { run: name, n })
  location.href = '/next'
}, [run, LEAVING])
await tab.waitForURL(`${origin}/next`)
await tab.waitForFunction(() => window.analytics?.initialized, null, { timeout: 60_000 })
await call('page', [], { type: 'page', anonymousId: id('second'), properties: { path: '/next' } })
await isAcknowledged(callCount + LEAVING, scenario === 'plain' ? 2_000 : 15_000)
// The library may lose some of these before it has asked for anything: then they are its own loss, but what
// was acknowledged must be there, and none may be there twice.
for (let n = 0; n < LEAVING; n++) {
  const left = { type: 'track', event: 'Left The Page', anonymousId: id('second'), properties: { run, n } }
  said(leaving.has(n) ? left : { optional: left })
}
await context.close()
site.close()
rmSync(profile, { recursive: true, force: true })
if (strangers.size) console.error(`asked other hosts: ${[...strangers].slice(0, 5).join(' ')}`)
process.exit(strangers.size ? 1 : 0)
