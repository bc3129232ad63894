// Layouts: axes, the identity picture, paths, visits, live rows. The same data gives the same picture.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { grouped, labelled, ticks, ticksBetween } = await load('scale.ts')
const { advice, foldReason, troublesOf } = await load('letters.ts')
const { layIdentity, MOST_IN_COLUMN, ROW } = await load('identity.ts')
const { lanesOf } = await load('lanes.ts')
const { layPaths } = await load('sankey.ts')
const { keptOf, visits } = await load('timeline.ts')
const { Feed, KEPT_ROWS, inView, isGap, resumeFrom } = await load('feed.ts')
const { bucketEnd, periodStart, startOfDay } = await load('behind.ts')
const { callCode } = await load('call_code.ts')
const format = await load('format.ts')

test('ticks are round, begin at 0 and hold all values', () => {
  for (const most of [1, 2, 3, 7, 9.5, 10, 99, 100, 101, 12_345, 1e9]) {
    const marks = ticks(most)
    assert.equal(marks[0], 0)
    assert.ok(marks.at(-1) >= most && marks.length >= 2 && marks.length <= 7, `${most}: ${marks}`)
  }
  assert.deepEqual(ticks(0), [0, 1])
  assert.deepEqual(ticks(NaN), [0, 1])
  assert.deepEqual(ticks(0.3, 3, false), [0, 0.1, 0.2, 0.3])
  const both = ticksBetween(-4, 9, true)
  assert.ok(both[0] <= -4 && both.at(-1) >= 9 && both.includes(0))
})
test('minutes in groups: the newest group is whole, and nothing is lost', () => {
  assert.deepEqual(grouped([1, 2, 3, 4, 5], 2), [1, 5, 9])
  assert.deepEqual(grouped([1, 2, 3, 4, 5], 2, true), [1, 3, 5])
  assert.deepEqual(grouped([1, 2], 1), [1, 2])
  assert.deepEqual(grouped([], 5), [])
})
test('dead letters of one trouble are one group, whatever numbers and ids they name', () => {
  const letter = (number, reason, more) => ({ number, reason, died_at: `2026-11-30T00:00:0${number}.000Z`, ...more })
  const id = '2c6a24c8-17a2-4758-93d8-7935a73844eb'
  assert.equal(foldReason(`HTTP 400: event 17 of ${id} v1.2`), 'HTTP 400: event # of # v#')
  assert.equal(foldReason(''), '')
  const all = troublesOf([
    letter(1, 'HTTP 400: event 17'),
    letter(2, 'HTTP 422: no', { answer: { status: 422 } }),
    letter(3, 'HTTP 400: event 18'),
    letter(4, undefined),
  ])
  assert.deepEqual(
    all.map((one) => [one.key, one.count, one.status]),
    [
      ['HTTP 400: event #', 2, 400],
      ['HTTP 422: no', 1, 422],
      ['could not be delivered', 1, null],
    ],
  )
  assert.deepEqual(
    [all[0].first, all[0].last, all[0].samples[0].number],
    ['2026-11-30T00:00:01.000Z', '2026-11-30T00:00:03.000Z', 3],
  )
  for (const status of [null, 301, 400, 401, 404, 413, 429, 500]) assert.ok(advice(status).length > 20)
})
test('labels never overlap, and the last is there', () => {
  for (const n of [1, 2, 31, 365]) {
    const found = labelled(n, 600, 58)
    assert.equal(found.at(-1), n - 1)
    assert.ok(found.length * 58 <= 600 + 58)
  }
  assert.deepEqual(labelled(0, 600, 58), [])
})

const person = {
  user_ids: ['u1', 'u2'],
  anonymous_ids: ['a1', 'a2', 'a3'],
  external_ids: [{ type: 'email', id: 'k@x' }],
}
const link = (from, to, position, more) => ({
  from: { type: from[0] == 'a' ? 'anonymous_id' : from[0] == 'u' ? 'user_id' : 'email', id: from },
  to: { type: to[0] == 'a' ? 'anonymous_id' : 'user_id', id: to },
  rule: 'message',
  time: `2026-01-0${position}T00:00:00.000Z`,
  message_id: 'm' + position,
  message_type: 'identify',
  source: 's',
  position,
  removed: false,
  ...more,
})
const links = [
  link('a1', 'u1', 1),
  link('a2', 'u2', 2),
  link('a1', 'u1', 3),
  link('a3', 'u1', 4, { removed: true }),
  link('k@x', 'u1', 5),
]

