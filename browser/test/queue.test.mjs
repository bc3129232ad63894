import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserGlobals, load, makeArea } from './load.mjs'

const { openQueue } = await load('queue')
const { localStorage } = browserGlobals

test('calls are listed in order, whichever tab put them there, and leave singly', () => {
  const one = openQueue('k', true)
  const other = openQueue('k', true)
  one.put('2', 'b')
  other.put('1', 'a')
  one.put('3', 'c')
  assert.deepEqual(other.list(), ['1', '2', '3'])
  other.remove('2')
  assert.deepEqual(one.list(), ['1', '3'])
  assert.equal(one.get('3'), 'c')
  assert.equal(one.get('2'), undefined)
})

test('write keys do not see each other', () => {
  openQueue('a', true).put('1', 'x')
  assert.deepEqual(openQueue('b', true).list(), [])
})

test('a full localStorage costs no call', () => {
  for (const areas of [[makeArea(40)], [makeArea(0), makeArea(0)]]) {
    globalThis.localStorage = areas[0]
    globalThis.sessionStorage = areas[1] ?? makeArea()
    const queue = openQueue('k', true)
    for (let call = 1; call < 10; call++) queue.put('' + call, 'text of the call')
    assert.equal(queue.list().length, 9)
    for (const id of queue.list()) assert.equal(queue.get(id), 'text of the call')
  }
  globalThis.localStorage = localStorage
})

test("a queue that grows without end stops using the site's storage, and still keeps every call", () => {
  globalThis.localStorage = makeArea()
  globalThis.sessionStorage = makeArea()
  const queue = openQueue('k', true)
  for (let call = 0; call < 2100; call++) queue.put('' + call, 'x')
  assert.equal(queue.list().length, 2100)
  assert.equal(Object.keys(globalThis.localStorage).length, 1000)
})
