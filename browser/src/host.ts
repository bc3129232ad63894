// Where calls are sent: what the options say, else where the script came from.
import type { LoadOptions } from './types'

/** "https://t.example.com", with any path, of ".../analytics.js/v1/KEY/analytics.min.js"; and KEY. */
export const readScript = (src: string): { home?: string; writeKey?: string } => {
  const [, home, writeKey] = /^(.*)\/analytics\.js\/v1\/([^/]+)\//.exec(src) ?? []
  if (home !== undefined) return { home, writeKey: decodeURIComponent(writeKey!) }
  return src ? { home: new URL(src).origin } : {}
}

/**
 * The base of the collection paths, "https://host/v1". `apiHost` is a host with or without scheme;
 * `integrations["Segment.io"].apiHost` is the whole base without scheme, as analytics-next has it.
 */
export const apiBase = (options: LoadOptions, home: string | undefined): string => {
  const { apiHost, protocol = home?.split(':')[0] ?? 'https' } = options.integrations?.['Segment.io'] ?? {}
  const host: string = options.apiHost ?? apiHost ?? home ?? location.origin
  const url = (host.includes('//') ? '' : protocol + '://') + host.replace(/\/$/, '')
  return host == apiHost || url.endsWith('/v1') ? url : url + '/v1'
}
