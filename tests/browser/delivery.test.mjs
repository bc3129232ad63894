// What happens between the queue and the server: batches, refusals, retries, and nothing out of order.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, visit, test } from './setup.mjs'

afterEach(() => (recorder.fault = null))

const posts = (since) => recorder.requests.slice(since).filter(({ path }) => path == '/v1/b')

test('a burst of calls is one request; no preflight, the write key in the body', async () => {
  const visitor = await visit()
  const since = recorder.requests.length
  const preflights = []
  visitor.page.on('request', (request) => request.method() == 'OPTIONS' && preflights.push(request.url()))
  await visitor.run(() => {
    for (let call = 0; call < 20; call++) analytics.track('burst', { call })
  })
  const messages = await visitor.sent(20)
  assert.deepEqual(
    messages.map((m) => m.properties.call),
    Array.from({ length: 20 }, (_, call) => call),
  )
  assert.equal(posts(since).length, 1)
  assert.match(posts(since)[0].headers['content-type'], /^text\/plain/)
  assert.equal(posts(since)[0].headers.authorization, undefined)
  assert.equal(messages[0].writeKey, 'wk_website')
  assert.deepEqual(preflights, [])
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  await visitor.close()
})

test('a call is in storage before the function returns, and until the server has answered', async () => {
  let answer
  recorder.fault = (path) =>
    path == '/v1/b' ? { status: 200, delay_ms: 300, body: '{"success":true}' } : null
  const visitor = await visit()
  const kept = await visitor.run(() => {
    const keys = () => Object.keys(localStorage).filter((key) => key.startsWith('onym:wk_website:'))
    const before = keys().length
    analytics.track('kept')
    return [before, keys().length, JSON.parse(localStorage[keys()[0]]).event]
  })
  assert.deepEqual(kept, [0, 1, 'kept'])
  await eventually(() => posts(0).length > 0, 'a request')
  assert.equal((await visitor.waiting()).length, 1)
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty after the answer')
  assert.equal(answer, undefined)
  await visitor.close()
})

test('a backlog goes out in order, in batches of at most 100 and within the limit of a batch', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? { status: 503 } : null)
  const visitor = await visit()
  await visitor.run(() => {
    for (let call = 0; call < 250; call++)
      analytics.track('backlog', { call, text: 'x'.repeat(call < 100 ? 10 : 3000) })
  })
  const since = recorder.requests.length
  recorder.fault = null
  await visitor.page.reload()
  const messages = await visitor.sent(250, 20_000)
  assert.deepEqual(
    messages.map((m) => m.properties.call),
    Array.from({ length: 250 }, (_, call) => call),
  )
  for (const { bytes } of posts(since)) assert.ok(bytes < 480_000, bytes + ' bytes')
  await visitor.close()
})

for (const status of [500, 503, 429, 408, 410, 460]) {
  test(`${status} is tried again until it is taken`, async () => {
    let refusals = 2
    recorder.fault = (path) => (path == '/v1/b' && refusals-- > 0 ? { status } : null)
    const visitor = await visit()
    await visitor.run(() => analytics.track('again'))
    assert.equal((await visitor.sent(1)).length, 1)
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    await visitor.close()
  })
}

test('waits grow from one try to the next, and Retry-After is obeyed', async () => {
  const visitor = await visit()
  const times = []
  recorder.fault = (path) => {
    if (path != '/v1/b') return null
    times.push(Date.now())
    return times.length == 4
      ? { status: 429, headers: { 'retry-after': '2' } }
      : times.length < 5
        ? { status: 503 }
        : null
  }
  await visitor.run(() => analytics.track('again'))
  await visitor.sent(1, 15_000)
  const waits = times.slice(1).map((time, index) => time - times[index])
  assert.ok(waits[0] >= 240 && waits[0] < 1500, 'first wait ' + waits[0])
  assert.ok(waits[1] >= 490, 'second wait ' + waits[1])
  assert.ok(waits[2] >= 990, 'third wait ' + waits[2])
  assert.ok(waits[3] >= 1990, 'Retry-After ' + waits[3])
  await visitor.close()
})

test('a call that the server refuses for good is dropped alone, and told to the page', async () => {
  const visitor = await visit()
  // The recorder refuses any body that holds the bad call, as a server does with one that is too large.
  recorder.faultBody = (body) => (body.includes('"bad"') ? { status: 413 } : null)
  await visitor.run(() => {
    window.refused = []
    analytics.on('error', (error) => window.refused.push([error.code, error.status]))
    for (let call = 0; call < 9; call++) analytics.track(call == 5 ? 'bad' : 'good', { call })
  })
  const messages = await visitor.sent(8)
  recorder.faultBody = null
  assert.deepEqual(
    messages.map((m) => m.properties.call),
    [0, 1, 2, 3, 4, 6, 7, 8],
  )
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  assert.deepEqual(await visitor.run(() => window.refused), [['delivery_failure', 413]])
  await visitor.close()
})

test('offline calls leave when the browser is online again, without a reload', async () => {
  const visitor = await visit()
  await visitor.context.setOffline(true)
  await visitor.run(() => analytics.track('offline'))
  await eventually(async () => (await visitor.waiting()).length == 1, 'it waits')
  await visitor.context.setOffline(false)
  assert.equal((await visitor.sent(1))[0].event, 'offline')
  await visitor.close()
})

test('an answer lost on the way makes no second call', async () => {
  const visitor = await visit()
  let lost = 1
  recorder.fault = (path) => (path == '/v1/b' && lost-- > 0 ? 'lost' : null)
  await visitor.run(() => analytics.track('once'))
  await eventually(() => visitor.arrivals().length == 2, 'it arrives twice')
  assert.equal(new Set(visitor.arrivals()).size, 1)
  await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
  await visitor.close()
})

test('calls in pagehide and unload leave by beacon', async () => {
  const visitor = await visit()
  await visitor.run(() => {
    addEventListener('pagehide', () => analytics.track('in pagehide'))
    addEventListener('unload', () => analytics.track('in unload'))
  })
  await visitor.page.goto('about:blank')
  const events = (await visitor.sent(2, 3000)).map((m) => m.event)
  // Chromium may skip unload handlers; the call in pagehide it always makes.
  assert.equal(events[0], 'in pagehide')
  await visitor.close()
})

test('the page is not held up: the script is asynchronous, and a slow server slows nothing', async () => {
  recorder.fault = (path) => (path.startsWith('/analytics.js') ? { delay_ms: 1500 } : null)
  const start = Date.now()
  const visitor = await visit('/', {}, { waits: false })
  const parsed_ms = await visitor.run(
    () => performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart,
  )
  assert.ok(parsed_ms < 1400, 'parsed after ' + parsed_ms)
  assert.ok(Date.now() - start < 10_000)
  await visitor.loaded()
  recorder.fault = (path) => (path == '/v1/b' ? { status: 200, delay_ms: 1500 } : null)
  const call_ms = await visitor.run(() => {
    const start = performance.now()
    for (let call = 0; call < 100; call++) analytics.track('fast', { call })
    return (performance.now() - start) / 100
  })
  assert.ok(call_ms < 20, call_ms + ' ms a call')
  await visitor.close()
})
