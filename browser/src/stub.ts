// The stub: the array that the snippet puts at window.analytics, and that gathers calls until this library
// arrives. Onym's own snippet also keeps them in localStorage, so that calls made on a page that was left
// before the library had loaded are not lost: the next page of the site takes them over here.
import { ownKey } from './mark'
import { attempt } from './sooner'
import { webArea } from './storage'
import type { LoadOptions, Mark, Noted } from './types'

export type StubCall = [method: string, ...args: any[]]
export interface Stub extends Array<StubCall> {
  _writeKey?: string
  _loadOptions?: LoadOptions
  /** The storage key under which the snippet keeps the calls. */
  _kept?: string
  /** What stood at window.analytics before. */
  _old?: object
}

/** A call with what the snippet noted of its moment, as far as it did. */
export type Replayed = [method: string, args: any[], mark?: Mark, noted?: Noted]

export const readCall = ([method, ...args]: StubCall): Replayed => {
  const noted: Noted | undefined = args[args.length - 1]?.__t && args.pop()
  return [method, args, noted?.i ? [noted.d!, noted.i, ownKey(noted.i)] : undefined, noted]
}

/**
 * Takes what the snippet kept out of storage: gives the calls that other pages left behind, and those of this page,
 * `own`. Should another tab have taken them over, their messageId makes them one.
 */
export const takeKept = (own: Stub, writeKey: string | undefined): StubCall[] => {
  const area = webArea('localStorage') ?? {}
  if (own._kept) delete area[own._kept]
  const left = Object.keys(area)
    .filter((key) => key.startsWith('onym-early:' + encodeURIComponent(writeKey ?? '') + ':'))
    .sort()
    .flatMap((key): StubCall[] => {
      const text = area[key]!
      delete area[key]
      return attempt<StubCall[]>(
        () => JSON.parse(text),
        () => [],
      ) as StubCall[]
    })
  return [...left, ...own]
}
