// The time zone of a call: asked for when it is sent, or when somebody reads it, and never while it is made.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
// Newer versions of Node.js have it.
globalThis.Temporal = undefined
const { addTimezone, fillTimezone, withoutTimezone } = await load('context')

test('a call is stored without having asked; the zone is there when it is sent', () => {
  const { DateTimeFormat } = Intl
  let asked = 0
  Intl.DateTimeFormat = () => (asked++, DateTimeFormat())
  const event = { context: addTimezone({ locale: 'en' }), traits: { zone: '"timezone":"onym:zone"' } }
  const text = withoutTimezone(() => JSON.stringify(event))
  assert.equal(asked, 0)
  const sent = JSON.parse(fillTimezone(text))
  assert.deepEqual(sent, { context: { locale: 'en', timezone: timeZone }, traits: event.traits })
  assert.equal(JSON.stringify(event), JSON.stringify({ ...event, context: sent.context }))
  assert.equal(asked, 1)
  Intl.DateTimeFormat = DateTimeFormat
})

test('whoever reads it gets it, whoever sets it has set it, and what the call says stands', () => {
  const context = addTimezone({})
  assert.equal(context.timezone, timeZone)
  assert.equal({ ...context }.timezone, timeZone)
  context.timezone = 'Asia/Tokyo'
  assert.equal(withoutTimezone(() => JSON.stringify(context)), '{"timezone":"Asia/Tokyo"}')
  assert.deepEqual(addTimezone({ timezone: null }), { timezone: null })
})

test('where Temporal tells the zone, Intl, which takes long, is not asked', async () => {
  const { DateTimeFormat } = Intl
  Intl.DateTimeFormat = () => assert.fail('asked')
  globalThis.Temporal = { Now: { timeZoneId: () => 'Asia/Tokyo' } }
  const { addTimezone } = await load('context')
  assert.equal(addTimezone({}).timezone, 'Asia/Tokyo')
  globalThis.Temporal = undefined
  Intl.DateTimeFormat = DateTimeFormat
})

test('a browser that knows no zone says so in each call, and is not taken at its word in the next page', async () => {
  const { DateTimeFormat } = Intl
  delete sessionStorage['onym:zone']
  Intl.DateTimeFormat = () => ({ resolvedOptions: () => ({}) })
  const { addTimezone, fillTimezone, withoutTimezone } = await load('context')
  const text = withoutTimezone(() => JSON.stringify(addTimezone({})))
  assert.equal(fillTimezone(text), '{"timezone":null}')
  assert.equal(sessionStorage['onym:zone'], undefined)
  Intl.DateTimeFormat = DateTimeFormat
})
