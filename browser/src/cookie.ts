// Cookies as analytics.js writes them: the bare text percent-encoded, 365 days, SameSite=Lax, on the widest
// domain that the browser accepts, so that all subdomains share one visitor.
//
// One name can have many cookies: for the host, for each domain above it, for each path. Others than ours
// (a backend's, another library's, those of earlier options) stand before ours when the page reads, so that
// a log-in or a log-out would have no effect. Writing therefore ends all that the page can reach.
import { seen } from './seen'
import { attempt } from './sooner'
import type { LoadOptions } from './types'

/** A sandboxed frame has none. */
export const cookieText = (): string => attempt(() => seen('cookie'), () => '') as string

/** All values that the page sees under the name. */
export const readCookies = (name: string): string[] =>
  cookieText().split('; ').flatMap((pair) => {
    if (!pair.startsWith(name + '=')) return []
    const value = pair.slice(name.length + 1)
    return attempt(() => decodeURIComponent(value), () => value) as string
  })

/** `domain` empty: for the host alone. A null value ends the cookie. */
export const setCookie = (
  name: string,
  value: string | null,
  { path = '/', maxage = 365, sameSite = 'Lax', secure }: LoadOptions['cookie'] = {},
  domain?: string,
  more = '',
): void => {
  attempt<unknown>(
    () =>
      seen(
        'cookie',
        `${name}=${encodeURIComponent(value ?? '')};path=${path};samesite=${sameSite};max-age=` +
        Math.round(value === null ? 0 : maxage * 86400) +
        (domain ? ';domain=' + domain : '') +
        (secure ? ';secure' : '') +
        more,
      ),
    // a sandboxed frame throws; reading back tells
  )
}

/** The domains that a page of this host may set cookies on, the widest first. */
const domainsAbove = (): string[] => {
  // An address has no domains: neither 127.0.0.1 nor [::1].
  const labels = /^[\d.]+$|]$/.test(location.hostname) ? [] : location.hostname.split('.')
  return labels.map((_, index) => labels.slice(-2 - index).join('.')).slice(0, -1)
}

/** Ends every cookie of the name that this page can reach, but the one whose domain and path, in one text, are `kept`. */
export const endCookies = (name: string, kept?: string): void => {
  let above = '/'
  const paths = [above]
  for (const part of location.pathname.split('/').slice(1)) paths.push((above += part), (above += '/'))
  for (const domain of ['', location.hostname, ...domainsAbove()])
    for (const path of paths)
      if (domain + path != kept)
        for (const more of ['', ';secure;partitioned']) setCookie(name, null, { path }, domain, more)
}

/** Of several cookies of a name, the one where we write; the first where there is none, as the browser has it. */
export const findCookie = (
  name: string,
  options: LoadOptions['cookie'],
  domain: string,
): string | undefined => {
  const [first, second] = readCookies(name)
  if (second === undefined) return first
  endCookies(name, domain + (options?.path ?? '/'))
  return readCookies(name)[0] ?? first
}

/** Writes the cookie so that it is the only one of its name; gives what the page reads instead when it is not, or null. */
export const writeCookie = (
  name: string,
  value: string | null,
  options: LoadOptions['cookie'],
  domain: string,
): string | null => {
  const write = () => {
    setCookie(name, value, options, domain)
    return readCookies(name)
  }
  const [first = null, second] = write()
  if (first === value && second === undefined) return null
  endCookies(name)
  const [left = null] = write()
  return left === value ? null : (left ?? '')
}

/**
 * The widest domain on which a probe cookie sticks: `wanted`, else from example.com downwards, else '' for
 * the host alone (localhost, addresses). Undefined where the browser takes no cookie at all.
 * Its name is this page's alone: another subdomain, opened at once, would end it before it is read. Should the page end
 * in the middle, it is gone after a day.
 */
export const findCookieDomain = (wanted?: string): string | undefined => {
  const probe = '__tld__' + Math.random()
  return (wanted ? [wanted] : [...domainsAbove(), '']).find((domain) => {
    setCookie(probe, '1', { maxage: 1 }, domain)
    const sticks = readCookies(probe).length
    setCookie(probe, null, {}, domain)
    return sticks
  })
}
