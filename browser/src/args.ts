// Which argument is which: analytics.js lets a caller leave out any of them.
import type { Callback, CallOptions, Json } from './types'

const isPlain = (value: unknown): value is Json => !!value && typeof value == 'object'
const isText = (value: unknown): value is string | number =>
  typeof value == 'string' || typeof value == 'number'

export type Args = [texts: Array<string | undefined>, data: Json, options: CallOptions, callback?: Callback]

/**
 * Texts first, then up to two objects, then a function. Two texts for page, screen and alias, one for the
 * others; `null` and `undefined` keep a text's place.
 */
export const readArgs = (method: string, args: unknown[]): Args => {
  const rest = [...args]
  const callbackAt = rest.findIndex((value) => typeof value == 'function')
  const callback = callbackAt < 0 ? undefined : (rest.splice(callbackAt)[0] as Callback)
  const texts: Args[0] = []
  while (
    texts.length < (/^(page|screen|alias)$/.test(method) ? 2 : 1) &&
    rest.length &&
    !isPlain(rest[0])
  ) {
    const value = rest.shift()
    texts.push(isText(value) ? '' + value : undefined)
  }
  if (method == 'alias') rest.unshift({})
  const [data, options] = rest.map((value) => (isPlain(value) ? value : {}))
  return [texts, data ?? {}, options ?? {}, callback]
}
