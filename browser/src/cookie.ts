// Cookies as analytics.js writes them: the bare text percent-encoded, 365 days, SameSite=Lax, on the widest
// domain that the browser accepts, so that all subdomains share one visitor.
import type { LoadOptions } from './types'

const PROBE = '__tld__'

export const readCookie = (name: string): string | undefined => {
  const text = ('; ' + document.cookie).split('; ' + name + '=')[1]?.split(';')[0]
  try {
    return text && decodeURIComponent(text)
  } catch {
    return text
  }
}

export const writeCookie = (
  name: string,
  value: string | null,
  { path = '/', maxage = 365, sameSite = 'Lax', secure }: LoadOptions['cookie'] = {},
  domain?: string,
): void => {
  document.cookie =
    `${name}=${encodeURIComponent(value ?? '')};path=${path};samesite=${sameSite};max-age=` +
    (value === null ? 0 : maxage * 86400) +
    (domain ? ';domain=' + domain : '') +
    (secure ? ';secure' : '')
}

/**
 * The widest domain on which a probe cookie sticks: `wanted`, else from example.com downwards, else '' for
 * the host alone (localhost, addresses). Undefined where the browser takes no cookie at all.
 */
export const findCookieDomain = (wanted?: string): string | undefined => {
  const labels = /[\d\]]$/.test(location.hostname) ? [] : location.hostname.split('.')
  const domains = labels.map((_, index) => labels.slice(-2 - index).join('.')).slice(0, -1)
  return (wanted ? [wanted] : [...domains, '']).find((domain) => {
    try {
      writeCookie(PROBE, '1', {}, domain)
      const sticks = readCookie(PROBE)
      writeCookie(PROBE, null, {}, domain)
      return sticks
    } catch {
      // a sandboxed frame
      return false
    }
  })
}
