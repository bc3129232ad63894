// Where ids and traits live: cookie, localStorage, or memory when the browser allows neither.
// Every read goes to the browser, never to a copy: another tab may have logged the visitor in or out.
import { findCookieDomain, readCookie, writeCookie } from './cookie'
import type { LoadOptions } from './types'

/** localStorage and sessionStorage work as plain records, and a plain record stands in for them. */
export type Area = Record<string, string>

export interface Store {
  /** The bare text, or null when absent. */
  get(key: string): string | null
  /** null removes. `text` is an id, or JSON when `isJson`. */
  set(key: string, text: string | null, isJson?: boolean): void
}

/** Undefined where the browser throws at the mere mention. A write may still throw, when it is full. */
export const webArea = (name: 'localStorage' | 'sessionStorage'): Area | undefined => {
  try {
    return window[name] as unknown as Area
  } catch {
    return undefined
  }
}

/** Ids are JSON text in localStorage (`null` for nobody), and in the cookies of older libraries. */
const unquote = (text: string | null | undefined): string | null => {
  try {
    return /^["n]/.test(text!) ? JSON.parse(text!) : text || null
  } catch {
    return text!
  }
}

export const makeAreaStore = (area: Area): Store => ({
  get: (key) => unquote(area[key]),
  set(key, text, isJson) {
    try {
      if (text === null) delete area[key]
      else area[key] = isJson ? text : JSON.stringify(text)
    } catch {
      // full: the other stores still have it
    }
  },
})

/** A store in any case: one that lasts as long as the page where the browser has none to give. */
export const openArea = (name: 'localStorage' | 'sessionStorage'): Store =>
  makeAreaStore(webArea(name) ?? {})

const makeCookieStore = (options: LoadOptions['cookie'], domain: string | undefined): Store => ({
  get: (key) => unquote(readCookie(key)),
  set: (key, text) => writeCookie(key, text, options, domain),
})

/** The stores of a browser, each opened once and absent where blocked. */
export interface Stores {
  cookie?: Store | undefined
  localStorage?: Store | undefined
  memory: Store
  /** The domain that cookies are set on; empty for the host alone. */
  domain?: string | undefined
}

export const openStores = (options: LoadOptions, memory: Store): Stores => {
  if (options.disableClientPersistence) return { memory }
  const domain = findCookieDomain(options.cookie?.domain)
  const area = webArea('localStorage')
  return {
    cookie: domain === undefined ? domain : makeCookieStore(options.cookie, domain),
    localStorage: area && makeAreaStore(area),
    memory,
    domain,
  }
}
