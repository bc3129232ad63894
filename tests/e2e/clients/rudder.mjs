// @rudderstack/analytics-js in headless Chromium, unmodified: the npm package's bundled build on a page of another
// origin than onym, which is its data plane and, for the source's configuration (configUrl), its control plane.
import { createServer } from 'node:http'
import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { pause, run, said, url, writeKey } from './calls.mjs'

const library = 'node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js'
const DONE_MS = 60_000
const BURST = 20

const load = `${JSON.stringify(writeKey)}, ${JSON.stringify(url)}, { configUrl: ${JSON.stringify(url)}, logLevel: 'ERROR' }`
/** Installed by the package: made and loaded by the page's own code. */
const byPackage = `<script src="/library.js"></script><script>
  const made = window.rudderanalytics?.RudderAnalytics ?? window.RudderAnalytics
  window.rudder = new made()
  window.rudder.load(${load})
  window.rudder.ready(() => { window.isReady = true })
</script>`
/**
 * Installed by the snippet, as its documentation has it: an array of calls at window.rudderanalytics, load first, made when
 * the script has come, which is put there asynchronously. The script that their CDN serves makes the instance by itself;
 * the package's build leaves that to its last line here.
 */
const bySnippet = `<script>
  const stub = (window.rudderanalytics = [])
  stub.snippetExecuted = true
  for (const method of ['load', 'ready', 'page', 'track', 'identify', 'alias', 'group', 'reset', 'setAnonymousId'])
    stub[method] = (...args) => (Array.isArray(window.rudderanalytics) ? stub.push([method, ...args]) : window.rudderanalytics[method](...args))
  stub.load(${load})
  stub.ready(() => { window.rudder = window.rudderanalytics; window.isReady = true })
  stub.page('Before the script')
  const script = document.createElement('script')
  script.async = true
  script.setAttribute('data-loader', 'RS_JS_SDK')
  script.src = '/library.js'
  script.onload = () => {
    const { RudderAnalytics } = window.rudderanalytics
    window.rudderanalytics = stub
    window.rudderanalytics = new RudderAnalytics()
  }
  document.head.append(script)
</script>`
const isSnippet = process.env.E2E_SNIPPET === '1'
const page = '<!doctype html><title>A shop</title>' + (isSnippet ? bySnippet : byPackage)
const site = createServer((request, response) => {
  const isLibrary = request.url === '/library.js'
  response.writeHead(200, { 'content-type': isLibrary ? 'text/javascript' : 'text/html; charset=utf-8' })
  response.end(isLibrary ? readFileSync(library) : page)
})
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${site.address().port}`

const profile = mkdtempSync(join(tmpdir(), 'onym-chromium-'))
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
})
const acknowledged = new Set()
const strangers = new Set()
context.on('request', (request) => {
  if (!request.url().startsWith(origin) && !request.url().startsWith(url)) strangers.add(request.url())
})
context.on('response', (response) => {
  const request = response.request()
  if (request.method() !== 'POST' || response.status() !== 200) return
  const body = JSON.parse(request.postData() ?? '{}')
  for (const message of body.batch ?? [body]) if (message.messageId) acknowledged.add(message.messageId)
})

const tab = await context.newPage()
tab.on('pageerror', (error) => console.error('page:', error.message))
tab.on('console', (message) => message.type() === 'error' && console.error('console:', message.text()))
await tab.goto(origin + '/landing')
await tab.waitForFunction(() => window.isReady, null, { timeout: 30_000 })

let callCount = 0
if (isSnippet) {
  said({ type: 'page', name: 'Before the script', properties: { path: '/landing' } })
  callCount++
}
async function call(method, args, expected) {
  await tab.evaluate(([name, values]) => void window.rudder[name](...values), [method, args])
  said(expected)
  callCount++
  await pause()
}

const id = (name) => `${run}-${name}`
const visitor = { anonymousId: id('visitor') }
await tab.evaluate((anonymousId) => void window.rudder.setAnonymousId(anonymousId), id('visitor'))
await call('track', ['Anonymous Click', { price: 14.99 }],
  { type: 'track', event: 'Anonymous Click', ...visitor, properties: { price: 14.99 } })
// Its identify has the traits in the context alone.
await call('identify', [id('user'), { email: 'anna@example.com', address: { city: 'Ulm' } }],
  { type: 'identify', ...visitor, userId: id('user'), traits: { email: 'anna@example.com', address: { city: 'Ulm' } } })
await call('page', ['Docs', 'Start here', { section: 3 }],
  { type: 'page', ...visitor, userId: id('user'), name: 'Start here', properties: { section: 3, path: '/landing' } })
await call('group', [id('group'), { employees: 329 }],
  { type: 'group', groupId: id('group'), ...visitor, userId: id('user'), traits: { employees: 329 } })
await call('alias', [id('other'), id('user')], { type: 'alias', userId: id('other'), previousId: id('user') })
for (let n = 0; n < BURST; n++)
  await call('track', ['Burst', { n, run }], { type: 'track', event: 'Burst', properties: { n, run } })
for (const end = Date.now() + DONE_MS; acknowledged.size < callCount && Date.now() < end; )
  await new Promise((resolve) => setTimeout(resolve, 50))
if (acknowledged.size < callCount) console.error(`only ${acknowledged.size} of ${callCount} calls were acknowledged`)

await context.close()
site.close()
rmSync(profile, { recursive: true, force: true })
if (strangers.size) console.error(`asked other hosts: ${[...strangers].slice(0, 5).join(' ')}`)
process.exit(strangers.size || acknowledged.size < callCount ? 1 : 0)
