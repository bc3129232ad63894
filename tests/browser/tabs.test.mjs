// Several tabs at once: neither double nor race, whether they take turns by Web Locks or by lease.
import assert from 'node:assert/strict'
import { eventually, recorder, visit, test } from './setup.mjs'

// Web Locks need a secure page: localhost is one, rdio.test over http is not.
const hosts = { 'by Web Locks': 'localhost', 'by lease': 'www.rdio.test' }
const TABS = 4
const CALLS = 25

for (const [way, host] of Object.entries(hosts)) {
  test(`${TABS} tabs that call at once send each call once, in each tab's order (${way})`, async () => {
    const first = await visit('/', {}, { host })
    const tabs = [first]
    while (tabs.length < TABS) tabs.push(await visit('/', {}, { host, context: first.context }))
    assert.equal(await first.run(() => !!navigator.locks), way == 'by Web Locks')
    const since = recorder.taken.length
    await Promise.all(
      tabs.map((tab, index) =>
        tab.run(
          ([index, calls]) =>
            new Promise((resolve) => {
              let call = 0
              const next = () => {
                if (call == calls) return resolve()
                analytics.track('tab ' + index, { call: call++ })
                setTimeout(next, call % 5 ? 0 : 20)
              }
              next()
            }),
          [index, CALLS],
        ),
      ),
    )
    const messages = await first.sent(TABS * CALLS, 15_000)
    assert.equal(messages.length, TABS * CALLS)
    for (let index = 0; index < TABS; index++) {
      const calls = messages.filter((m) => m.event == 'tab ' + index).map((m) => m.properties.call)
      assert.deepEqual(
        calls,
        Array.from({ length: CALLS }, (_, call) => call),
      )
    }
    await eventually(async () => !(await first.waiting()).length, 'the queue is empty')
    const repeats = recorder.taken.length - since - TABS * CALLS
    assert.equal(repeats, 0, repeats + ' repeats over the wire')
    await first.close()
  })
}

test('a tab sends what a tab that died has left', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
  const first = await visit()
  await first.run(() => analytics.track('left behind'))
  await first.page.close()
  recorder.fault = null
  const second = await visit('/', {}, { context: first.context })
  await second.run(() => analytics.track('own'))
  assert.deepEqual((await second.sent(2)).map((m) => m.event).sort(), ['left behind', 'own'])
  await second.close()
})

test('a logout in another tab does not touch the calls made before it', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? { status: 503 } : null)
  const one = await visit()
  await one.run(() => {
    analytics.identify('u1')
    analytics.track('as u1')
  })
  const other = await visit('/', {}, { context: one.context })
  await other.run(() => {
    analytics.track('as u1, other tab')
    analytics.reset()
    analytics.track('as nobody')
  })
  await one.run(() => analytics.track('as nobody, first tab'))
  recorder.fault = null
  await other.page.reload()
  // Each tab keeps its own order; between tabs the times of the calls have it.
  const messages = (await one.sent(5, 15_000)).sort((a, b) => (a.messageId < b.messageId ? -1 : 1))
  assert.deepEqual(
    messages.map((m) => [m.event ?? m.type, m.userId]),
    [
      ['identify', 'u1'],
      ['as u1', 'u1'],
      ['as u1, other tab', 'u1'],
      ['as nobody', undefined],
      ['as nobody, first tab', undefined],
    ],
  )
  assert.equal(new Set(messages.slice(0, 3).map((m) => m.anonymousId)).size, 1)
  assert.equal(messages[3].anonymousId, messages[4].anonymousId)
  assert.notEqual(messages[0].anonymousId, messages[3].anonymousId)
  await one.close()
})

test('a lease left by a tab that died runs out', async () => {
  const visitor = await visit('/', {}, { host: 'www.rdio.test' })
  await visitor.run(() => {
    localStorage['onym:wk_website'] = String(Date.now() + 1500)
    analytics.track('waits')
  })
  assert.equal((await visitor.sent(1, 8000)).length, 1)
  await visitor.close()
})
