// What a call says about its surroundings.
import type { Json, Noted, PageState } from './types'

export const VERSION = '1.0.0'

/** The page as it is now. */
export const notePage = (referrer = document.referrer): Noted => ({
  c: document.querySelector('link[rel=canonical]')?.getAttribute('href'),
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
    const link = document.createElement('a')
    link.href = c
    p = link.pathname
    url = link.search ? link.href : link.href + s
  }
  return { path: p, referrer: r, search: s, title: t, url }
}

export const readParams = (search: string): Json => Object.fromEntries(new URLSearchParams(search))

/** The parameters that begin with `prefix`, without it. */
export const pickParams = (params: Json, prefix: string): Json =>
  Object.fromEntries(
    Object.entries(params).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  )

export const readContext = ({ search }: PageState): Json => {
  const { campaign: name, ...others } = pickParams(readParams(search), 'utm_')
  return {
    userAgent: navigator.userAgent,
    userAgentData: (navigator as any).userAgentData,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    campaign: search ? { name, ...others } : undefined,
    library: { name: 'onym.js', version: VERSION },
  }
}
