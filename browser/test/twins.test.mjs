import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { joinTwins } = await load('twins')

/** What becomes of calls of these ids, who is told to be the user, and what stays noted. */
const join = ({ notes, anonymousId = 'kept', userId = null, calls }) => {
  const waiting = new Map(calls)
  const left = new Map(notes)
  const cookie = { read: (name) => left.get(name.slice(11)) ?? null, write: (name) => left.delete(name.slice(11)) }
  const twins = () => (notes.length ? notes.map(([id]) => 'onym_twins_' + id) : null)
  const visitor = { user: { anonymousId: () => anonymousId, id: () => userId }, twins, cookie }
  const aliases = []
  const queue = { list: () => [...waiting.keys()], get: (key) => waiting.get(key), put: (key, text) => waiting.set(key, text) }
  joinTwins(visitor, queue, { alias: (to, from, { messageId }) => aliases.push([to, from, messageId]) })
  return [[...waiting.values()], aliases, [...left]]
}
const calls = [['1', '{"anonymousId":"given"}'], ['2', '~{"anonymousId":"given"}'], ['3', '{"anonymousId":"other"}']]
const moved = ['{"anonymousId":"kept"}', '~{"anonymousId":"kept"}', '{"anonymousId":"other"}']

test('an id that may have been sent is kept until the visitor is known', () => {
  const notes = [['given', 'kept']]
  assert.deepEqual(join({ notes, calls }), [moved, [], notes])
  assert.deepEqual(join({ notes, calls, userId: '12345' }), [moved, [['12345', 'given', 'twins-given-kept']], []])
})
test('three at once, one behind the other or side by side', () => {
  const aliases = [['u', 'given', 'twins-given-kept'], ['u', 'then', 'twins-then-kept']]
  for (const notes of [[['given', 'then'], ['then', 'kept']], [['given', 'kept'], ['then', 'kept']], [['given', 'then'], ['kept', 'then']]])
    assert.deepEqual(join({ notes, calls, userId: 'u' }).map((part, at) => (at == 1 ? part.sort() : part)), [moved, aliases, []])
})
test('after a log-out they are nobody, and the next visitor has their own alone', () => {
  const left = calls.map(([, text]) => text)
  assert.deepEqual(join({ notes: [['given', 'kept']], anonymousId: 'new', userId: 'u2', calls }), [left, [], []])
  assert.deepEqual(join({ notes: [['given', 'kept']], anonymousId: 'new', calls }), [left, [], []])
  const notes = [['given', 'kept'], ['newer', 'new']]
  assert.deepEqual(join({ notes, anonymousId: 'new', userId: 'u2', calls }), [left, [['u2', 'newer', 'twins-newer-new']], []])
})
test('a third one that was made at once has the visitor, and has not been noted yet', () => {
  const [one, other, third] = ['3a02', '61b1', '9f40'].map((ms) => `019b0a3e-${ms}-476e-a3b4-d443eb224cee`)
  const aliases = [one, other].map((id) => ['u', id, `twins-${id}-${third}`])
  assert.deepEqual(join({ notes: [[one, other]], anonymousId: third, userId: 'u', calls: [] }), [[], aliases, []])
})
test('what another page has dealt with meanwhile, and what is of others, costs nothing', () => {
  assert.deepEqual(join({ notes: [['given', null], ['other-visitors', 'x']], userId: 'u', calls }), [calls.map(([, text]) => text), [], []])
})
test('another page logs out, and in as somebody else, between any two looks of this one: they are not told of each other', () => {
  for (const before of [null, 'u1'])
    for (let looks = 0; looks < 4; looks++) {
      const notes = [['given', 'kept']]
      let looked = 0
      const seen = (old, now) => (looked++ < looks ? old : now)
      const visitor = {
        user: { anonymousId: () => seen('kept', 'new'), id: () => seen(before, 'u2') },
        twins: () => notes.map(([id]) => 'onym_twins_' + id),
        cookie: { read: () => 'kept', write() {} },
      }
      const told = []
      joinTwins(visitor, { list: () => [] }, { alias: (to, from) => told.push([to, from]) })
      assert.ok(told.every(([to]) => to == before), `${before}, after ${looks} looks: ${JSON.stringify(told)}`)
    }
})
