import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserGlobals, load } from './load.mjs'

const { readCall, takeKept } = await load('stub')
const { localStorage } = browserGlobals
const noted = (id) => ({ __t: 'bpc', p: '/', u: 'https://x.test/', s: '', t: 'T', r: '', d: 5, i: id })
const keep = (name, calls) => (localStorage['onym-stub:' + name] = JSON.stringify(calls))

test('what the snippet noted comes off the arguments; a call without it has none', () => {
  const note = noted('m1')
  const [method, args, [at, id, key], page] = readCall(['track', 'A', { a: 1 }, note])
  assert.deepEqual([method, args, at, id, page], ['track', ['A', { a: 1 }], 5, 'm1', note])
  assert.ok(key.startsWith('m1-'))
  assert.deepEqual(readCall(['track', 'A', { a: 1 }]), ['track', ['A', { a: 1 }], undefined, undefined])
  assert.deepEqual(readCall(['reset']), ['reset', [], undefined, undefined])
  const { d, i, ...segments } = note
  assert.deepEqual(readCall(['page', segments]), ['page', [], undefined, segments])
})

test("what other pages left comes first, oldest first, then this page's own; storage is empty after", () => {
  keep('2', [['track', 'B', noted('b')]])
  keep('1', [['track', 'A', noted('a')]])
  keep('9', [['track', 'C', noted('c')]])
  const own = Object.assign([['track', 'C', noted('c')]], { _kept: 'onym-stub:9' })
  assert.deepEqual(
    takeKept(own).map((call) => call[1]),
    ['A', 'B', 'C'],
  )
  assert.deepEqual(Object.keys(localStorage), [])
})

test('own calls are made also when the storage was emptied, or another tab took them over: the messageId is the same', () => {
  const own = Object.assign([['track', 'C', noted('c')]], { _kept: 'onym-stub:gone' })
  assert.deepEqual(takeKept(own).length, 1)
  assert.deepEqual(takeKept([['track', 'D']]).length, 1)
})

test('spoilt storage costs nothing else', () => {
  localStorage['onym-stub:0'] = '{'
  keep('1', [['track', 'A', noted('a')]])
  assert.deepEqual(
    takeKept([]).map((call) => call[1]),
    ['A'],
  )
})

test('another write key gets none of them', () => {
  for (const key of ['k1', 'k2', 'k1:x']) localStorage['onym-early:' + encodeURIComponent(key) + ':1'] = `[["track","${key}"]]`
  assert.deepEqual(takeKept([], 'k1'), [['track', 'k1']])
  assert.deepEqual(takeKept([], 'k1:x'), [['track', 'k1:x']])
  assert.deepEqual(Object.keys(localStorage), ['onym-early:k2:1'])
})
