// Names for calls. A mark is both the messageId and the key under which the call is stored, so it
// sorts in the order of the calls: milliseconds, a counter within the millisecond, then 122 random bits.
// The clock of a page never runs backwards here: a call must not sort before one made earlier.
import type { Mark } from './types'

let lastAt = 0
let count = 0

export const uuid = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 15) | 64
  bytes[8] = (bytes[8]! & 63) | 128
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('')
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export const mark = (now = Date.now()): Mark => {
  count = now > lastAt ? 0 : count + 1
  lastAt = Math.max(now, lastAt)
  return [lastAt, lastAt + ('000' + count).slice(-4) + '-' + uuid()]
}

/** The time inside a mark's id. */
export const markTime = (id: string): number => +id.slice(0, 13)
