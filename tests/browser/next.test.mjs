// Unmodified analytics-next, loaded by its own snippet, with Onym as its CDN (settings) and its API host.
import assert from 'node:assert/strict'
import { eventually, onym, visit, test } from './setup.mjs'

const skip = !onym?.export && 'needs build/onym'

test('unmodified analytics-next against Onym: identify, track, page, group, alias', { skip }, async () => {
  const visitor = await visit('/', { lib: 'next', key: 'wk_next', page: '1' })
  await visitor.run(() => {
    analytics.identify('n1', { plan: 'Free' })
    analytics.track('Next Tracked', { a: 1 })
    analytics.group('g1', { seats: 5 })
    analytics.screen('Home')
    analytics.alias('n2')
  })
  const messages = await visitor.sent(6)
  assert.equal(messages.length, 6)
  assert.deepEqual(visitor.errors, [])
  const ids = messages.map((message) => message.messageId)
  const exported = (await onym.export()).filter((message) => ids.includes(message.messageId))
  assert.equal(exported.length, 6)
  const track = exported.find((message) => message.type == 'track')
  assert.deepEqual([track.event, track.properties, track.userId], ['Next Tracked', { a: 1 }, 'n1'])
  const { anonymousId } = track
  await eventually(async () => {
    const { status, body } = await onym.api('/people/resolve?anonymous_id=' + anonymousId)
    return status == 200 && body.events == 6
  }, 'the person has all six')
  await visitor.close()
})

test("a visitor of analytics-next goes on as the same person with Onym's library", { skip }, async () => {
  const visitor = await visit('/', { lib: 'next', key: 'wk_next', page: '1' })
  await visitor.sent(1)
  await visitor.page.goto(visitor.url('/welcome', { lib: 'onym', key: 'wk_website' }))
  await visitor.loaded()
  await visitor.run(() => analytics.identify('switched'))
  const messages = await visitor.sent(3)
  assert.equal(new Set(messages.map((message) => message.anonymousId)).size, 1)
  await eventually(async () => {
    const { status, body } = await onym.api('/people/resolve?user_id=switched')
    return status == 200 && body.events == messages.length
  }, 'one person')
  await visitor.close()
})
