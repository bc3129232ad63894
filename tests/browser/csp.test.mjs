// Pages with a Content Security Policy: what each form of it needs for the core, the second file, the small files and tools
// in the page. Nothing else than what is named here may be needed: a violation fails the test.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { eventually as eventuallyWithin, onym, recorder, test, visit } from './setup.mjs'
import { isFirefox } from './browsers.mjs'

const eventually = (test, what) => eventuallyWithin(test, what, 30_000)
const skip = onym?.export ? false : 'needs build/onym'
const home = recorder.url
const VENDORS = 'https://www.googletagmanager.com https://connect.facebook.net https://widget.intercom.io https://us-assets.i.posthog.com'
const file = `${home}/analytics.js/v1/wk_tools/x/clicks.js`
/** The page's own code puts the small file there, or its HTML does, with or without the nonce. */
const BY_SCRIPT = `;{ const script = document.createElement('script'); script.nonce = document.currentScript.nonce; script.src = '${file}'; document.head.append(script) }`
const BY_NONCE = `<script nonce="n1" src="${file}"></script>`
const PLAIN = `<script src="${file}"></script>`

/** HASHES stands for those of the page's own inline scripts. */
const POLICIES = {
  'nonce alone': [`script-src 'nonce-n1'`, BY_NONCE],
  'nonce and strict-dynamic': [`script-src 'nonce-n1' 'strict-dynamic'`, BY_NONCE],
  'nonce, strict-dynamic and what older browsers read': [`script-src 'nonce-n1' 'strict-dynamic' https: http: 'unsafe-inline'`, BY_NONCE],
  'nonce and hosts': [`script-src 'nonce-n1' ${home} ${VENDORS}`, PLAIN],
  'hashes and hosts': [`script-src HASHES ${home} ${VENDORS}`, PLAIN],
  'hashes and strict-dynamic': [`script-src HASHES 'strict-dynamic'`, ''],
  'hosts and unsafe-inline': [`script-src 'unsafe-inline' ${home} ${VENDORS}`, PLAIN],
  'nonce, Trusted Types': [`script-src 'nonce-n1' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types onym onym-tools`, BY_NONCE],
}

for (const [name, [policy, body]] of Object.entries(POLICIES))
  test('Content Security Policy: ' + name, { skip }, async () => {
    const event = (what) => `${what} under ${name}`
    // What stands in the page is not what is under test here.
    const script = `analytics.track(${JSON.stringify(event('Core'))});analytics.register({ name: 'Stamp', type: 'enrichment', isLoaded: () => true, load: () => Promise.resolve(), track(context) { context.updateEvent('properties.stamped', true) } })` + (body ? '' : BY_SCRIPT)
    const asks = { lib: 'onym', key: 'wk_tools', script, body: body + '<a id=out href="https://other.test/x">x</a>' }
    const visitor = await visit('/', { lib: 'none' }, { init: () => {
      window.violations = []
      addEventListener('securitypolicyviolation', ({ blockedURI, effectiveDirective }) => violations.push(effectiveDirective + ' ' + blockedURI))
    } })
    const text = await (await fetch(visitor.url('/', asks))).text()
    const hashes = [...text.matchAll(/<script nonce="n1">([^]*?)<\/script>/g)].map(([, code]) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`)
    // Firefox asks for the site's icon.
    const headers = { 'content-security-policy': `default-src 'none'; img-src 'self'; connect-src ${home}; ${policy.replace('HASHES', hashes.join(' '))}` }
    await visitor.page.goto(visitor.url('/', { ...asks, headers }))
    await visitor.loaded()
    const [core] = await recorder.until(({ event: found }) => found == event('Core'), 1)
    assert.ok(core)
    await eventually(() => visitor.run(() => analytics.queue.plugins.length == 1), 'the second file came')
    await visitor.run((name) => void analytics.track(name), event('Second'))
    const [second] = await recorder.until(({ event: found }) => found == event('Second'), 1)
    assert.equal(second.properties.stamped, true)
    await visitor.run(() => {
      addEventListener('click', (event) => event.preventDefault())
      document.getElementById('out').click()
    })
    await recorder.until(({ event: found, context }) => found == 'Outbound Link Clicked' && context.page.url == core.context.page.url, 1)
    // The policy lets the vendors' scripts through; that they cannot be reached from here is another thing.
    await eventually(() => visitor.run(() => document.querySelectorAll('script[src*="googletagmanager"], script[src*="facebook"], script[src*="intercom"], script[src*="posthog"]').length == 4), 'all four tools came')
    assert.deepEqual(await visitor.run(() => violations), [])
    // Firefox's driver tells as an error that PostHog cannot be reached.
    assert.deepEqual(visitor.errors.filter((text) => !/us-assets\.i\.posthog\.com/.test(text)), [])
    await visitor.close()
  })

// Firefox's driver does not pass on what the page's console says of a script that is blocked.
if (!isFirefox) test('without its directives the library says so, and keeps the calls', { skip }, async () => {
  const visitor = await visit('/', { lib: 'none' })
  const console = []
  visitor.page.on('console', (message) => console.push(message.text()))
  const headers = { 'content-security-policy': `script-src 'unsafe-inline'` }
  await visitor.page.goto(visitor.url('/', { lib: 'onym', headers, script: 'analytics.track("Kept under a policy")' }))
  await eventually(() => console.some((text) => /Onym: .* did not load \(a blocker, a Content Security Policy/.test(text)), 'the console says why')
  await visitor.page.goto(visitor.url('/next', { lib: 'onym' }))
  await recorder.until(({ event }) => event == 'Kept under a policy', 1)
  await visitor.close()
})
