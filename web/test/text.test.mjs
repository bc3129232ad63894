// Hostile text: what cannot be seen is told by name, and nothing is lost or made up.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { load } from './load.mjs'

const { groupName, pieces, plain, valueText } = await load('text.ts')
const marks = (text) =>
  pieces(text)
    .pieces.filter((piece) => piece.mark)
    .map((piece) => piece.mark)

test('every character that cannot be seen is marked, one by one', () => {
  const unseen = [
    0, 7, 9, 10, 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x180e, 0x200b, 0x200d, 0x200e, 0x202a, 0x202e, 0x2028, 0x2060, 0x2066,
    0x2069, 0xfeff, 0xe0041, 0xfff9,
  ]
  for (const code of unseen) {
    const text = 'a' + String.fromCodePoint(code) + 'b'
    assert.equal(marks(text).length, 1, 'U+' + code.toString(16))
    assert.equal(
      pieces(text)
        .pieces.map((piece) => piece.text)
        .join(''),
      text,
    )
  }
  assert.deepEqual(marks('safe\u202egpj'), ['U+202E'])
  assert.deepEqual(marks('a\0\n'), ['\\0', '\\n'])
})
test('letters of any script and pictures are left as they are', () => {
  for (const text of ['Zoë', 'שלום', 'नमस्ते', '漢字', '👩‍👩‍👧 and 🏳️‍🌈', '👍🏽', '<b>"&'])
    assert.deepEqual(marks(text), [], text)
})
test('a joiner is a mark where it joins no pictures', () => assert.deepEqual(marks('pay\u200dpal'), ['U+200D']))
test('halves of a pair are marked, and a cut makes none', () => {
  assert.deepEqual(marks('a\ud83d'), ['U+D83D'])
  const cut = pieces('aaa😀b', 4)
  assert.deepEqual(cut, { pieces: [{ text: 'aaa' }], cut: 3 })
})
test('what is cut off is counted', () => assert.equal(pieces('x'.repeat(10_000), 200).cut, 9800))
test('as one string', () => {
  assert.equal(plain('a\u202eb'), 'a‹U+202E›b')
  assert.equal(plain('x'.repeat(100), 5), 'xxxxx…')
})
test('values that are no text', () => {
  assert.equal(valueText({ a: 1 }), '{"a":1}')
  assert.equal(valueText(undefined), '')
  assert.equal(groupName(null), '(none)')
  assert.equal(groupName(''), '(empty)')
  assert.equal(groupName(false), 'false')
})

test('it marks what the program marks: the table of src/base/unseen.c, point by point', () => {
  const source = readFileSync(new URL('../../src/base/unseen.c', import.meta.url), 'utf8')
  const table = /bool point_is_unseen\(uint32_t point\)\n\{\n([\s\S]*?)\n\s*\};/.exec(source)[1]
  const ranges = [...table.matchAll(/\{ 0x([0-9a-f]+), 0x([0-9a-f]+) \}/g)].map(([, first, last]) => [
    parseInt(first, 16),
    parseInt(last, 16),
  ])
  assert.ok(ranges.length > 15)
  // Beside it: controls, halves of pairs, and line ends that only some programs see. The selector of a picture's colour
  // changes how a picture looks and hides nothing.
  ranges.push([0, 0x1f], [0x7f, 0x9f], [0x2028, 0x2029], [0xd800, 0xdfff])
  const isOurs = (point) => point != 0xfe0f && ranges.some(([first, last]) => point >= first && point <= last)
  const wrong = []
  // Between them lie signs that are seen, and nothing.
  for (let point = 0; point < 0xe2000; point += point == 0x1ffff ? 0xc0001 : 1)
    if ((marks(String.fromCodePoint(point)).length == 1) != isOurs(point)) wrong.push('U+' + point.toString(16))
  assert.deepEqual(wrong, [])
})
