import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { mark, markTime, uuid } = await load('mark')

test('marks sort in the order of the calls, within one millisecond and when the clock is set back', () => {
  const times = [
    1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_001, 1_600_000_000_000, 1_700_000_000_002,
  ]
  const marks = times.map((time) => mark(time))
  const ids = marks.map(([, id]) => id)
  assert.deepEqual([...ids].sort(), ids)
  // The time that goes out is the clock's own.
  assert.deepEqual(marks.map(([at]) => at), times)
  assert.deepEqual(marks.map(([, id]) => markTime(id)), [times[0], times[0], times[2], times[2], times[4]])
})

test('a mark is at most 100 characters, the limit of a messageId', () => {
  assert.ok(mark()[1].length <= 100)
})

test('uuids are of version 4 and differ', () => {
  const ids = Array.from({ length: 1000 }, uuid)
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(new Set(ids).size, 1000)
})
