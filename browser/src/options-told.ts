// Which load options do nothing here is told in the console. (In the second file.)
import type { LoadOptions } from './types'

/** Every key of LoadOptions; a test compares the two. */
const KNOWN =
  'apiHost autoPage cdnSettings consent cookie disable disableClientPersistence group initialPageview integrations ' +
  'ownPath respectDNT respectGPC serverCookie storage takeOver updateCDNSettings useQueryString user'

export const warnOfOptions = (options: LoadOptions, isPlus: boolean, hasTools: boolean): void => {
  const known = (KNOWN + (isPlus ? ' attribution losses' : '') + (hasTools ? ' deviceMode' : '')).split(' ')
  const others = Object.keys(options).filter((name) => !known.includes(name))
  if (others.length) console.warn('Onym: options ignored: ' + others)
}