test('the identity picture is a function of the links, not of their order', () => {
  const one = layIdentity(person, links, 600)
  assert.deepEqual(layIdentity({ ...person, anonymous_ids: ['a3', 'a2', 'a1'] }, [...links].reverse(), 600), one)
  assert.equal(one.nodes.length, 6)
  assert.equal(one.edges.length, 4)
  const pair = one.edges.find((edge) => edge.to.id == 'a1')
  assert.equal(pair.count, 2)
  assert.deepEqual([pair.first, pair.last], [links[0].time, links[2].time])
  assert.equal(one.edges.find((edge) => edge.to.id == 'a3').removed, true)
})
test('a shared device is in turn of those who signed in; one of a single person has no lane', () => {
  const ann = { user_ids: ['u1', 'u9'], first_seen: '2025-12-24T00:00:00.000Z', last_seen: null }
  const shared = [
    link('a1', 'u1', 1),
    link('a1', 'u9', 2),
    link('a1', 'u2', 3),
    link('a1', 'u2', 4),
    link('a1', 'u1', 5),
    link('a1', 'u3', 6, { removed: true }),
    link('a2', 'u1', 1),
    link('a2', 'u9', 2),
  ]
  const until = '2026-01-09T00:00:00.000Z'
  const lanes = lanesOf(ann, [...shared].reverse(), until)
  assert.equal(lanes.length, 1)
  assert.equal(lanes[0].device, 'a1')
  assert.deepEqual(
    lanes[0].stretches.map((one) => [one.user, one.isOwn, one.start.slice(0, 10), one.end.slice(0, 10), one.links]),
    [
      ['u1', true, '2025-12-24', '2026-01-03', 2],
      ['u2', false, '2026-01-03', '2026-01-05', 2],
      ['u1', true, '2026-01-05', '2026-01-09', 1],
    ],
  )
  // Who came second does not get what lies before the first claim.
  const ben = { user_ids: ['u2'], first_seen: '2025-12-24T00:00:00.000Z', last_seen: null }
  assert.equal(lanesOf(ben, shared, until)[0].stretches[0].start, shared[0].time)
  assert.deepEqual(lanesOf(ann, shared.slice(6), until), [])
})
test('no two ids stand in the same place, and all stand within the picture', () => {
  const one = layIdentity(person, links, 600)
  const places = new Set(one.nodes.map((node) => `${node.x},${node.y}`))
  assert.equal(places.size, one.nodes.length)
  for (const node of one.nodes) assert.ok(node.y >= ROW / 2 && node.y <= one.height - ROW / 2 && node.x >= 0)
})
test('many devices are folded, and counted', () => {
  const devices = Array.from({ length: 300 }, (_, n) => 'a' + n)
  const one = layIdentity(
    { user_ids: ['u1'], anonymous_ids: devices, external_ids: [] },
    devices.map((id, n) => ({ ...link(id, 'u1', 1), position: n })),
    600,
  )
  assert.equal(one.nodes.length, 1 + MOST_IN_COLUMN)
  assert.equal(one.hidden, 300 - MOST_IN_COLUMN + 1)
})

const answer = {
  event: 'A',
  direction: 'after',
  people: 10,
  depths: [
    {
      depth: 1,
      people: 8,
      ended: 2,
      events: [
        { event: 'B', people: 5 },
        { event: 'others', people: 1 },
      ],
      others: { events: 3, people: 2 },
    },
    { depth: 2, people: 3, ended: 5, events: [{ event: 'A', people: 3 }], others: { events: 0, people: 0 } },
  ],
  links: [
    { depth: 1, from: 'A', to: 'B', people: 5 },
    { depth: 1, from: 'A', to: 'others', people: 1 },
    { depth: 1, from: 'A', to: null, people: 2 },
    { depth: 2, from: 'B', to: 'A', people: 3 },
  ],
}
test('in paths every person of a column goes somewhere, and back does not lead in circles', () => {
  for (const direction of ['after', 'before']) {
    const picture = layPaths({ ...answer, direction }, 800, 300)
    const out = new Map()
    for (const { from, to, people } of picture.links) {
      const near = direction == 'after' ? from : to
      out.set(near.key, (out.get(near.key) ?? 0) + people)
    }
    for (const node of picture.nodes)
      if (node.column < 2 && node.kind != 'ended') assert.equal(out.get(node.key), node.people, node.name)
    const anchor = picture.nodes.find((node) => node.column == 0)
    assert.equal(direction == 'after' ? anchor.x0 < 10 : anchor.x1 > 790, true)
  }
  assert.deepEqual(layPaths({ ...answer, people: 0, depths: [] }, 800, 300).nodes, [])
})

