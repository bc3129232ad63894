// What happens between the queue and the server: batches, refusals, retries, and nothing out of order.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, recorder, visit, test } from './setup.mjs'

afterEach(() => (recorder.fault = recorder.faultBody = null))

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
  const messages = await visitor.sent(250, 60_000)
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
  await visitor.sent(1, 60_000)
  const waits = times.slice(1).map((time, index) => time - times[index])
  assert.ok(waits[0] >= 240, 'first wait ' + waits[0])
  assert.ok(waits[1] >= 490, 'second wait ' + waits[1])
  assert.ok(waits[2] >= 990, 'third wait ' + waits[2])
  assert.ok(waits[3] >= 1990, 'Retry-After ' + waits[3])
  await visitor.close()
})

test('a call that the server refuses for good is dropped alone, and told to the page', async () => {
  const visitor = await visit()
  // The recorder refuses any body that holds the bad call, as Onym does with one that is too large.
  const refusal = '{"success":false,"code":"invalid_request","message":"too large","error":"too large"}'
  recorder.faultBody = (body) => (body.includes('"bad"') ? { status: 413, body: refusal } : null)
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
  const [first] = await visitor.sent(1)
  // Chromium may skip unload handlers; the call in pagehide it always makes.
  assert.equal(first.event, 'in pagehide')
  await visitor.close()
})

test('the page is not held up: the script is asynchronous, and a slow server slows nothing', async () => {
  // Neither has been answered when the page has been parsed, and when the calls have returned.
  let open
  recorder.scriptGate = new Promise((resolve) => (open = resolve))
  const visitor = await visit('/', {}, { waits: false })
  assert.equal(await visitor.run(() => [document.readyState != 'loading', !!analytics.initialized].join()), 'true,false')
  open()
  recorder.scriptGate = null
  await visitor.loaded()
  let answer
  recorder.fault = (path) => (path == '/v1/b' ? { until: new Promise((resolve) => (answer = resolve)), status: 200, body: '{"success":true}' } : null)
  await visitor.run(() => analytics.track('first'))
  await eventually(() => answer, 'a request')
  const left = await visitor.run(() => {
    for (let call = 0; call < 100; call++) analytics.track('fast', { call })
    return Object.keys(localStorage).filter((key) => key.startsWith('onym:wk_website:')).length
  })
  assert.equal(left, 101)
  answer()
  await visitor.close()
})

const html = { 'content-type': 'text/html' }
const OTHERS = [
  ...[400, 401, 403, 404, 405, 413, 451, 502].map((status) => ({ status, headers: html, body: '<h1>No</h1>' })),
  { status: 200, headers: html, body: '<html>Welcome to the hotel</html>' },
  { status: 200, body: '{}' },
  { status: 200, body: '{"success":"true"}' },
  { status: 200, body: '' },
  { status: 204, body: '' },
  { status: 202, body: '{"ok":true}' },
  { status: 200, body: 'null' },
  { status: 403, body: '{"success":false,"errors":[{"code":1020}]}' },
  { status: 400, body: '{"error":"bad request"}' },
  { status: 301, headers: { location: '/healthz' }, body: '' },
  { status: 307, headers: { location: '/v1/elsewhere' }, body: '' },
  { status: 503, body: '{"success":true}' },
  { status: 429, body: '{"success":false,"code":"too_many_requests","message":"m","error":"e"}' },
]
test("only Onym's own answer counts: after any other the calls are kept, and arrive later", async () => {
  for (const answer of OTHERS) {
    const what = JSON.stringify(answer)
    recorder.fault = (path) => (path == '/v1/b' ? answer : path == '/v1/elsewhere' ? { status: 200, body: '{"success":true}' } : null)
    const since = recorder.requests.length
    const visitor = await visit()
    await visitor.run(() => {
      window.refused = 0
      analytics.on('error', () => window.refused++)
      analytics.identify('12345')
      analytics.track('Signed Up')
    })
    await eventually(() => posts(since).length > 1, 'two requests: ' + what)
    assert.equal((await visitor.waiting()).length, 2, what)
    recorder.fault = null
    const messages = await visitor.sent(2)
    assert.deepEqual(messages.map(({ type }) => type).sort(), ['identify', 'track'], what)
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty: ' + what)
    assert.equal(await visitor.run(() => window.refused), 0, what)
    await visitor.close()
  }
})

