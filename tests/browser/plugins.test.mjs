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
  const messages = await visitor.sent(2)
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

test('the object has what plugins and old code for analytics.js reach for', async () => {
  const visitor = await visit('/', { options: { integrations: { Ads: { id: 7 } } } })
  const seen = await visitor.run(async () => {
    const plugin = { name: 'Ads', type: 'destination', load: (context, library) => void (window.handed = [context.event, library]) }
    const failed = []
    analytics.on('initialization_failure', ({ name }) => failed.push(name))
    analytics.queue.on('initialization_failure', ({ name }) => failed.push('queue ' + name))
    const registered = await analytics.register(plugin, {
      name: 'Broken',
      type: 'destination',
      load: () => Promise.reject(new Error('no')),
    })
    const used = []
    const is = (value) => value === analytics
    return {
      chained: [
        is(analytics.on('x', () => {})),
        is(analytics.once('x', () => {})),
        is(analytics.off('x')),
        is(analytics.emit('x')),
        is(analytics.debug(false)),
        is(analytics.use((library) => used.push(is(library)))),
        is(analytics.noConflict()),
        is(await analytics.addSourceMiddleware(({ payload, next }) => next(payload))),
        is(await analytics.addDestinationMiddleware('Ads', ({ payload, next }) => next(payload))),
        is(await analytics.initialize()),
        is(await analytics.init()),
        is(handed[1]),
        ...used,
      ],
      contexts: [registered.event.type, handed[0].type, (await analytics.deregister('Nobody')).event.type],
      plugins: analytics.queue.plugins.map(({ name }) => name),
      failed,
      settings: analytics.settings.cdnSettings.integrations['Segment.io'].apiKey,
      normalized: analytics.normalize({ type: 'track' }),
      missing: ['addIntegrationMiddleware', 'push'].filter((name) => typeof analytics[name] != 'function'),
      plugs: typeof analytics.plugins,
    }
  })
  assert.deepEqual(seen, {
    chained: Array(13).fill(true),
    contexts: ['track', 'track', 'track'],
    plugins: ['Ads'],
    failed: ['Broken', 'queue Broken'],
    settings: 'wk_website',
    normalized: { type: 'track' },
    missing: [],
    plugs: 'object',
  })
  await visitor.close()
})

test('a plugin cancels a call by its own copy of ContextCancelation; an error that it hands to cancel counts as one', async () => {
  const visitor = await visit()
  const logged = await visitor.run(async () => {
    class ContextCancelation {
      retry = false
      type = 'plugin Error'
    }
    const logs = []
    await analytics.register({
      name: 'p',
      type: 'enrichment',
      track(context) {
        context.log('info', 'looked at', { event: context.event.event })
        context.stats.increment('looked')
        if (context.event.event == 'a') throw new ContextCancelation()
        if (context.event.event == 'b') context.cancel()
        return context
      },
    })
    analytics.track('a')
    analytics.track('b')
    const context = await analytics.track('c')
    logs.push(context.logs().map(({ message }) => message), context.stats.metrics.length, context.event.event)
    return logs
  })
  assert.deepEqual(logged, [['looked at'], 1, 'c'])
  assert.deepEqual(
    (await visitor.sent(1)).map((message) => message.event),
    ['c'],
  )
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('visitors of RudderStack and Jitsu keep their ids where the option says so, and only new visitors here', async () => {
  const value = encodeURIComponent('RS_ENC_v3_' + Buffer.from('"rudder-1"').toString('base64'))
  for (const [options, cookies, wanted] of [
    [{ takeOver: ['rudderstack', 'jitsu'] }, { rl_anonymous_id: value }, 'rudder-1'],
    [{ takeOver: ['jitsu'] }, { rl_anonymous_id: value, __eventn_id: 'jitsu-1' }, 'jitsu-1'],
    [{ takeOver: ['rudderstack'] }, { rl_anonymous_id: value, ajs_anonymous_id: 'ours' }, 'ours'],
  ]) {
    const set = Object.entries(cookies).map(([name, text]) => `document.cookie = '${name}=${text}; path=/'`)
    const visitor = await visit('/', { options, head: `<script>${set.join(';')}</script>`, script: 'analytics.track("a")' })
    assert.deepEqual(
      (await visitor.sent(1)).map((message) => message.anonymousId),
      [wanted],
    )
    assert.match(await visitor.run(() => document.cookie), new RegExp('ajs_anonymous_id=' + wanted))
    await visitor.close()
  }
})
