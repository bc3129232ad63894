import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserGlobals, load } from './load.mjs'

const { readCall } = await load('stub')
/** Each page has a library of its own. */
const takeKept = async (own, key = 'k') => (await load('stub')).takeKept(own, key)
const { localStorage } = browserGlobals
const noted = (id) => ({ __t: 'bpc', p: '/', u: 'https://x.test/', s: '', t: 'T', r: '', d: 5, i: id })
const keep = (name, calls) => (localStorage['onym-early:k:' + name] = JSON.stringify(calls))

test('what the snippet noted comes off the arguments; a call without it has none', async () => {
  const note = noted('m1')
  const [method, args, [at, id, key], page] = readCall(['track', 'A', { a: 1 }, note])
  assert.deepEqual([method, args, at, id, page], ['track', ['A', { a: 1 }], 5, 'm1', note])
  assert.ok(key.startsWith('m1-'))
  assert.deepEqual(readCall(['track', 'A', { a: 1 }]), ['track', ['A', { a: 1 }], undefined, undefined])
  assert.deepEqual(readCall(['reset']), ['reset', [], undefined, undefined])
  const { d, i, ...segments } = note
  assert.deepEqual(readCall(['page', segments]), ['page', [], undefined, segments])
})

test("what other pages left comes first, oldest first, then this page's own; storage is empty after", async () => {
  keep('2', [['track', 'B', noted('b')]])
  keep('1', [['track', 'A', noted('a')]])
  keep('9', [['track', 'C', noted('c')]])
  const own = Object.assign([['track', 'C', noted('c')]], { _kept: 'onym-early:k:9' })
  assert.deepEqual(
    (await takeKept(own)).map((call) => call[1]),
    ['A', 'B', 'C'],
  )
  assert.deepEqual(Object.keys(localStorage), [])
})

test('own calls are made also when the storage was emptied, or another tab took them over: the messageId is the same', async () => {
  const own = Object.assign([['track', 'C', noted('c')]], { _kept: 'onym-early:k:gone' })
  assert.deepEqual((await takeKept(own)).length, 1)
  assert.deepEqual((await takeKept([['track', 'D']])).length, 1)
})

test('spoilt storage costs nothing else', async () => {
  localStorage['onym-early:k:0'] = '{'
  keep('1', [['track', 'A', noted('a')]])
  assert.deepEqual(
    (await takeKept([])).map((call) => call[1]),
    ['A'],
  )
})

test('another write key gets none of them', async () => {
  for (const key of ['k1', 'k2', 'k1:x']) localStorage['onym-early:' + encodeURIComponent(key) + ':1'] = `[["track","${key}"]]`
  assert.deepEqual(await takeKept([], 'k1'), [['track', 'k1']])
  assert.deepEqual(await takeKept([], 'k1:x'), [['track', 'k1:x']])
  assert.deepEqual(Object.keys(localStorage), ['onym-early:k2:1'])
})
