import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { joinTwins } = await load('twins')

/** What becomes of calls of these ids, and who is told to be the user. */
const join = ({ twins, unsent, anonymousId = 'kept', userId = null, calls }) => {
  const waiting = new Map(calls)
  const visitor = {
    unsent,
    user: { anonymousId: () => anonymousId, id: () => userId },
    twins: { get: () => twins, set: (text) => (twins = text) },
  }
  const aliases = []
  const queue = { list: () => [...waiting.keys()], get: (key) => waiting.get(key), put: (key, text) => waiting.set(key, text) }
  joinTwins(visitor, queue, { alias: (to, from, { messageId }) => aliases.push([to, from, messageId]) })
  return [[...waiting.values()], aliases, twins]
}
const calls = [['1', '{"anonymousId":"given"}'], ['2', '~{"anonymousId":"given"}'], ['3', '{"anonymousId":"other"}']]
const moved = ['{"anonymousId":"kept"}', '~{"anonymousId":"kept"}', '{"anonymousId":"other"}']

test('an id under which nothing was sent leaves no trace', () => {
  assert.deepEqual(join({ twins: ' given kept', unsent: 'given', calls }), [moved, [], null])
})
test('an id that may have been sent is kept until the visitor is known', () => {
  assert.deepEqual(join({ twins: ' given kept', calls }), [moved, [], 'given kept'])
  assert.deepEqual(join({ twins: ' given kept', calls, userId: '12345' }), [moved, [['12345', 'given', 'twins-given-kept']], null])
})
test('three at once', () => {
  const twins = ' given then then kept'
  assert.deepEqual(join({ twins, calls, userId: 'u' }), [moved, [['u', 'given', 'twins-given-kept'], ['u', 'then', 'twins-then-kept']], null])
})
test('after a log-out they are nobody', () => {
  const left = calls.map(([, text]) => text)
  assert.deepEqual(join({ twins: ' given kept', anonymousId: 'new', userId: 'u2', calls }), [left, [], null])
})
test('a third one that was made at once has the visitor, and has not been noted yet', () => {
  const [one, other, third] = ['6b0c59a2', '6b0c59a3', '6b0c59a4'].map((second) => second + '-8dc1-476e-a3b4-d443eb224cee')
  const aliases = [one, other].map((id) => ['u', id, `twins-${id}-${third}`])
  assert.deepEqual(join({ twins: one + ' ' + other, anonymousId: third, userId: 'u', calls: [] }), [[], aliases, null])
})