test('visits end with a pause of thirty minutes; what came before the claim is told apart', () => {
  const at = (time, more) => ({ timestamp: `2026-01-01T${time}.000Z`, anonymousId: 'a1', ...more })
  const all = visits(
    [
      at('12:00:00', { userId: 'u' }),
      at('10:20:00', { userId: 'u' }),
      at('10:00:00'),
      at('09:00:00'),
      at('08:00:00', { anonymousId: 'b' }),
    ],
    new Map([['a1', '2026-01-01T10:20:00.000Z']]),
  )
  assert.deepEqual(
    all.map((visit) => visit.moments.length),
    [1, 2, 1, 1],
  )
  assert.equal(keptOf(all), 2)
  assert.equal(all[1].moments[0].isClaim, true)
})

test('the feed keeps a true count, its newest rows, and no secret about the rest', () => {
  const feed = new Feed()
  for (let n = 1; n <= KEPT_ROWS + 50; n++) {
    feed.add({ position: n, fate: 'accepted', message: { anonymousId: 'a' }, person: { person_id: 'a_a' } }, n)
    if (n % 70 == 0) feed.take()
  }
  feed.addGap({ from: 5, to: 9, count: 4 })
  feed.take()
  assert.equal(feed.total, KEPT_ROWS + 50)
  assert.equal(feed.rows.length, KEPT_ROWS)
  assert.equal(feed.fallen, 51)
  assert.ok(isGap(feed.rows[0]))
  assert.equal(feed.rows[1].position, KEPT_ROWS + 50)
  assert.equal(new Set(feed.rows.map((row) => row.key)).size, KEPT_ROWS)
  const known = { person_id: 'u_1', user_ids: ['1'] }
  assert.equal(feed.claim({ anonymous_id: 'a', person: known }), KEPT_ROWS - 1)
  assert.equal(feed.claim({ anonymous_id: 'a', person: known }), 0)
  assert.equal(feed.rows[1].person, known)
  feed.add({ position: 1, fate: 'suppressed', count: 12, message: {} }, 0)
  assert.equal(feed.total, KEPT_ROWS + 62)
})
test('what falls off while nobody looks is counted, too', () => {
  const feed = new Feed()
  const all = 3 * KEPT_ROWS + 30
  for (let n = 1; n <= all; n++) feed.add({ position: n, message: {} }, n)
  assert.equal(feed.waiting, all)
  feed.take()
  assert.equal(feed.waiting, 0)
  assert.equal(feed.rows.length, KEPT_ROWS)
  assert.equal(feed.rows[0].position, all)
  assert.equal(feed.fallen, all - KEPT_ROWS)
})
test('a claim by an alias is of a user id; one of nobody changes nothing', () => {
  const feed = new Feed()
  feed.add({ position: 1, message: { userId: 'old' }, person: { person_id: 'u_old' } }, 0)
  feed.add({ position: 2, message: 'no JSON', person: null }, 0)
  assert.equal(feed.claim({ anonymous_id: null, user_id: 'old', person: null }), 0)
  assert.equal(feed.claim({ anonymous_id: null, user_id: 'old', person: { person_id: 'u_new' } }), 1)
})
test('a stream goes on behind the last record, or before it where a note stands there', () => {
  assert.equal(resumeFrom('108'), '109')
  assert.equal(resumeFrom('108-3'), '108')
  assert.equal(resumeFrom(''), 'now')
})
test('a second is a second', () => {
  const feed = new Feed()
  for (let n = 0; n < 100; n++) feed.add({ position: n }, 1000 + n * 10)
  assert.equal(feed.rate(2000), 20)
  assert.equal(feed.rate(60_000), 0)
})
test('only rows in view are drawn', () => {
  assert.deepEqual(inView(0, 300, 30, 1000, 0), [0, 10])
  assert.deepEqual(inView(15, 300, 30, 1000, 0), [0, 11])
  assert.deepEqual(inView(29_900, 300, 30, 1000, 8), [988, 1000])
})

