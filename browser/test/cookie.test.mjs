// Cookies with their scopes, as RFC 6265 has them: what document.cookie shows and lets a page change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, makeArea } from './load.mjs'

const { openStores, makeAreaStore } = await load('storage')

/** A jar at https://www.rdio.test/app/home; `fixed` are cookies that no script can change. */
const setUp = ({ href = 'https://www.rdio.test/app/home', fixed = () => false } = {}) => {
  const url = new URL(href)
  globalThis.location = url
  // Another site's storage is another.
  globalThis.sessionStorage = makeArea()
  const jar = []
  const shown = ({ domain, path }) =>
    (domain[0] == '.' ? ('.' + url.hostname).endsWith(domain) : url.hostname == domain) &&
    (url.pathname + '/').startsWith(path.replace(/\/?$/, '/'))
  globalThis.document = {
    get cookie() {
      return jar
        .filter(shown)
        .sort((one, other) => other.path.length - one.path.length)
        .map(({ name, value }) => name + '=' + value)
        .join('; ')
    },
    set cookie(text) {
      const [pair, ...rest] = text.split(';')
      const attributes = Object.fromEntries(rest.map((part) => part.split('=')))
      const [name, value] = pair.split('=')
      const domain = attributes.domain ? '.' + attributes.domain : url.hostname
      if (domain == '.test' || (domain[0] == '.' && !('.' + url.hostname).endsWith(domain))) return
      const entry = { name, value, domain, path: attributes.path }
      if (fixed(entry)) return
      const at = jar.findIndex((o) => o.name == name && o.domain == domain && o.path == attributes.path)
      if (attributes['max-age'] == '0') {
        if (at >= 0) jar.splice(at, 1)
      } else if (at >= 0) jar[at] = entry
      else jar.push(entry)
    },
  }
  const put = (value, domain, path = '/', name = 'ajs_user_id') => jar.push({ name, value, domain, path })
  return { jar, put, open: (options = {}) => openStores(options, makeAreaStore({})) }
}

const scopes = [
  ['www.rdio.test', '/'],
  ['.www.rdio.test', '/'],
  ['.rdio.test', '/app'],
  ['.rdio.test', '/app/'],
  ['www.rdio.test', '/app/home'],
  ['.www.rdio.test', '/app'],
]
for (const [domain, path] of scopes) {
  test(`a cookie on ${domain} at ${path} shadows no log-in and no log-out`, () => {
    const { jar, put, open } = setUp()
    put('old', domain, path)
    const { cookie } = open()
    assert.equal(cookie.read('ajs_user_id'), 'old')
    cookie.write('ajs_user_id', '12345')
    assert.equal(cookie.read('ajs_user_id'), '12345')
    assert.deepEqual(
      jar.map(({ value, domain, path }) => [value, domain, path]),
      [['12345', '.rdio.test', '/']],
    )
    put('old', domain, path)
    cookie.write('ajs_user_id', null)
    assert.equal(cookie.read('ajs_user_id'), null)
    assert.deepEqual(jar, [])
  })
  test(`of ours and one on ${domain} at ${path}, ours is who the visitor is`, () => {
    const { jar, put, open } = setUp()
    put('12345', '.rdio.test')
    put('old', domain, path)
    assert.equal(open().cookie.read('ajs_user_id'), '12345')
    assert.equal(jar.length, 1)
  })
}

test('all scopes at once, and odd paths', () => {
  for (const href of ['https://www.rdio.test/', 'https://a.b.c.rdio.test/x//y/', 'https://localhost/app']) {
    const { jar, put, open } = setUp({ href })
    const host = new URL(href).hostname
    for (const domain of [host, '.' + host]) for (const path of ['/', '/x', '/app']) put('old', domain, path)
    const { cookie } = open()
    cookie.write('ajs_user_id', 'new')
    assert.equal(cookie.read('ajs_user_id'), 'new', href)
    assert.equal(document.cookie, 'ajs_user_id=new', href)
    assert.ok(jar.length >= 1)
  }
})

test('a cookie that no script can change is disregarded, on the next page too, until it changes', () => {
  globalThis.localStorage = {}
  let fixed = ({ domain }) => domain == 'www.rdio.test'
  const { jar, put, open } = setUp({ fixed: (entry) => fixed(entry) })
  put('old', 'www.rdio.test', '/app')
  const first = open()
  first.cookie.write('ajs_user_id', '12345')
  assert.equal(first.cookie.read('ajs_user_id'), '12345')
  first.cookie.write('ajs_user_id', null)
  assert.equal(first.cookie.read('ajs_user_id'), null)
  assert.equal(open().cookie.read('ajs_user_id'), null)
  first.cookie.write('ajs_user_id', '12345')
  assert.equal(open().cookie.read('ajs_user_id'), '12345')
  jar[0].value = 'changed'
  assert.equal(open().cookie.read('ajs_user_id'), 'changed')
  fixed = () => false
  const free = open()
  free.cookie.write('ajs_user_id', 'u2')
  assert.deepEqual([free.cookie.read('ajs_user_id'), localStorage['onym:stuck:ajs_user_id']], ['u2', undefined])
})

test('a cookie that cannot be written: memory has it for the page', () => {
  globalThis.localStorage = {}
  const { open } = setUp({ fixed: ({ name }) => name == 'ajs_user_id' })
  const { cookie } = open()
  cookie.write('ajs_user_id', '12345')
  assert.equal(cookie.read('ajs_user_id'), '12345')
  cookie.write('ajs_user_id', null)
  assert.equal(cookie.read('ajs_user_id'), null)
})

test('a name that another ends with, a value that is not percent-encoded', () => {
  const { put, open } = setUp()
  put('no', '.rdio.test', '/', 'x_ajs_user_id')
  put('50%', '.rdio.test')
  assert.equal(open().cookie.read('ajs_user_id'), '50%')
})

test('the domain of cookies: the widest, none for addresses, also for hosts that end in a digit', () => {
  for (const [href, domain] of [
    ['https://www.rdio.test/', 'rdio.test'],
    ['https://www.rdio.host1/', 'rdio.host1'],
    ['https://server1/', ''],
    ['https://127.0.0.1/', ''],
    ['https://[::1]/', ''],
    ['https://localhost/', ''],
  ]) {
    const { open } = setUp({ href })
    assert.equal(open().domain, domain, href)
  }
})

test('the domain is probed once a tab; an option that names another is obeyed', () => {
  const { open } = setUp()
  let writes = 0
  const { set } = Object.getOwnPropertyDescriptor(document, 'cookie')
  Object.defineProperty(document, 'cookie', { set: (text) => (writes++, set(text)) })
  assert.deepEqual([open().domain, open().isKnown, writes], ['rdio.test', true, 2])
  const { domain, isKnown } = open({ cookie: { domain: 'www.rdio.test' } })
  assert.deepEqual([domain, isKnown, writes], ['www.rdio.test', false, 4])
})
test('pages of two subdomains that look for the domain at once both find it', () => {
  const { open } = setUp()
  const found = []
  const { set } = Object.getOwnPropertyDescriptor(document, 'cookie')
  const setAndProbe = (text) => {
    set(text)
    // The other page probes from beginning to end before this one reads.
    if (found.length) return
    found.push(null)
    const session = globalThis.sessionStorage
    globalThis.sessionStorage = makeArea()
    found[0] = open().domain
    globalThis.sessionStorage = session
  }
  Object.defineProperty(document, 'cookie', { set: setAndProbe })
  found.push(open().domain)
  assert.deepEqual(found, ['rdio.test', 'rdio.test'])
})
