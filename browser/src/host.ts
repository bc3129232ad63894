// Where calls are sent: what the options say, else where the script came from.
import type { LoadOptions } from './types'

/**
 * Of ".../analytics.js/v1/KEY/analytics.min.js", or of "/WORD.js": where the second file is beside it (.../more.min.js,
 * /WORD/m.js); home, "https://t.example.com" with any path; and KEY. None of an inline script.
 */
export const readScript = (src: string): [beside: string, home?: string, writeKey?: string] => {
  const [base, home, writeKey] = /^(.*)\/analytics\.js\/v1\/([^/]+)\//.exec(src) ?? []
  return base
    ? [base + 'more.min.js', home, decodeURIComponent(writeKey!)]
    : [src.replace(/\.js[^/]*$/, '/m.js'), src ? new URL(src).origin : undefined]
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
  return !options.ownPath && host == apiHost ? url : url.replace(/([^/])\/v1$/, '$1') + '/' + (options.ownPath || 'v1')
}
