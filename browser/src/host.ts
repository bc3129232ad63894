// Where calls are sent: what the options say, else where the script came from.
import type { LoadOptions } from './types'

/** Base, home and key of ".../analytics.js/v1/KEY/". */
const read = (src: string): string[] => /^(.*)\/analytics\.js\/v1\/([^/]+)\//.exec(src) ?? []

/** "https://t.example.com", with any path, of ".../analytics.js/v1/KEY/analytics.min.js"; and KEY. */
export const readScript = (src: string): { home?: string; writeKey?: string } => {
  const [, home, writeKey] = read(src)
  return writeKey ? { home: home!, writeKey: decodeURIComponent(writeKey) } : src ? { home: new URL(src).origin } : {}
}

/** The second file: .../more.min.js beside .../analytics.min.js; /WORD/m.js for /WORD.js. */
export const besideScript = (src: string): string => {
  const [base] = read(src)
  return base ? base + 'more.min.js' : src.replace(/\.js[^/]*$/, '/m.js')
}

/**
 * The base of the collection paths, "https://host/v1"; "https://host/WORD" where the source has a path of its own.
 * `apiHost` is a host with or without scheme;
 * `integrations["Segment.io"].apiHost` is the whole base without scheme, as analytics-next has it.
 */
export const apiBase = (options: LoadOptions, home: string | undefined): string => {
  const { apiHost, protocol = home?.split(':')[0] ?? 'https' } = options.integrations?.['Segment.io'] ?? {}
  const host: string = options.apiHost ?? apiHost ?? home ?? location.origin
  const url = (host.includes('//') ? '' : protocol + '://') + host.replace(/\/+$/, '')
  const { ownPath } = options
  return !ownPath && host == apiHost ? url : url.replace(/([^/])\/v1$/, '$1') + '/' + (ownPath || 'v1')
}
