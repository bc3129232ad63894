// Where ids and traits live: cookie, localStorage, or memory when the browser allows neither.
// Every read goes to the browser, never to a copy: another tab may have logged the visitor in or out.
import { attempt } from './sooner'
import { findCookie, findCookieDomain, readCookies, writeCookie } from './cookie'
import { troubles } from './health'
import type { LoadOptions } from './types'

/** localStorage and sessionStorage work as plain records, and a plain record stands in for them. */
export type Area = Record<string, string>

export interface Store {
  /** The bare text, or null when absent. */
  read(key: string): string | null
  /** null removes. `text` is an id, or JSON when `isJson`. */
  write(key: string, text: string | null, isJson?: boolean): void
}

/**
 * Undefined where the browser throws at the mere mention, has null there, or a file that is broken, so that reading or
 * removing throws. A write may still throw, when it is full.
 */
export const webArea = (name: 'localStorage' | 'sessionStorage'): Area | undefined => {
  let area: any
  // No walk through all that the site stores: whoever needs one sees the same.
  return attempt(() => delete (area = window[name])[area.onym + area.length] && area) as Area | undefined
}

/** Ids are JSON text in localStorage (`null` for nobody), and in the cookies of older libraries. */
const unquote = (text: string | null | undefined): string | null =>
  attempt<any>(() => (/^["n]/.test(text!) ? JSON.parse(text!) : text || null), () => text)

/** What the browser will not write (it is full) lives as long as the page; an older text would be a lie. */
export const makeAreaStore = (area: Area): Store => {
  const overlay: Area = {}
  return {
    read: (key) => unquote(area[key] ?? overlay[key]),
    write(key, text, isJson) {
      delete overlay[key]
      if (text === null) {
        delete area[key]
        return
      }
      attempt<unknown>(
        () => (area[key] = text = isJson ? text! : JSON.stringify(text)),
        () => {
          delete area[key]
          overlay[key] = text!
          troubles.add('storage_full')
        },
      )
    },
  }
}

/** A store in any case: one that lasts as long as the page where the browser has none to give. */
export const openArea = (name: 'localStorage' | 'sessionStorage'): Store =>
  makeAreaStore(webArea(name) ?? {})

/**
 * `remembered` outlives the page. A cookie that cannot be changed (HttpOnly, Secure, a path or a jar out of
 * reach) is disregarded as long as it stays as it is: memory and localStorage have the visitor.
 */
const makeCookieStore = (
  options: LoadOptions['cookie'],
  domain: string,
  remembered: Store,
): Store => {
  const meant: Record<string, string | null> = {}
  return {
    read(key) {
      const stuck = remembered.read('onym:stuck:' + key)
      if (stuck === null) return unquote(findCookie(key, options, domain))
      troubles.add('cookie_stuck:' + key)
      return unquote(readCookies(key).find((value) => value != stuck) ?? meant[key])
    },
    write(key, text) {
      const stuck = writeCookie(key, (meant[key] = text), options, domain)
      remembered.write('onym:stuck:' + key, stuck)
      if (stuck === null) troubles.delete('cookie_stuck:' + key)
    },
  }
}

/** The stores of a browser, each opened once and absent where blocked. */
export interface Stores {
  cookie?: Store | undefined
  localStorage?: Store | undefined
  memory: Store
  /** The domain that cookies are set on; empty for the host alone. */
  domain?: string | undefined
  /** An earlier page of this tab has found the domain, and begun the cookies' days afresh. */
  isKnown?: boolean
}

/**
 * Each cookie that is written makes the next look at the cookies wait for another process, for milliseconds: the probes
 * are made once a tab.
 */
const findDomainOnce = (wanted = ''): [domain: string | undefined, isKnown: boolean] => {
  const session = openArea('sessionStorage')
  const name = 'onym:domain:' + wanted
  const known = session.read(name)
  const domain = known ?? findCookieDomain(wanted)
  if (domain !== undefined) session.write(name, domain)
  return [domain, known !== null]
}

export const openStores = (options: LoadOptions, memory: Store): Stores => {
  if (options.disableClientPersistence) return { memory }
  const [domain, isKnown] = findDomainOnce(options.cookie?.domain)
  const area = webArea('localStorage')
  const local = area && makeAreaStore(area)
  return {
    cookie: domain === undefined ? domain : makeCookieStore(options.cookie, domain, local ?? makeAreaStore({})),
    localStorage: local,
    memory,
    domain,
    isKnown,
  }
}
