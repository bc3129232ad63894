// Which argument is which: analytics.js lets a caller leave out any of them.
import { isFunction } from './sooner'
import type { Callback, CallOptions, Json } from './types'

const isObject = (value: unknown): value is Json => !!value && typeof value == 'object'

export type Args = [texts: Array<string | undefined>, data: Json, options: CallOptions, callback?: Callback]

/**
 * What a site has in hand for nobody (undefined, null, '', false, NaN) is no id: it neither logs out nor makes
 * a user of that name.
 */
export const readText = (value: unknown, method?: string): string | undefined => {
  if (/^(page|screen|track)$/.test(method!)) return value == null ? undefined : String(value)
  return /^(string|number|bigint)$/.test(typeof value) && value === value ? String(value) || undefined : undefined
}

/**
 * Texts first, then up to two objects, then a function. Two texts for page, screen and alias, one for the
 * others; `null` and `undefined` keep a text's place.
 */
export const readArgs = (method: string, args: unknown[]): Args => {
  const rest = args.filter((value) => !isFunction(value))
  const texts: Args[0] = []
  const textCount = /^(page|screen|alias)$/.test(method) ? 2 : 1
  while (texts.length < textCount && rest.length && !isObject(rest[0])) {
    texts.push(readText(rest.shift(), method))
  }
  if (method == 'alias') rest.unshift({})
  const [data, options] = rest.map((value) => (isObject(value) ? value : {}))
  return [texts, data ?? {}, options ?? {}, args.find(isFunction)]
}
