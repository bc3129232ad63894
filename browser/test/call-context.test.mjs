import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { makeContext, systemContext } = await load('call-context')
const { makeFacade } = await load('facade')
const message = (more) => ({
  type: 'track',
  messageId: 'm1',
  event: 'Signed Up',
  userId: 'u1',
  anonymousId: 'a1',
  properties: { plan: 'Free', deep: { list: [1, 2] } },
  context: { traits: { email: 'kim@example.com' } },
  integrations: { All: true, Ads: false, Map: { id: 1 } },
  ...more,
})

test('a context logs, counts, and forgets both when it is flushed', () => {
  const context = makeContext(message())
  context.log('debug', 'seen', { by: 'me' })
  context.logger.log('error', 'again')
  context.stats.increment('times')
  context.stats.increment('times', 4, ['a'])
  context.stats.gauge('length', 0)
  assert.deepEqual(
    context.logs().map(({ level, message, extras }) => [level, message, extras]),
    [
      ['debug', 'seen', { by: 'me' }],
      ['error', 'again', undefined],
    ],
  )
  assert.ok(context.logs()[0].time instanceof Date)
  assert.deepEqual(
    context.stats.metrics.map(({ metric, value, tags, type }) => [metric, value, tags, type]),
    [
      ['times', 1, [], 'counter'],
      ['times', 4, ['a'], 'counter'],
      ['length', 0, [], 'gauge'],
    ],
  )
  const { id, event, logs, metrics } = JSON.parse(JSON.stringify(context))
  assert.deepEqual([id, event.event, logs.length, metrics.length], ['m1', 'Signed Up', 2, 3])
  context.flush()
  assert.deepEqual([context.logs(), context.stats.metrics], [[], []])
})

test('updateEvent sets by a path, makes what is missing, and leaves alone what the site has switched off', () => {
  const context = makeContext(message())
  context.updateEvent('properties.deep.list', [3])
  context.updateEvent('context.a.b.c', 1)
  context.updateEvent('event', 'Renamed')
  context.updateEvent('integrations.Ads', { id: 2 })
  context.updateEvent('integrations.Ads.id', 2)
  context.updateEvent('integrations.Map.id', 2)
  context.updateEvent('integrations.New', { id: 3 })
  const { event } = context
  assert.deepEqual(event.properties, { plan: 'Free', deep: { list: [3] } })
  assert.deepEqual(event.context.a, { b: { c: 1 } })
  assert.equal(event.event, 'Renamed')
  assert.deepEqual(event.integrations, { All: true, Ads: false, Map: { id: 2 }, New: { id: 3 } })
})

test('cancel throws what it is given, else a cancelation; contexts are the same by their id', () => {
  const context = makeContext(message())
  let thrown
  try {
    context.cancel()
  } catch (error) {
    thrown = error
  }
  assert.deepEqual(thrown, { retry: true, type: 'plugin Error', reason: 'Context Cancel' })
  assert.throws(() => context.cancel(new Error('mine')), /mine/)
  assert.equal(context.isSame(makeContext(message())), true)
  assert.equal(context.isSame(makeContext(message({ messageId: 'm2' }))), false)
  assert.equal(systemContext().event.type, 'track')
})

test('a payload reads as a facade does, what `obj` was replaced by included', () => {
  const payload = makeFacade(message())
  assert.deepEqual(
    [payload.type(), payload.event(), payload.userId(), payload.anonymousId()],
    ['track', 'Signed Up', 'u1', 'a1'],
  )
  assert.deepEqual(payload.properties(), { plan: 'Free', deep: { list: [1, 2] } })
  assert.equal(payload.proxy('properties.deep.list.1'), 2)
  assert.equal(payload.proxy('properties.no.such'), undefined)
  assert.equal(payload.field('event'), 'Signed Up')
  assert.equal(payload.json(), payload.obj)
  assert.equal(payload.json('context.traits.email'), 'kim@example.com')
  assert.deepEqual(payload.traits(), { email: 'kim@example.com' })
  payload.obj = message({ event: 'Other' })
  assert.equal(payload.event(), 'Other')
  const identify = makeFacade({ type: 'identify', traits: { name: 'Kim' }, context: {}, integrations: {} })
  assert.deepEqual(identify.traits(), { name: 'Kim' })
})
