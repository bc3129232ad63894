// What clients send is hostile text: anybody with a write key writes it. Before it is shown, characters that cannot be
// seen, or that change how others are seen (controls, bidi marks, zero-width ones, tags, halves of surrogate pairs), are
// told by name. Markup needs nothing: a text node is never read as markup.

/** A stretch of text; `mark` is what stands for a character that cannot be seen. */
export interface Piece {
  text: string
  mark?: string
}

/** The program's own table (src/base/unseen.c), controls, halves of pairs, line ends; npm test compares them. */
const UNSEEN = new RegExp(
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f' +
    '\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0e\\ufeff\\uffa0\\ufff0-\\ufffb\\ud800-\\udfff' +
    '\\u{13430}-\\u{1343f}\\u{1bca0}-\\u{1bca3}\\u{1d159}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]',
  'gu',
)
const NAMES: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0' }
const PICTURE = /\p{Extended_Pictographic}|\ufe0f|[\u{1f3fb}-\u{1f3ff}]/u

/** A joiner between two pictures makes one of them: a family, a flag. It is seen. */
const joinsPictures = (text: string, at: number) =>
  text[at] == '\u200d' && PICTURE.test(text.slice(Math.max(0, at - 2), at)) && PICTURE.test(text.slice(at + 1, at + 3))

/** Splits a text; at most `most` characters are shown, and `cut` says how many were not. */
export const pieces = (text: string, most = 2000): { pieces: Piece[]; cut: number } => {
  let shown = text
  if (text.length > most) {
    const last = text.charCodeAt(most - 1)
    shown = text.slice(0, last >= 0xd800 && last < 0xdc00 ? most - 1 : most)
  }
  const found: Piece[] = []
  let from = 0
  for (const match of shown.matchAll(UNSEEN)) {
    const at = match.index
    if (joinsPictures(shown, at)) continue
    if (at > from) found.push({ text: shown.slice(from, at) })
    const code = match[0].codePointAt(0)!
    found.push({ text: match[0], mark: NAMES[match[0]] ?? 'U+' + code.toString(16).toUpperCase().padStart(4, '0') })
    from = at + match[0].length
  }
  if (from < shown.length) found.push({ text: shown.slice(from) })
  return { pieces: found, cut: text.length - shown.length }
}

/** The same as one string, for titles, labels of pictures and lists. */
export const plain = (text: string, most = 60) => {
  const split = pieces(text, most)
  return split.pieces.map((piece) => (piece.mark ? `‹${piece.mark}›` : piece.text)).join('') + (split.cut ? '…' : '')
}

/** A value of an event or a trait: a text as it is, everything else as JSON. */
export const valueText = (value: unknown): string => (typeof value == 'string' ? value : (JSON.stringify(value) ?? ''))

/** What a group of an answer is called. */
export const groupName = (value: unknown): string =>
  value === null ? '(none)' : value === '' ? '(empty)' : valueText(value)
