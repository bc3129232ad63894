import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserGlobals, load, makeArea, tell } from './load.mjs'

/** Each page has a library of its own; storage is what the test has put there. */
const openQueue = async (...how) => {
  const { localStorage, sessionStorage } = globalThis
  const { openQueue } = await load('queue')
  if (localStorage) Object.assign(globalThis, { localStorage, sessionStorage })
  return openQueue(...how)
}
const { localStorage: first } = browserGlobals

test('calls are listed in order, whichever tab put them there, and leave singly', async () => {
  const one = await openQueue('k', true)
  const other = await openQueue('k', true)
  one.put('2', 'b')
  other.put('1', 'a')
  tell('storage', { key: 'onym:k:1', newValue: 'a' })
  one.put('3', 'c')
  assert.deepEqual(other.list(), ['1', '2', '3'])
  other.drop('2')
  tell('storage', { key: 'onym:k:2', newValue: null })
  assert.deepEqual(one.list(), ['1', '3'])
  assert.equal(one.get('3'), 'c')
  assert.equal(one.get('2'), undefined)
})

test('write keys do not see each other', async () => {
  (await openQueue('a', true)).put('1', 'x')
  assert.deepEqual((await openQueue('b', true)).list(), [])
})

test('a full localStorage costs no call', async () => {
  for (const areas of [[makeArea(40)], [makeArea(0), makeArea(0)]]) {
    globalThis.localStorage = areas[0]
    globalThis.sessionStorage = areas[1] ?? makeArea()
    const queue = await openQueue('k', true)
    for (let call = 1; call < 10; call++) queue.put('' + call, 'text of the call')
    assert.equal(queue.list().length, 9)
    for (const id of queue.list()) assert.equal(queue.get(id), 'text of the call')
  }
  globalThis.localStorage = first
})

test("a queue that grows without end stops using the site's storage, and still keeps every call", async () => {
  globalThis.localStorage = makeArea()
  globalThis.sessionStorage = makeArea()
  const queue = await openQueue('k', true)
  for (let call = 0; call < 2100; call++) queue.put('' + call, 'x')
  assert.equal(queue.list().length, 2100)
  assert.equal(Object.keys(globalThis.localStorage).length, 1000)
})

const calls = (queue) => queue.list().map((key) => queue.get(key))

test('a page keeps its calls when the site empties the storage, and stores them again', async () => {
  for (const empty of [() => delete localStorage['onym:v:1'], () => (globalThis.localStorage = makeArea())]) {
    globalThis.localStorage = makeArea()
    globalThis.sessionStorage = makeArea()
    const queue = await openQueue('v', true)
    queue.put('1', 'a')
    empty()
    assert.deepEqual(calls(queue), ['a'])
    queue.drop('1')
    assert.deepEqual(calls(queue), [])
  }
  const queue = await openQueue('v', true)
  queue.put('1', 'a')
  delete globalThis.localStorage['onym:v:1']
  queue.list()
  queue.handOver()
  assert.deepEqual(calls(await openQueue('v', true)), ['a'])
})

test('what another tab has sent or forgotten is forgotten here; a cleared storage is not', async () => {
  globalThis.localStorage = makeArea()
  const queue = await openQueue('w', true)
  queue.put('1', 'a')
  queue.put('2', 'b')
  for (const key of ['1', '2']) delete localStorage['onym:w:' + key]
  tell('storage', { key: null, newValue: null })
  tell('storage', { key: 'onym:w:1', newValue: null })
  assert.deepEqual(calls(queue), ['b'])
})

test('a key that begins like another one is another one', async () => {
  (await openQueue('a:b', true)).put('1', 'x')
  assert.deepEqual((await openQueue('a', true)).list(), [])
})

test('where there is room for no more, page views make it, the oldest first', async () => {
  const view = (n) => `{"type":"page","n":${n}}`
  const signUp = '{"type":"track","event":"Signed Up"}'
  globalThis.localStorage = makeArea()
  globalThis.sessionStorage = makeArea()
  const queue = await openQueue('p', true)
  for (let n = 1000; n < 2100; n++) queue.put('' + n, view(n))
  queue.put('3000', signUp)
  queue.put('3001', '~' + signUp)
  assert.equal(localStorage['onym:p:3000'], signUp)
  assert.equal(localStorage['onym:p:3001'], '~' + signUp)
  assert.equal(localStorage['onym:p:1000'], undefined)
  assert.equal(localStorage['onym:p:1001'], undefined)
  assert.equal(localStorage['onym:p:1002'], view(1002))
  assert.equal(Object.keys(localStorage).length, 1000)
  assert.equal(queue.list().length, 1102)
  assert.equal(queue.get('1000'), view(1000))
})

test('the same by bytes', async () => {
  globalThis.localStorage = makeArea(400)
  globalThis.sessionStorage = makeArea(0)
  const queue = await openQueue('b', true)
  for (let n = 1; n < 9; n++) queue.put('' + n, `{"type":"page","text":"${'x'.repeat(60)}"}`)
  queue.put('9', `{"type":"identify","text":"${'x'.repeat(200)}"}`)
  assert.ok(localStorage['onym:b:9'])
  assert.equal(queue.list().length, 9)
})

test('memory has a ceiling, too: page views go first, then the oldest', async () => {
  const queue = await openQueue('m', false)
  queue.put('0', '{"type":"identify"}')
  for (let n = 10000; n < 14000; n++) queue.put('' + n, '{"type":"page"}')
  assert.equal(queue.list().length, 3000)
  assert.ok(queue.get('0'))
})
