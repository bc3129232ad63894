// A UUID of a messageId, the same everywhere: version 5 by RFC 9562, in the namespace of OIDs (uuid.uuid5(uuid.NAMESPACE_OID,
// message_id) in Python). Pages without TLS have no crypto.subtle, and a call cannot wait for it.
const UUID = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i
const turn = (word, by) => (word << by) | (word >>> (32 - by))

const sha1 = (bytes) => {
  const words = new Int32Array(((bytes.length + 72) >> 6) << 4)
  ;[...bytes, 128].forEach((byte, at) => (words[at >> 2] |= byte << (24 - (at % 4) * 8)))
  words[words.length - 1] = bytes.length * 8
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]
  for (let block = 0; block < words.length; block += 16) {
    let [a, b, c, d, e] = state
    const w = []
    for (let at = 0; at < 80; at++) {
      w[at] = at < 16 ? words[block + at] : turn(w[at - 3] ^ w[at - 8] ^ w[at - 14] ^ w[at - 16], 1)
      const mixed = at < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : at < 40 ? (b ^ c ^ d) + 0x6ed9eba1 : at < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6
      ;[a, b, c, d, e] = [(turn(a, 5) + mixed + e + w[at]) | 0, a, turn(b, 30), c, d]
    }
    state = [a, b, c, d, e].map((word, at) => (word + state[at]) | 0)
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

export const uuidOf = (text) =>
  UUID.test(text)
    ? text
    : sha1([0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8, ...new TextEncoder().encode(text)]).replace(
        /(.{8})(.{4}).(.{3})(.)(.{3})(.{12}).*/,
        (_, a, b, c, d, e, f) => `${a}-${b}-5${c}-${((parseInt(d, 16) & 3) | 8).toString(16)}${e}-${f}`,
      )
