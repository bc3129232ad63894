// A question in the address, for the API, for a terminal and for a spreadsheet.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { load } from './load.mjs'

const q = await load('question.ts')
const route = await load('route.ts')
const NOW = Date.parse('2026-11-29T22:00:00Z')

test('an address holds the whole question, and nothing that is as always', () => {
  const asked = {
    ...q.empty('funnel', 'UTC'),
    by: 'properties.plan',
    range: 'dates',
    from: '2026-01-01',
    to: '2026-01-31',
    zone: 'Europe/Berlin',
    events: [
      { event: 'page:/?a=b&c#d' },
      { event: 'Signed Up', where: [{ field: 'properties.plan', op: '=', value: 'pro' }] },
    ],
    where: [{ field: 'context.ip', op: 'exists' }],
  }
  const href = route.placeHref(['questions', 'funnel'], q.toParams(asked, 'UTC'))
  const place = route.parsePlace(href)
  assert.deepEqual(place.path, ['questions', 'funnel'])
  assert.deepEqual(q.fromParams('funnel', place.params, 'UTC'), asked)
  assert.equal(q.toParams(q.empty('trends', 'UTC'), 'UTC').toString(), '')
})
test('an address that somebody has broken is read as far as it goes', () => {
  const place = route.parsePlace('#/questions/paths?e={"event"&w={{&periods=-1&depth=99&tz=Mars/Base&e=%E0%A4%A')
  const asked = q.fromParams('paths', place.params, 'UTC')
  assert.equal(asked.depth, 3)
  assert.equal(asked.zone, 'UTC')
  assert.equal(asked.events[0].event, '{"event"')
  assert.deepEqual(route.parsePlace('#/people/%E0%A4%A').path, ['people', '%E0%A4%A'])
})
test('ids with slashes and percent signs come back', () => {
  for (const id of ['a/b', 'a%2Fb', '../x', '?#&', 'ü', ' '])
    assert.deepEqual(route.parsePlace(route.personHref(id)).path, ['people', id], id)
})
test('a range is days of the zone', () => {
  const at = (zone, range) => q.rangeOf({ ...q.empty('trends', zone), range }, NOW)
  assert.deepEqual(at('UTC', '7d'), { from: '2026-11-23', to: '2026-11-30' })
  assert.deepEqual(at('Asia/Tokyo', '1d'), { from: '2026-11-30', to: '2026-12-01' })
  assert.deepEqual(at('UTC', 'all'), {})
  assert.deepEqual(q.rangeBefore({ from: '2026-11-23', to: '2026-11-30' }), { from: '2026-11-16', to: '2026-11-23' })
  assert.equal(q.rangeBefore({}), null)
})
test('what lacks is said', () => {
  assert.match(q.missing(q.empty('funnel', 'UTC')), /events/)
  assert.equal(q.missing(q.empty('signups', 'UTC')), null)
  assert.match(q.missing({ ...q.empty('trends', 'UTC'), events: [{ event: 'x', measure: 'sum' }] }), /property/)
  assert.match(
    q.missing({ ...q.empty('trends', 'UTC'), events: [{ event: 'x', where: [{ field: 'properties.a', op: '=' }] }] }),
    /value/,
  )
})
test('a command of few words where its options can say it, else the whole question', () => {
  const command = (asked) =>
    q.toCommand(asked.kind, q.toBody({ ...q.empty(asked.kind, 'UTC'), range: 'all', ...asked }, NOW))
  assert.equal(
    command({ kind: 'funnel', events: [{ event: 'page:/' }, { event: "Kim's" }], by: 'properties.plan' }),
    `onym funnel page:/ 'Kim'\\''s' --by properties.plan --limit 12`,
  )
  assert.equal(
    command({ kind: 'paths', events: [{ event: 'A' }], direction: 'before' }),
    'onym paths A --before --collapse --limit 8',
  )
  assert.match(
    command({ kind: 'trends', events: [{ event: 'A', measure: 'people' }] }),
    /^onym ask \/api\/v1\/trends '\{"series"/,
  )
  for (const event of ['--config=/etc/passwd', '-c', '{"event":"x"}'])
    assert.match(command({ kind: 'funnel', events: [{ event }] }), /^onym ask/)
})
test('a word for the shell stays one word, whatever is in it', () => {
  for (const word of ["a'b", '$(touch /tmp/x)', '`id`', 'a b', '', '\\', '"', 'a\nb', '*', '~', '-n'])
    assert.equal(execFileSync('sh', ['-c', `printf %s ${q.shellWord(word)}`]).toString(), word)
})
test('a cell is no formula, and a number is a number', () => {
  assert.equal(q.csvCell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0")
  assert.equal(q.csvCell('@x'), "'@x")
  assert.equal(q.csvCell('-5'), '-5')
  assert.equal(q.csvCell(-5), '-5')
  assert.equal(q.csvCell('-x,"y"'), `"'-x,""y"""`)
  assert.equal(q.csvCell(null), '')
  assert.equal(
    q.toCsv([
      ['a', 'b\nc'],
      [1, null],
    ]),
    'a,"b\nc"\r\n1,\r\n',
  )
})
test('the token of a link', () => {
  assert.equal(route.linkToken('#link=abc'), 'abc')
  assert.equal(route.linkToken('#/people?link=abc'), null)
})
