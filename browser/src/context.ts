// What a call says about its surroundings.
import { seen } from './seen'
import { attempt } from './sooner'
import { openArea } from './storage'
import type { Json, Noted, PageState } from './types'

export const VERSION = '1.0.0'

let canonical: string | null | undefined
let canonicalPath: string | undefined

/**
 * A canonical link that is still the one of another path is an app's that has moved on: it says nothing of this one.
 */
const readCanonical = (): string | null | undefined => {
  const found = seen('querySelector').call(document, 'link[rel=canonical]')?.getAttribute('href')
  if (found != canonical || !canonicalPath) {
    canonical = found
    canonicalPath = location.pathname
  }
  return canonicalPath == location.pathname ? found : undefined
}

/** The page as it is now. */
export const notePage = (referrer = document.referrer): Noted => ({
  c: readCanonical(),
  p: location.pathname,
  u: location.href,
  s: location.search,
  t: document.title,
  r: referrer,
})

/** The page as calls carry it: under its canonical address, where it has one, and without the hash. */
export const makePage = ({ c, p, u, s, t, r }: Noted): PageState => {
  let url = u.replace(/#.*/, '')
  if (c) {
    const link = seen('createElement').call(document, 'a')
    link.href = c
    p = link.pathname
    url = link.search ? link.href : link.href + s
  }
  return { path: p, referrer: r, search: s, title: t, url }
}

export const readParams = (search: string): Json => Object.fromEntries(new URLSearchParams(search))

/** Stands in a stored call for a zone that nobody has asked for yet. */
const UNASKED = 'onym:zone'

let zone: unknown
let mayStayUnasked = false
/** Where only Intl tells, asking takes longer than all the rest of a page's calls: once a tab. */
const ask = (): string | null => {
  const store = openArea('sessionStorage')
  const found = store.read(UNASKED) ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? null
  store.write(UNASKED, found)
  return found
}
const timezone = (): unknown =>
  (zone ||= attempt<unknown>(() => (window as any).Temporal?.Now?.timeZoneId() ?? ask(), () => null))

/** Whoever reads the zone of this context (a plugin, JSON) makes the browser tell it, and nobody before. */
export const addTimezone = (context: Json): Json => ({
  get timezone() {
    return mayStayUnasked && !zone ? UNASKED : timezone()
  },
  set timezone(value) {
    Object.defineProperty(this, 'timezone', { value, writable: true })
  },
  ...context,
})

/** Runs `write`, in which the zone stays open; `fillTimezone` puts it in when the text is sent. */
export const withoutTimezone = (write: () => string): string => {
  mayStayUnasked = true
  const text = write()
  mayStayUnasked = false
  return text
}
export const fillTimezone = (text: string): string =>
  text.replace(`"${UNASKED}"`, () => JSON.stringify(timezone()))

export const readContext = ({ search }: PageState): Json => {
  const campaign: Json = {}
  for (const [key, value] of new URLSearchParams(search))
    if (/^utm_./.test(key)) campaign[key == 'utm_campaign' ? 'name' : key.slice(4)] = value
  return {
    userAgent: navigator.userAgent,
    userAgentData: (navigator as any).userAgentData,
    locale: navigator.language,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    campaign: search ? campaign : undefined,
    library: { name: 'onym.js', version: VERSION },
  }
}
