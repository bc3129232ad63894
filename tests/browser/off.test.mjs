// Cookies and storage switched off in the browser itself, as its settings, private modes and managed machines have it: not
// a stand-in that throws, but what the browser does then.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFirefox, startBrowser, startProfile } from './browsers.mjs'
import { test, visit } from './setup.mjs'

const SETTINGS = isFirefox
  ? {
      'all cookies blocked': { 'network.cookie.cookieBehavior': 2 },
      'no localStorage': { 'dom.storage.enabled': false },
      'neither': { 'network.cookie.cookieBehavior': 2, 'dom.storage.enabled': false },
    }
  : { 'all cookies blocked': { cookies: 2 }, 'all cookies kept for the session': { cookies: 4 } }

/** A context of a browser with the setting; `close` ends it. */
const start = async (setting) => {
  if (isFirefox) {
    const { browser, kill } = await startBrowser({ firefoxUserPrefs: setting })
    return { context: await browser.newContext(), close: kill }
  }
  const folder = mkdtempSync(join(tmpdir(), 'onym-browser-off-'))
  mkdirSync(join(folder, 'Default'))
  writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify({ profile: { default_content_setting_values: setting } }))
  const context = await startProfile(folder)
  return { context, close: () => context.close().then(() => rmSync(folder, { recursive: true, force: true })) }
}

for (const [what, setting] of Object.entries(SETTINGS))
  for (const host of ['localhost', 'www.rdio.test'])
    test(`${what}, on ${host}: a sign-up arrives, once, in order, as the right person, and so does what is called on leaving`, async () => {
      const { context, close } = await start(setting)
      const visitor = await visit('/', { page: '1' }, { context, host })
      const has = await visitor.run(() => [
        (() => { try { document.cookie = 'a=1'; return document.cookie.includes('a=1') } catch { return false } })(),
        (() => { try { return !!localStorage } catch { return false } })(),
      ])
      if (/blocked|neither/.test(what)) assert.equal(has[0], false)
      if (/no localStorage|neither/.test(what)) assert.equal(has[1], false)
      await visitor.run(() => {
        analytics.track('before')
        analytics.identify('12345', { email: 'kim@example.com' })
        analytics.group('g1')
        analytics.track('Signed Up')
      })
      const first = await visitor.sent(5)
      assert.deepEqual(first.map(({ event, type }) => event ?? type), ['page', 'before', 'identify', 'group', 'Signed Up'])
      assert.deepEqual(first.map(({ userId }) => userId ?? null), [null, null, '12345', '12345', '12345'])
      assert.equal(new Set(first.map(({ anonymousId }) => anonymousId)).size, 1)
      visitor.leave((to) => {
        analytics.track('leaving')
        analytics.reset()
        analytics.track('as nobody')
        location.href = to
      }, visitor.url('/next'))
      const all = await visitor.sent(8)
      const left = all.filter(({ event }) => /leaving|nobody/.test(event))
      assert.deepEqual(left.map(({ event, userId }) => [event, userId ?? null]), [['leaving', '12345'], ['as nobody', null]])
      assert.notEqual(left[1].anonymousId, left[0].anonymousId)
      assert.equal(all.filter(({ type }) => type == 'page').length, 2)
      assert.deepEqual(visitor.errors, [])
      await visitor.close()
      await close()
    })
