// What goes wrong without an error that anybody sees: a mistyped key, a script that does not come, pages that
// isolate themselves. It stands in the console, or it works.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, onym, recorder, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = null))
const skip = onym?.export ? false : 'needs build/onym'

const listen = async (options, asks) => {
  const lines = []
  const visitor = await visit('/', { ...asks, lib: 'none' }, options)
  visitor.page.on('console', (line) => lines.push(line.text()))
  await visitor.page.goto(visitor.url('/', { ...asks, lib: asks.lib ?? 'onym' }))
  return { ...visitor, lines }
}

test('a mistyped write key: the console says so, and that it is the key', { skip }, async () => {
  for (const lib of ['onym', 'switched']) {
    const visitor = await listen({}, { key: 'wk_webiste', lib })
    await eventually(() => visitor.lines.some((line) => /nothing is counted here.*wk_webiste/.test(line)), lib)
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  }
})

test('the right key: the console is silent', async () => {
  const visitor = await listen({}, { page: '1' })
  await visitor.sent(1)
  assert.deepEqual(visitor.lines, [])
  await visitor.close()
})

test('a script that is blocked: the console says what, and that the calls are kept', async () => {
  recorder.fault = (path) => (path.startsWith('/analytics.js') ? 'down' : null)
  const visitor = await listen({ waits: false }, { page: '1' })
  await eventually(
    () => visitor.lines.some((line) => line.startsWith('Onym: ' + recorder.url) && /did not load.*kept/.test(line)),
    'the line',
  )
  recorder.fault = null
  await visitor.page.goto(visitor.url('/next', { lib: 'onym' }))
  await visitor.loaded()
  assert.equal((await visitor.sent(1))[0].type, 'page')
  await visitor.close()
})

for (const [name, policy] of [
  ['require-corp', { 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-opener-policy': 'same-origin' }],
  ['credentialless', { 'cross-origin-embedder-policy': 'credentialless', 'cross-origin-opener-policy': 'same-origin' }],
  ['document isolation', { 'document-isolation-policy': 'isolate-and-require-corp' }],
]) {
  test(`a page that isolates itself (${name}): the library loads, calls arrive, also on leaving`, async () => {
    // The host is below the page's site: elsewhere no cookie may be set.
    const options = { serverCookie: true, apiHost: 'http://localhost:' + recorder.port }
    const visitor = await listen({ host: 'localhost' }, { headers: policy, options })
    await visitor.loaded()
    assert.equal(await visitor.run(() => crossOriginIsolated), true)
    await visitor.run(() => analytics.track('isolated'))
    await visitor.sent(1)
    visitor.leave((to) => {
      analytics.track('leaving')
      location.href = to
    }, visitor.url('/left', { lib: 'none' }))
    const messages = await visitor.sent(2)
    assert.deepEqual(
      messages.map((message) => message.event),
      ['isolated', 'leaving'],
    )
    assert.deepEqual([visitor.errors, visitor.lines], [[], []])
    await visitor.close()
  })
}