test('a firewall that dislikes one call does not hold up the others, and is not stormed', async () => {
  recorder.faultBody = (body) =>
    body.includes('select * from') ? { status: 403, body: '<h1>Forbidden</h1>', headers: html } : null
  const visitor = await visit()
  const since = recorder.requests.length
  await visitor.run(() => {
    for (let call = 0; call < 30; call++) analytics.track('T', { call, text: call == 7 ? 'select * from' : '' })
  })
  const messages = await visitor.sent(29)
  assert.deepEqual(messages.map((m) => m.properties.call).sort((a, b) => a - b), Array.from({ length: 30 }, (_, call) => call).filter((call) => call != 7))
  await eventually(async () => (await visitor.waiting()).length == 1, 'the bad one is kept')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.ok(posts(since).length < 25, posts(since).length + ' requests')
  await visitor.run(() => analytics.track('later'))
  await visitor.sent(30)
  recorder.faultBody = null
  await visitor.page.reload()
  await visitor.loaded()
  assert.equal((await visitor.sent(31)).length, 31)
  await visitor.close()
})

test('however long a proxy refuses all, the calls arrive in their order', async () => {
  const visitor = await visit()
  // It changes its mind before each request that there can be: a whole batch, a half, one call, the question between.
  for (const [answer, most] of [[{ status: 403, body: '<h1>Forbidden</h1>', headers: html }, 9], [{ status: 200, body: '<html>' }, 3], [{ status: 502 }, 2]])
    for (let refusals = 0; refusals <= most; refusals++) {
      let left = refusals
      recorder.fault = (path) => (path == '/v1/b' && left-- > 0 ? answer : null)
      const since = recorder.messages().length
      await visitor.run(() => {
        for (const method of ['alias', 'identify']) analytics[method]('u' + performance.now())
        for (let call = 0; call < 3; call++) analytics.track('T', { call })
      })
      const what = refusals + ' of ' + JSON.stringify(answer)
      await eventually(() => recorder.messages().length == since + 5, what, 40_000)
      const seen = recorder.messages().slice(since).map((message) => message.properties?.call ?? message.type)
      assert.deepEqual(seen, ['alias', 'identify', 0, 1, 2], what)
    }
  await visitor.close()
})

test('a call at which a firewall breaks the connection does not hold up the others for good', async () => {
  recorder.faultBody = (body) => (body.includes('union select') ? 'down' : null)
  const visitor = await visit()
  await visitor.run(() => {
    for (let call = 0; call < 5; call++) analytics.track('T', { call, text: call == 1 ? 'union select' : '' })
  })
  assert.deepEqual((await visitor.sent(4, 40_000)).map((m) => m.properties.call), [0, 2, 3, 4])
  recorder.faultBody = null
  await visitor.page.reload()
  assert.equal((await visitor.sent(5, 40_000)).length, 5)
  await visitor.close()
})

test('three such calls in a row, at the head, neither', async () => {
  recorder.faultBody = (body) => (body.includes('<script') ? { status: 406, body: 'WAF' } : null)
  const visitor = await visit()
  await visitor.run(() => {
    for (let call = 0; call < 9; call++) analytics.track('T', { call, text: call < 3 ? '<script' : '' })
  })
  assert.equal((await visitor.sent(6)).length, 6)
  recorder.faultBody = null
  await visitor.close()
})

test('a portal that answers everything: a request or two for each wait, however much waits', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? { status: 200, body: '<html>', headers: html } : null)
  const visitor = await visit()
  const since = recorder.requests.length
  await visitor.run(() => {
    for (let call = 0; call < 150; call++) analytics.track('T', { call })
  })
  await new Promise((resolve) => setTimeout(resolve, 2500))
  assert.ok(posts(since).length < 25, posts(since).length + ' requests')
  recorder.fault = null
  assert.deepEqual((await visitor.sent(150)).map((m) => m.properties.call), Array.from({ length: 150 }, (_, call) => call))
  await visitor.close()
})

