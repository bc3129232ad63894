// confirm and stamp: what became of a call, and one call that two sides make.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, onym, recorder, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = recorder.faultBody = null))
const skip = onym?.export ? false : 'needs build/onym'
const plus = (more) => ({ plus: '1', ...more })
const isCall = (path) => path == '/v1/b'

/** Asks in the page; gives the receipt and how long it took. */
const confirm = (visitor, name, options, properties = { plan: 'Free' }) =>
  visitor.run(
    async ([name, properties, options]) => {
      const start = performance.now()
      const receipt = await analytics.confirm(name, properties, options)
      return [receipt, performance.now() - start]
    },
    [name, properties, options],
  )

const refusal = '{"success":false,"code":"invalid_request","message":"m","error":"e"}'
for (const [what, fault, expected] of [
  ['Onym answers', null, 'delivered'],
  ['Onym answers late', { status: 200, delay_ms: 8000, body: '{"success":true}' }, 'kept'],
  ['nobody answers', 'down', 'kept'],
  ['the answer is lost', 'lost', 'kept'],
  ['Onym refuses it', { status: 413, body: refusal }, 'refused'],
  ['a proxy says 403', { status: 403, body: '<h1>No</h1>' }, 'kept'],
  ["a hotel's page says 200", { status: 200, body: '<html>Welcome' }, 'kept'],
  ['the server is full', { status: 503, body: refusal }, 'kept'],
]) {
  test(`confirm: ${what}: ${expected}`, async () => {
    const visitor = await visit('/', plus())
    await visitor.run(() => void analytics.track('before'))
    await visitor.sent(1)
    recorder.fault = (path) => (isCall(path) ? fault : null)
    const [receipt, took_ms] = await confirm(visitor, 'Signed Up', { within: expected == 'kept' ? 400 : 30_000 })
    assert.equal(receipt, expected)
    if (expected == 'kept') {
      assert.ok(took_ms >= 390, 'it has waited as long as it was told to: ' + took_ms)
      recorder.fault = null
      await visitor.page.goto(visitor.url('/welcome'))
      const events = (await visitor.sent(2)).map((message) => message.event)
      assert.ok(events.includes('Signed Up'), 'kept means that it arrives later: ' + events)
    } else {
      await eventually(async () => !(await visitor.waiting()).length, 'the queue is empty')
    }
    await visitor.close()
  })
}

test('confirm never throws, and never waits longer than it was told, whatever it is given', async () => {
  const visitor = await visit('/', plus())
  recorder.fault = (path) => (isCall(path) ? 'down' : null)
  const answers = await visitor.run(async () => {
    const cycle = {}
    cycle.self = cycle
    const rows = [
      ['no arguments', []],
      ['no name', [null, {}]],
      ['null for all', ['a', null, null]],
      ['a cycle', ['b', cycle, { within: 20 }]],
      ['a getter that throws', ['c', { get x() { throw new Error('x') } }, { within: 20 }]],
      ['not a number', ['d', {}, { within: NaN }]],
      ['a text', ['e', {}, { within: '15000' }]],
      ['negative', ['f', {}, { within: -1 }]],
      ['zero', ['g', {}, { within: 0 }]],
      ['its own messageId', ['h', {}, { within: 20, messageId: 'mine-1' }]],
      ['the same once more', ['h', {}, { within: 20, messageId: 'mine-1' }]],
      ['switched off for Onym', ['i', {}, { integrations: { 'Segment.io': false } }]],
    ]
    const found = {}
    for (const [what, args] of rows) {
      const start = performance.now()
      found[what] = await analytics.confirm(...args).catch((error) => 'threw ' + error)
      if (performance.now() - start > 9000) found[what] += ' late'
    }
    return found
  })
  assert.deepEqual(answers, {
    'no arguments': 'refused',
    'no name': 'refused',
    'null for all': 'kept',
    'a cycle': 'kept',
    'a getter that throws': 'kept',
    'not a number': 'kept',
    'a text': 'kept',
    negative: 'kept',
    zero: 'kept',
    'its own messageId': 'kept',
    'the same once more': 'kept',
    'switched off for Onym': 'refused',
  })
  recorder.fault = null
  await visitor.page.reload()
  const messages = await visitor.sent(10)
  assert.equal(messages.filter(({ event }) => event == 'h').length, 1)
  assert.equal(messages.some(({ context }) => 'within' in context), false)
  await visitor.close()
})

test('confirm: dropped by a plugin, without consent: refused; consent not yet given: kept', async () => {
  const dropping = await visit('/', plus())
  const dropped = await dropping.run(() => {
    analytics.addSourceMiddleware(({ next }) => next(null))
    return analytics.confirm('a', {}, { within: 3000 })
  })
  assert.equal(dropped, 'refused')
  await dropping.close()

  const asked = await visit('/', plus({ options: { consent: false } }))
  assert.deepEqual(
    await asked.run(async () => {
      const found = [await analytics.confirm('a', {}, { within: 50 })]
      analytics.consent(false)
      return [...found, await analytics.confirm('b', {}, { within: 50 })]
    }),
    ['kept', 'refused'],
  )
  await asked.close()
})