test('units are those of the zone, also where the clock is changed', () => {
  assert.equal(startOfDay('2026-03-29', 'Europe/Berlin'), '2026-03-28T23:00:00.000Z')
  assert.equal(startOfDay('2026-03-30', 'Europe/Berlin'), '2026-03-29T22:00:00.000Z')
  assert.equal(periodStart('2026-03-28T23:00:00.000Z', 'day', 1, 'Europe/Berlin'), '2026-03-29T22:00:00.000Z')
  assert.equal(periodStart('2026-10-18T22:00:00.000Z', 'week', 1, 'Europe/Berlin'), '2026-10-25T23:00:00.000Z')
  assert.equal(periodStart('2026-01-01T05:00:00.000Z', 'month', 2, 'America/New_York'), '2026-03-01T05:00:00.000Z')
  assert.equal(periodStart('2026-01-01T00:00:00.000Z', 'quarter', 1, 'UTC'), '2026-04-01T00:00:00.000Z')
  assert.equal(bucketEnd(['2026-11-29T22:00:00.000Z'], 0, 'hour', 'UTC'), '2026-11-29T23:00:00.000Z')
})

test('numbers as people read them', () => {
  assert.equal(format.share(0), '0 %')
  assert.equal(format.share(0.00001), '<0.1 %')
  assert.equal(format.share(0.99999), '>99.9 %')
  assert.equal(format.share(1), '100 %')
  assert.equal(format.share(0.4337), '43.4 %')
  assert.equal(format.share(null), '–')
  assert.equal(format.duration(850), '850 ms')
  assert.equal(format.duration(200_000), '3 min 20 s')
  assert.equal(format.duration(3_599_900), '1 h')
  assert.equal(format.duration(100_800_000), '1 d 4 h')
  assert.equal(format.count(1234567), '1,234,567')
  assert.equal(format.plural(1, 'event'), '1 event')
  assert.equal(format.instant('2026-11-29T22:00:00.000Z', 'Asia/Tokyo'), '2026-11-30 07:00:00')
  assert.equal(format.instant('not a time', 'UTC'), 'not a time')
})

test('a message as the call that would make it', () => {
  assert.equal(
    callCode({ type: 'track', event: "It's", properties: { a: 1 } }),
    `analytics.track("It's", {\n  a: 1\n})`,
  )
  assert.equal(callCode({ type: 'identify', userId: '1' }), 'analytics.identify("1")')
  assert.equal(callCode({ type: 'page' }), 'analytics.page()')
  assert.equal(callCode({ type: 'alias', userId: 'a', previousId: 'b' }), 'analytics.alias("a", "b")')
  const message = {
    type: 'track',
    event: "It's",
    userId: '1',
    messageId: 'm',
    properties: { isNew: true, text: 'true' },
  }
  assert.equal(
    callCode(message, 'python'),
    'analytics.track(user_id="1", event="It\'s", properties={\n    "isNew": True,\n    "text": "true"\n})',
  )
  assert.equal(
    callCode({ ...message, properties: {} }, 'node'),
    'analytics.track({\n  userId: "1",\n  event: "It\'s"\n})',
  )
  const curl = callCode(message, 'curl', 'http://h', 'wk')
  assert.ok(
    curl.startsWith('curl http://h/v1/track -u wk:') && !curl.includes('messageId') && curl.includes("It'\\''s"),
  )
  // What is no call at all stays a text, in a shell, too.
  assert.ok(callCode({ type: '$(reboot)' }, 'curl', 'http://h').startsWith('curl http://h/v1/batch -u'))
  assert.equal(callCode({ type: 'x()' }, 'node'), '{\n  type: "x()"\n}')
})
