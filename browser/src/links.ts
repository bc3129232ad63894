// trackLink and trackForm. Unlike other libraries' they never hold the navigation back: the call is in
// storage when the handler returns, so there is nothing to wait for.
import { isFunction } from './sooner'
import type { CallOptions, Json } from './types'

export type Target =
  Element | Iterable<Element> | ArrayLike<Element> | { toArray(): Element[] } | null | undefined
export type FromElement<T> = T | ((element: Element) => T)
type Track = (event: string, properties: Json, options?: CallOptions) => unknown

export const resolve = <T, From>(value: T | ((from: From) => T), from: From): T =>
  isFunction(value) ? (value(from as any) as T) : (value as T)

export const makeTracker =
  (track: Track, domEvent: 'click' | 'submit') =>
  (
    targets: Target,
    event: FromElement<string>,
    properties?: FromElement<Json | undefined>,
    options?: CallOptions,
  ) => {
    // An element of a frame is not an instance of this window's class.
    const isElement = /Element]$/.test({}.toString.call(targets))
    const elements = isElement ? [targets as Element] : Array.from((targets ?? []) as ArrayLike<Element>)
    elements.forEach((element) => {
      const onEvent = () => {
        track(resolve(event, element), resolve(properties, element)!, options)
      }
      // jQuery's form.submit() tells only jQuery's own handlers.
      const jQuery = (window as any).jQuery
      if (jQuery) jQuery(element).on(domEvent, onEvent)
      else element.addEventListener(domEvent, onEvent)
    })
  }