test('confirm before the library has loaded, and with the core alone: kept, and it arrives', async () => {
  for (const asks of [plus({ script: "window.receipt = analytics.confirm('Early', {}, {within: 100})" }), {}]) {
    const visitor = await visit('/', asks)
    if (!asks.plus) await visitor.run(() => void (window.receipt = analytics.confirm('Early', {}, { within: 100 })))
    assert.equal(await visitor.run(() => window.receipt), 'kept')
    const [message] = await visitor.sent(1)
    assert.equal(message.event, 'Early')
    assert.equal(message.context.within, undefined)
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  }
})

const FORM = '<form id="f" method="post" action="/done?to=/welcome"><input name="email" value="kim@example.com"><button>Go</button></form>'
const fields = () => Object.fromEntries(new FormData(document.querySelector('#f')))

/** What a server does with the form: the same call under the same id, by the same write key. */
const callFromServer = ({ anonymousId, messageId }, key = 'wk_website') =>
  fetch(onym.url + '/v1/track', {
    method: 'POST',
    headers: { authorization: 'Basic ' + Buffer.from(key + ':').toString('base64') },
    body: JSON.stringify({ event: 'Signed Up', userId: '12345', anonymousId, messageId, properties: { from: 'server' } }),
  })

test('stamp: the page and the server make one event; with JavaScript blocked the server makes it', { skip }, async () => {
  for (const isServerFirst of [false, true]) {
    const visitor = await visit('/signup', plus({ body: FORM }))
    const stamped = await visitor.run(() => analytics.stamp(document.querySelector('#f'), 'Signed Up', { from: 'page' }))
    const sent = await visitor.run(fields)
    assert.deepEqual(sent, { email: 'kim@example.com', ...stamped })
    assert.equal(stamped.anonymousId, await visitor.run(() => analytics.user().anonymousId()))
    if (isServerFirst) await callFromServer(sent)
    visitor.leave(() => document.querySelector('#f button').click())
    await visitor.page.waitForURL('**/welcome*')
    await eventually(() => visitor.arrivals().includes(sent.messageId), 'the page makes its call')
    if (!isServerFirst) await callFromServer(sent)
    const same = (await onym.export()).filter(({ messageId }) => messageId == sent.messageId)
    assert.deepEqual(same.map(({ properties }) => properties.from), [isServerFirst ? 'server' : 'page'])
    await visitor.close()
  }
  const blocked = await visit('/signup', { lib: 'none', body: FORM })
  assert.deepEqual(await blocked.run(fields), { email: 'kim@example.com' })
  await blocked.close()
})

test('stamp: another submission is another call: after reset, by the back button, by stamping again', async () => {
  const visitor = await visit('/', plus({ body: FORM }))
  const ids = await visitor.run(() => {
    const form = document.querySelector('#f')
    const id = () => new FormData(form).getAll('messageId').join()
    const found = []
    analytics.stamp(form, 'Invited')
    form.addEventListener('submit', (event) => (event.preventDefault(), found.push(id())))
    form.requestSubmit()
    form.requestSubmit()
    form.reset()
    form.requestSubmit()
    analytics.stamp(form, 'Invited')
    form.requestSubmit()
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    form.requestSubmit()
    return found
  })
  assert.equal(ids[0], ids[1], 'a double click is one call')
  assert.equal(new Set(ids).size, 4, ids.join(' '))
  await visitor.sent(4)
  await eventually(() => new Set(visitor.arrivals()).size == 4, 'four calls')
  await visitor.close()
})

test('stamp: the visitor of the moment of submission; a field of the form stays; nothing without consent', async () => {
  const body = '<form id="f"><textarea name="messageId">hello</textarea><input name="elements"><input type="hidden" name="anonymousId" value="x"></form>'
  const visitor = await visit('/', plus({ body }))
  const found = await visitor.run(() => {
    const form = document.querySelector('#f')
    analytics.stamp(form)
    analytics.reset()
    return [new FormData(form).getAll('messageId')[0], new FormData(form).get('anonymousId') == analytics.user().anonymousId()]
  })
  assert.deepEqual(found, ['hello', true])
  const odd = await visitor.run(() => [null, undefined, 'f', {}, document.body, []].map((form) => analytics.stamp(form)))
  assert.deepEqual(odd, [null, null, null, null, null, null])
  await visitor.close()

  const asked = await visit('/', plus({ body: FORM, options: { consent: false } }))
  const stamped = await asked.run(() => {
    const form = document.querySelector('#f')
    const read = () => [...new FormData(form).keys()].join()
    const found = [analytics.stamp(form, 'a'), read()]
    analytics.consent(true)
    found.push(read())
    analytics.consent(false)
    return [...found, read()]
  })
  assert.deepEqual(stamped, [null, 'email', 'email,anonymousId,messageId', 'email'])
  await asked.close()
})

test('stamp before the library has loaded', async () => {
  const visitor = await visit('/', plus({ body: FORM + '<script nonce="n1">analytics.stamp(document.querySelector("#f"), "Early")</script>' }))
  const { messageId } = await visitor.run(fields)
  await visitor.run(() => {
    const form = document.querySelector('#f')
    form.addEventListener('submit', (event) => event.preventDefault())
    form.requestSubmit()
  })
  const [message] = await visitor.sent(1)
  assert.deepEqual([message.event, message.messageId], ['Early', messageId])
  await visitor.close()
})
