// trackLink and trackForm. Unlike other libraries' they never hold the navigation back: the call is in
// storage when the handler returns, so there is nothing to wait for.
import type { CallOptions, Json } from './types'

export type Target =
  Element | Iterable<Element> | ArrayLike<Element> | { toArray(): Element[] } | null | undefined
export type FromElement<T> = T | ((element: Element) => T)
type Track = (event: string, properties: Json, options?: CallOptions) => unknown

const resolve = <T>(value: FromElement<T>, element: Element): T =>
  typeof value == 'function' ? (value as (element: Element) => T)(element) : value

export const makeTracker =
  (track: Track, domEvent: 'click' | 'submit') =>
  (
    targets: Target,
    event: FromElement<string>,
    properties?: FromElement<Json | undefined>,
    options?: CallOptions,
  ) => {
    const elements = !targets
      ? []
      : targets instanceof Element
        ? [targets]
        : Array.from(targets as ArrayLike<Element>)
    elements.forEach((element) => {
      const onEvent = () => {
        track(resolve(event, element), resolve(properties, element) ?? {}, options)
      }
      // jQuery's form.submit() tells only jQuery's own handlers.
      const jQuery = (window as any).jQuery
      if (jQuery && domEvent == 'submit') jQuery(element).on(domEvent, onEvent)
      else element.addEventListener(domEvent, onEvent)
    })
  }
