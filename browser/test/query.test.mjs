import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { runQueryString } = await load('query')
const run = (text, allowed, known = null, own = 'own') => {
  const calls = []
  const note =
    (name) =>
    (...args) =>
      calls.push([name, ...args])
  runQueryString(text, allowed, {
    user: () => ({ id: () => known, anonymousId: () => own }),
    setAnonymousId: note('setAnonymousId'),
    identify: note('identify'),
    track: note('track'),
  })
  return calls
}
const all =
  'https://x.test/?ajs_event=Clicked+it&ajs_prop_item=T%26shirt&ajs_uid=u1&ajs_trait_plan=Free&ajs_aid=a1&o=1'

test('the three calls are made in their order, + is a space, values are texts', () => {
  assert.deepEqual(run(all), [
    ['setAnonymousId', 'a1'],
    ['identify', 'u1', { plan: 'Free' }],
    ['track', 'Clicked it', { item: 'T&shirt' }],
  ])
})
test('a query behind the hash counts', () => {
  assert.deepEqual(run('https://x.test/#/route?ajs_uid=u1'), [['identify', 'u1', {}]])
})
test('false forbids, patterns allow', () => {
  assert.deepEqual(run(all, false), [])
  assert.deepEqual(
    run(all, { aid: /^b/, uid: /^u/ }).map(([name]) => name),
    ['identify', 'track'],
  )
})
test('an address without them makes no call, however it is spelled', () => {
  for (const text of ['', 'https://x.test/', 'https://x.test/?q=%E0%A4%A', 'x?&&=&?'])
    assert.deepEqual(run(text), [])
})

test('a link makes nobody else of a visitor who is identified; their own link goes on working', () => {
  const warned = []
  const { warn } = console
  console.warn = (text) => void warned.push(text)
  for (const [query, made] of [
    ['ajs_uid=u2', []],
    ['ajs_uid=u2&ajs_trait_email=mine%40x.test', []],
    ['ajs_uid=U1', []],
    ['ajs_uid=u1+', []],
    ['ajs_uid=u1&ajs_uid=u2', []],
    ['ajs_aid=a2', []],
    ['ajs_aid=a2&ajs_uid=u2', []],
    ['ajs_aid=a2&ajs_uid=u1', [['identify', 'u1', {}]]],
    ['ajs_uid=u1&ajs_trait_plan=Pro', [['identify', 'u1', { plan: 'Pro' }]]],
    ['ajs_aid=own', [['setAnonymousId', 'own']]],
    ['ajs_uid=u2&ajs_event=Opened', [['track', 'Opened', {}]]],
    ['ajs_uid=', []],
    ['ajs_uid=null', []],
    ['#?ajs_uid=u2', []],
  ])
    assert.deepEqual(run('https://x.test/?' + query, undefined, 'u1'), made, query)
  console.warn = warn
  assert.equal(warned.length, 12)
  assert.match(warned[0], /^Onym: .*u2$/)
})
