// Option losses: what never came is found, and nothing else is taken for it.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, onym, recorder, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = recorder.faultBody = null))
const skip = onym?.export ? false : 'needs build/onym'
const asks = { plus: '1', options: { losses: true } }

/** All visits so far, those that may go on included; by page. */
const ask = async (page) => {
  await new Promise((resolve) => setTimeout(resolve, 30))
  const { status, body } = await onym.api('/losses?since=1h&quiet=1ms')
  assert.equal(status, 200)
  const { visits, calls, missing } = body.by.find((row) => row.page == page) ?? {}
  return [visits, calls, missing]
}

test('calls are numbered as they are stored: what a plugin drops has no number, and no gap', { skip }, async () => {
  const visitor = await visit('/whole', asks)
  await visitor.run(() => {
    analytics.addSourceMiddleware(({ payload, next }) => next(payload.obj.event == 'dropped' ? null : payload))
    for (const name of ['a', 'dropped', 'b']) void analytics.track(name)
    void analytics.track('not for Onym', {}, { integrations: { 'Segment.io': false } })
    void analytics.track('c', {}, { context: { onym: { mine: 1 } } })
  })
  const messages = await visitor.sent(3)
  assert.deepEqual(messages.map(({ event, context }) => [event, context.onym.n]), [['a', 1], ['b', 2], ['c', 3]])
  assert.equal(new Set(messages.map(({ context }) => context.onym.visit)).size, 1)
  assert.equal(messages[2].context.onym.mine, 1)
  assert.deepEqual(await ask('/whole'), [1, 3, 0])
  await visitor.close()
})

test('a call that is lost in the middle, and the last ones of a page, are found', { skip }, async () => {
  const visitor = await visit('/gap', asks)
  // Storage is emptied and the network eats it: whatever the way, it is gone.
  const lose = (name) =>
    visitor.run((name) => {
      void analytics.track(name)
      for (const key of Object.keys(localStorage)) if (localStorage[key].includes(`"${name}"`)) delete localStorage[key]
    }, name)
  const refusal = '{"success":false,"code":"invalid_request","message":"m","error":"e"}'
  recorder.faultBody = (body) => (body.includes('"lost') ? { status: 400, body: refusal } : null)
  await visitor.run(() => void analytics.track('one'))
  await lose('lost 1')
  await eventually(async () => !(await visitor.waiting()).some((key) => key.startsWith('onym:wk')), 'refused')
  await visitor.run(() => void analytics.track('two'))
  await visitor.sent(2)
  assert.deepEqual(await ask('/gap'), [1, 3, 1])
  await lose('lost 2')
  await eventually(async () => !(await visitor.waiting()).some((key) => key.startsWith('onym:wk')), 'refused')
  assert.deepEqual(await ask('/gap'), [1, 3, 1], 'nobody knows yet')
  await visitor.page.goto(visitor.url('/after'))
  await visitor.loaded()
  await visitor.run(() => void analytics.track('three'))
  await eventually(() => recorder.taken.some(({ message }) => message.event == 'three'), 'three')
  assert.deepEqual(await ask('/gap'), [1, 4, 2])
  assert.deepEqual(await ask('/after'), [1, 1, 0])
  assert.deepEqual((await visitor.waiting()).filter((key) => key.startsWith('onym-left')).length, 1)
  await visitor.close()
})

test('who asks: the secret key, and a time', { skip }, async () => {
  for (const query of ['since=0', 'since=-1d', 'since=400d', 'since=x', 'quiet=x', 'since=99999999999999999999d']) {
    const { status, body } = await onym.api('/losses?' + query)
    assert.equal(status, 400, query)
    assert.match(body.error.message + body.error.field, new RegExp(query.split('=')[0]), query)
  }
  assert.equal((await fetch(onym.url + '/api/v1/losses')).status, 401)
  const { body } = await onym.api('/losses')
  assert.equal(body.visits, 0, 'a visit of this hour may go on')
  assert.ok(body.visits_under_way > 0)
})
