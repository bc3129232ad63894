// Calls on their way to another subdomain: what says who somebody is, and what they did, goes along in a cookie of
// the domain when the page is left, as far as there is room. localStorage stays behind with its origin.
// The messageId makes it one call again, should it arrive from both.
import { toJson } from './json'

/** Of the cookie. A site's servers refuse requests whose cookies are too large. */
const LENGTH_MAX = 3000
export const CARRY_S = 3600

export const carryName = (writeKey: string): string => 'onym_' + encodeURIComponent(writeKey)

/**
 * `calls` in their order; `rankOf` says which go first where there is no room for all (the later first among equals),
 * and undefined which stay behind. Gives the cookie's value, not yet encoded; empty when nothing goes.
 */
export const pack = (calls: unknown[], rankOf: (call: any) => number | undefined): string => {
  let left = LENGTH_MAX
  const texts: string[] = []
  for (const rank of [0, 1])
    for (let at = calls.length; at--; ) {
      const text = rankOf(calls[at]) === rank && toJson(calls[at])
      const length = encodeURIComponent(text + ',').length
      if (text && length <= left) {
        left -= length
        texts[at] = text
      }
    }
  return texts.length ? '[' + Object.values(texts) + ']' : ''
}

/** identify, alias and group first, then what the visitor did; page views stay. */
export const rankOfMethod = (method: string): number | undefined =>
  /^(identify|alias|group|reset|setAnonymousId)$/.test(method) ? 0 : method == 'track' ? 1 : undefined
