// Which argument is which: analytics.js lets a caller leave out any of them.
import type { Callback, CallOptions, Json } from './types'

const isObject = (value: unknown): value is Json => !!value && typeof value == 'object'
const isFunction = (value: unknown): value is Callback => typeof value == 'function'

export type Args = [texts: Array<string | undefined>, data: Json, options: CallOptions, callback?: Callback]

/**
 * Texts first, then up to two objects, then a function. Two texts for page, screen and alias, one for the
 * others; `null` and `undefined` keep a text's place.
 */
export const readArgs = (method: string, args: unknown[]): Args => {
  const rest = args.filter((value) => !isFunction(value))
  const texts: Args[0] = []
  const textCount = /^(page|screen|alias)$/.test(method) ? 2 : 1
  while (texts.length < textCount && rest.length && !isObject(rest[0])) {
    const value = rest.shift()
    texts.push(value == null ? undefined : '' + value)
  }
  if (method == 'alias') rest.unshift({})
  const [data, options] = rest.map((value) => (isObject(value) ? value : {}))
  return [texts, data ?? {}, options ?? {}, args.find(isFunction)]
}
