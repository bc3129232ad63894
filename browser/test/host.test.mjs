import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { apiBase, readScript } = await load('host')
const segment = (settings) => ({ integrations: { 'Segment.io': settings } })

test('the script tells its host, any path before it, and the write key', () => {
  const base = 'https://rdio.test/onym/analytics.js/v1/wk_a%20b/'
  assert.deepEqual(readScript(base + 'analytics.min.js'), [base + 'more.min.js', 'https://rdio.test/onym', 'wk_a b'])
  const own = 'https://cdn.rdio.test/lib/'
  assert.deepEqual(readScript(own + 'word.js?v=1'), [own + 'word/m.js', 'https://cdn.rdio.test'])
  assert.deepEqual(readScript('').slice(1), [undefined])
})

const rows = [
  [
    'the host of the script, when the options say nothing',
    {},
    'http://t.rdio.test:8080',
    'http://t.rdio.test:8080/v1',
  ],
  ['apiHost with a scheme', { apiHost: 'https://t.rdio.test' }, undefined, 'https://t.rdio.test/v1'],
  [
    'apiHost without a scheme takes that of the script',
    { apiHost: 't.rdio.test' },
    'http://x',
    'http://t.rdio.test/v1',
  ],
  [
    'apiHost that ends with the version',
    { apiHost: 't.rdio.test/v1' },
    undefined,
    'https://t.rdio.test/v1',
  ],
  [
    'the shape of analytics-next',
    segment({ apiHost: 't.rdio.test/v1' }),
    undefined,
    'https://t.rdio.test/v1',
  ],
  [
    'the shape of analytics-next, http',
    segment({ apiHost: 'h:8080/v1', protocol: 'http' }),
    undefined,
    'http://h:8080/v1',
  ],
  [
    'the shape of analytics-next, another path',
    segment({ apiHost: 'h/collect' }),
    undefined,
    'https://h/collect',
  ],
  ['a path of its own', { ownPath: 'm4p' }, 'https://h', 'https://h/m4p'],
  ['a path of its own behind a path', { ownPath: 'm4p', apiHost: 'https://h/x/' }, undefined, 'https://h/x/m4p'],
  ['a path of its own takes the place of the version', { ownPath: 'm4p', apiHost: 'h/v1' }, undefined, 'https://h/m4p'],
  ['a path of its own, the shape of analytics-next', { ownPath: 'm', ...segment({ apiHost: 'h/v1' }) }, undefined, 'https://h/m'],
  ['true for the integration', segment(true), 'https://h', 'https://h/v1'],
]
for (const [name, options, home, base] of rows) {
  test('calls are sent to: ' + name, () => assert.equal(apiBase(options, home), base))
}
