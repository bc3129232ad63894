// Middleware and plugins in a page.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, visit, test } from './setup.mjs'

afterEach(() => (recorder.fault = null))

test('source middleware changes and drops calls, those made before load included', async () => {
  const script = `
    analytics.track('before load')
    analytics.addSourceMiddleware(({ payload, next }) => {
      if (payload.obj.event == 'secret') return
      payload.obj.context.seen = true
      next(payload)
    })
    analytics.track('secret')`
  const visitor = await visit('/', { script })
  await visitor.run(() => analytics.track('later'))
  const messages = await visitor.sent(2)
  assert.deepEqual(
    messages.map((m) => [m.event, m.context.seen]),
    [
      ['before load', true],
      ['later', true],
    ],
  )
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  await visitor.close()
})

test('plugins of every type hear what is theirs', async () => {
  const visitor = await visit()
  const heard = await visitor.run(async () => {
    const heard = []
    await analytics.register(
      {
        name: 'rename',
        type: 'before',
        track: (ctx) => (ctx.updateEvent('event', ctx.event.event + '!'), ctx),
      },
      {
        name: 'enrich',
        type: 'enrichment',
        load: async () => {},
        track: async (ctx) => (ctx.updateEvent('properties.a.b', 1), ctx),
      },
      {
        name: 'Dest',
        type: 'destination',
        ready: async () => heard.push('ready'),
        track: (ctx) => void heard.push(['dest', ctx.event.event, ctx.event.properties]),
      },
      {
        name: 'last',
        type: 'after',
        track: (ctx) => void heard.push(['after', ctx.event.event]),
        unload: () => heard.push('unloaded'),
      },
    )
    analytics.addDestinationMiddleware('Dest', ({ payload, integration, next }) => {
      payload.obj.properties.via = integration
      next(payload)
    })
    await analytics.ready()
    await analytics.track('T')
    await analytics.track('not for Dest', {}, { integrations: { Dest: false } })
    analytics.deregister('last', 'rename')
    await analytics.track('plain')
    return heard
  })
  assert.deepEqual(heard, [
    'ready',
    ['dest', 'T!', { a: { b: 1 }, via: 'Dest' }],
    ['after', 'T!'],
    ['after', 'not for Dest!'],
    'unloaded',
    ['dest', 'plain', { a: { b: 1 }, via: 'Dest' }],
  ])
  assert.deepEqual(
    (await visitor.sent(3)).map((m) => m.event),
    ['T!', 'not for Dest!', 'plain'],
  )
  await visitor.close()
})

const slow = `analytics.addSourceMiddleware(async ({ payload, next }) => {
  await new Promise((resolve) => setTimeout(resolve, 400))
  payload.obj.properties.page = location.pathname
  next(payload)
})`

test('a page left while its plugins are at work: the next page finishes for it', async () => {
  const visitor = await visit('/left', { script: slow })
  visitor.leave(
    (to) => {
      analytics.track('one')
      analytics.track('two')
      location.href = to
    },
    visitor.url('/next', { script: slow }),
  )
  await visitor.page.waitForURL((url) => url.pathname == '/next')
  const messages = await visitor.sent(2, 12_000)
  assert.deepEqual(
    messages.map((m) => [m.event, m.properties.page]),
    [
      ['one', '/next'],
      ['two', '/next'],
    ],
  )
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  await visitor.close()
})

test('calls keep their order behind a slow one', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    analytics.addSourceMiddleware(async ({ payload, next }) => {
      if (payload.obj.event == 'slow') await new Promise((resolve) => setTimeout(resolve, 300))
      next(payload)
    })
    analytics.track('slow')
    analytics.track('fast')
  })
  assert.deepEqual(
    (await visitor.sent(2)).map((m) => m.event),
    ['slow', 'fast'],
  )
  await visitor.close()
})

test('a plugin that throws breaks neither the page nor the other calls', async () => {
  const visitor = await visit()
  await visitor.run(async () => {
    await analytics.register({
      name: 'bad',
      type: 'enrichment',
      track: () => {
        throw new Error('bad')
      },
    })
    await analytics.register({
      name: 'worse',
      type: 'enrichment',
      load: () => Promise.reject(new Error('worse')),
    })
    analytics.track('survives')
  })
  assert.equal((await visitor.sent(1))[0].event, 'survives')
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})
