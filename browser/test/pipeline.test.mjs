import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { makePipeline } = await load('pipeline')
const { makeContext } = await load('call-context')
const { isPromise } = await load('sooner')
const event = (over) => ({
  type: 'track',
  messageId: 'm',
  event: 'E',
  properties: {},
  integrations: {},
  context: {},
  ...over,
})
const before = (pipeline, over) => pipeline.before(makeContext(event(over)))

test('plugins that answer at once are over before the call returns', () => {
  const pipeline = makePipeline(() => ({ queue: {} }))
  pipeline.api.addSourceMiddleware(({ payload, next }) => {
    payload.obj.properties.one = 1
    next(payload)
  })
  pipeline.api.register({
    name: 'p',
    type: 'enrichment',
    track: (context) => (context.updateEvent('properties.two', 2), context),
  })
  const result = before(pipeline)
  assert.equal(isPromise(result), false)
  assert.deepEqual(result.event.properties, { one: 1, two: 2 })
})

test('middleware that does not call next, or passes null, drops the call', () => {
  for (const middleware of [() => {}, ({ next }) => next(null)]) {
    const pipeline = makePipeline(() => ({ queue: {} }))
    pipeline.api.addSourceMiddleware(middleware)
    assert.equal(before(pipeline), null)
  }
})

test('asynchronous middleware is waited for, in order', async () => {
  const pipeline = makePipeline(() => ({ queue: {} }))
  const seen = []
  pipeline.api.addSourceMiddleware(async ({ payload, next }) => {
    await null
    seen.push(1)
    next(payload)
  })
  pipeline.api.addSourceMiddleware(({ payload, next }) => {
    seen.push(2)
    next(payload)
  })
  assert.equal((await before(pipeline)).event.event, 'E')
  assert.deepEqual(seen, [1, 2])
})

test('a before plugin that throws drops the call, an enrichment does not, cancel always does', (t) => {
  t.mock.method(console, 'error', () => {})
  const fails = () => {
    throw new Error('plugin')
  }
  const run = (plugin) => {
    const pipeline = makePipeline(() => ({ queue: {} }))
    pipeline.api.register({ name: 'p', ...plugin })
    return before(pipeline)
  }
  assert.equal(run({ type: 'before', track: fails }), null)
  assert.equal(run({ type: 'enrichment', track: fails }).event.event, 'E')
  assert.equal(run({ type: 'enrichment', track: (context) => context.cancel() }), null)
  assert.equal(console.error.mock.callCount(), 2)
})

test('calls wait for a plugin that loads asynchronously; one whose load fails is left out', async (t) => {
  t.mock.method(console, 'error', () => {})
  const analytics = { queue: {} }
  const pipeline = makePipeline(() => analytics)
  let handed
  const registered = pipeline.api.register(
    {
      name: 'slow',
      type: 'enrichment',
      load: async (_, analytics) => {
        await null
        handed = analytics
      },
      track: (context) => (context.updateEvent('properties.slow', true), context),
    },
    {
      name: 'bad',
      type: 'enrichment',
      load: () => Promise.reject(new Error('load')),
      track: () => assert.fail('runs'),
    },
  )
  await registered
  const result = before(pipeline)
  assert.equal(isPromise(result), false)
  assert.equal(result.event.properties.slow, true)
  assert.equal(handed, analytics)
})

test('destinations get their own copy, through their own middleware, unless integrations say no', () => {
  const pipeline = makePipeline(() => ({ queue: {} }))
  const heard = []
  const destination = (name) => ({
    name,
    type: 'destination',
    track: (context) => void heard.push([name, context.event.properties]),
  })
  pipeline.api.register(destination('A'), destination('B'), destination('C'))
  pipeline.api.addDestinationMiddleware('a', ({ payload, next, integration }) => {
    payload.obj.properties.for = integration
    next(payload)
  })
  pipeline.api.addDestinationMiddleware(
    '*',
    ({ payload, next }) => payload.obj.properties.for != 'nobody' && next(payload),
  )
  const context = makeContext(event({ integrations: { All: false, A: true, B: {} } }))
  pipeline.after(context)
  assert.deepEqual(heard, [
    ['A', { for: 'A' }],
    ['B', {}],
  ])
  assert.deepEqual(context.event.properties, {})
})

test('a deregistered plugin is unloaded and hears no more', () => {
  const pipeline = makePipeline(() => ({ queue: {} }))
  let unloaded = 0
  pipeline.api.register({
    name: 'p',
    type: 'before',
    track: () => assert.fail('runs'),
    unload: () => unloaded++,
  })
  pipeline.api.deregister('p')
  assert.equal(unloaded, 1)
  assert.ok(before(pipeline))
})

for (const [what, track] of [
  ['a text', () => 'yes'],
  ['an object that is no context', () => ({ ok: true })],
  ['the context without its message', (context) => Object.assign(context, { event: undefined })],
  ['a message that is a text', (context) => Object.assign(context, { event: 'gone' })],
  ['the message without its switches', (context) => (delete context.event.integrations, context)],
]) {
  test('a plugin that answers ' + what + ' costs neither the call nor what stands behind it', () => {
    const pipeline = makePipeline(() => ({ queue: {} }))
    for (const type of ['before', 'enrichment', 'enrichment']) pipeline.api.register({ name: type, type, track })
    pipeline.api.register({ name: 'last', type: 'enrichment', track: ({ event }) => void (event.properties.last = true) })
    const { event } = before(pipeline, { integrations: { All: false } })
    assert.deepEqual([event.messageId, event.properties, event.integrations], ['m', { last: true }, { All: false }])
  })
}

test('a plugin whose ready or unload throws holds up nobody', async () => {
  const queue = {}
  const pipeline = makePipeline(() => ({ queue }))
  const fail = () => {
    throw new Error('no')
  }
  pipeline.api.register({ name: 'odd', type: 'enrichment', ready: fail, unload: fail }, { name: 'late', type: 'enrichment', ready: () => Promise.reject(1) })
  await pipeline.ready()
  await pipeline.api.deregister('odd')
  assert.deepEqual(queue.plugins.map(({ name }) => name), ['late'])
})