for (const [what, breakIt] of [
  ['missing', () => delete window.fetch],
  ['throwing', () => (window.fetch = () => { throw new Error('blocked') })],
  ['always rejecting', () => (window.fetch = () => Promise.reject(new Error('blocked')))],
  ['never answering', () => (window.fetch = () => new Promise(() => {}))],
]) {
  test('fetch ' + what + ': the calls go out all the same', async () => {
    const visitor = await visit()
    await visitor.run(breakIt)
    await visitor.run(() => analytics.track('T'))
    if (what == 'never answering') await visitor.page.goto(visitor.url('/next'))
    assert.equal((await visitor.sent(1)).length, 1)
    await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
}

test('localStorage cleared in the same tick, and the page left: nothing is lost', async () => {
  for (const empty of ['localStorage.clear()', 'for (const key in localStorage) localStorage.removeItem(key)']) {
    recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
    const visitor = await visit()
    await visitor.run(`analytics.track('before'); ${empty}; 0`)
    await eventually(async () => (await visitor.waiting()).length == 1, 'stored again')
    await visitor.run(`analytics.track('and at once'); ${empty}; location.href = '${visitor.url('/next')}'; 0`)
    await visitor.page.waitForURL(/next/)
    recorder.fault = null
    await visitor.loaded()
    assert.deepEqual((await visitor.sent(2)).map(({ event }) => event), ['before', 'and at once'])
    await visitor.close()
  }
})

test('Clear-Site-Data empties the storage under the page: what waits is stored again, and nothing is lost', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
  const visitor = await visit()
  await visitor.run(() => {
    localStorage.witness = '1'
    void analytics.track('before')
  })
  const clearing = visitor.url('/clear', { headers: { 'clear-site-data': '"storage"' } })
  await visitor.run((url) => fetch(url).then((answer) => answer.text()), clearing)
  await eventually(() => visitor.run(() => !localStorage.witness), 'the browser has emptied it')
  await eventually(async () => (await visitor.waiting()).length == 1, 'stored again')
  await visitor.run(`analytics.track('and at once'); location.href = ${JSON.stringify(clearing)}; 0`)
  await visitor.page.waitForURL(/clear/)
  recorder.fault = null
  await visitor.page.goto(visitor.url('/next'))
  await visitor.loaded()
  assert.deepEqual((await visitor.sent(2)).map(({ event }) => event), ['before', 'and at once'])
  await visitor.close()
})

test('a clock that was a day ahead makes no call wait', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
  const visitor = await visit('/', {}, { init: () => {
    const real = Date.now
    if (location.pathname == '/') Date.now = () => real() + 86400e3
  } })
  await visitor.run(() => analytics.track('tomorrow'))
  const page = await visitor.context.newPage()
  await visitor.page.close()
  recorder.fault = null
  await page.goto(visitor.url('/next'))
  assert.equal((await visitor.sent(1)).length, 1)
  await visitor.close()
})

for (const [name, headers] of [
  ['an object', `{ 'X-Site': 'rdio' }`],
  ['a function', `() => ({ 'X-Site': 'rdio' })`],
  ['a function that throws', `() => { throw new Error('mine') }`],
]) {
  test(`headers of the site's own, from ${name}, go with every request, also as the page is left`, async () => {
    const before = recorder.requests.length
    const options = `{ integrations: { 'Segment.io': { deliveryStrategy: { config: { headers: ${headers} } } } } }`
    const tag = `<script>window.analytics = []; analytics._writeKey = 'wk_website'; analytics._loadOptions = ${options}</script>
      <script src="${recorder.url}/analytics.js/v1/wk_website/analytics.min.js"></script>`
    const visitor = await visit('/', { lib: 'none', head: tag })
    await visitor.loaded()
    await visitor.run(() => analytics.track('one'))
    await visitor.sent(1)
    visitor.leave((to) => {
      analytics.track('two')
      location.href = to
    }, visitor.url('/next', { lib: 'none', head: tag }))
    assert.deepEqual(
      (await visitor.sent(2)).map((message) => message.event),
      ['one', 'two'],
    )
    const seen = new Set(recorder.requests.slice(before).map((request) => request.headers['x-site']))
    assert.deepEqual([...seen], [name.endsWith('throws') ? undefined : 'rdio'])
    await visitor.close()
  })
}
