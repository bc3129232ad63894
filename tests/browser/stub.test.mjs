// How the library takes over from a stub, its own or Segment's.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, visit, test } from './setup.mjs'

afterEach(() => {
  recorder.fault = null
  recorder.scriptGate = null
})

const script = `
  analytics.track('A')
  analytics.identify('u1')
  analytics.track('B')
  analytics.page('P')
  analytics.reset()
  analytics.track('C')`

for (const lib of ['onym', 'switched']) {
  test(`calls made before load are replayed in true order, with their page (${lib} snippet)`, async () => {
    let open
    recorder.scriptGate = new Promise((resolve) => (open = resolve))
    const visitor = await visit('/early', { lib, script }, { waits: false })
    await visitor.run(() => history.pushState({}, '', '/later'))
    open()
    const messages = await visitor.sent(5)
    assert.deepEqual(
      messages.map((m) => [m.event ?? m.type, m.userId, m.context.page.path]),
      [
        ['A', undefined, '/early'],
        ['identify', 'u1', '/early'],
        ['B', 'u1', '/early'],
        ['page', 'u1', '/early'],
        ['C', undefined, '/early'],
      ],
    )
    assert.deepEqual([...visitor.arrivals()].sort(), visitor.arrivals())
    assert.equal(messages.length, visitor.arrivals().length)
    await eventually(async () => !(await visitor.waiting()).length, 'nothing is kept')
    await visitor.close()
  })
}

test('calls that the library never came for go out from the next page, before its own', async () => {
  recorder.fault = (path) => (path.startsWith('/analytics.js') ? 'down' : null)
  const visitor = await visit('/lost', { script }, { waits: false })
  await eventually(async () => (await visitor.waiting()).length == 1, 'the stub has kept them')
  await visitor.page.goto(visitor.url('/still-lost', { script: 'analytics.track("D")' }))
  recorder.fault = null
  await visitor.page.goto(visitor.url('/found', { script: 'analytics.track("E")' }))
  await visitor.loaded()
  const messages = await visitor.sent(7)
  assert.deepEqual(
    messages.map((m) => [m.event ?? m.type, m.userId, m.context.page.path]),
    [
      ['A', undefined, '/lost'],
      ['identify', 'u1', '/lost'],
      ['B', 'u1', '/lost'],
      ['page', 'u1', '/lost'],
      ['C', undefined, '/lost'],
      ['D', undefined, '/still-lost'],
      ['E', undefined, '/found'],
    ],
  )
  assert.equal(visitor.arrivals().length, 7)
  await eventually(async () => !(await visitor.waiting()).length, 'nothing is kept')
  await visitor.close()
})

test("two tabs that load at once do not make each other's early calls twice", async () => {
  let open
  recorder.scriptGate = new Promise((resolve) => (open = resolve))
  const one = await visit('/one', { script: 'analytics.track("one")' }, { waits: false })
  const two = await visit(
    '/two',
    { script: 'analytics.track("two")' },
    { waits: false, context: one.context },
  )
  open()
  await one.loaded()
  await two.loaded()
  const messages = await one.sent(2)
  assert.deepEqual(messages.map((m) => m.event).sort(), ['one', 'two'])
  assert.equal((await one.sent(3, 500)).length, 2)
  await one.close()
})

test('functions kept from before the load find the library behind the stub', async () => {
  const visitor = await visit('/', {
    script: 'window.kept = analytics.track; analytics.ready(() => (window.isReady = true))',
  })
  await visitor.run(() => window.kept('through the stub'))
  assert.equal((await visitor.sent(1))[0].event, 'through the stub')
  await eventually(() => visitor.run(() => window.isReady), 'ready was called')
  await visitor.close()
})

test('another global name, and a script tag without any stub', async () => {
  const tag = (attributes) =>
    `<script ${attributes} src="${recorder.url}/analytics.js/v1/wk_website/analytics.min.js"></script>`
  const named = await visit('/', { lib: 'none', head: tag('data-global-segment-analytics-key="metrics"') })
  await named.run(() => metrics.track('by another name'))
  assert.equal((await named.sent(1))[0].event, 'by another name')
  assert.equal(await named.run(() => typeof analytics), 'undefined')
  const bare = await visit('/', { lib: 'none', head: tag('') + tag('') })
  await bare.run(() => analytics.track('without a stub'))
  const [message] = await bare.sent(1)
  assert.deepEqual([message.event, message.writeKey], ['without a stub', 'wk_website'])
  await named.close()
  await bare.close()
})
