// Names for calls. A mark is both the messageId and the key under which the call is stored, so it sorts in
// the order of the calls: milliseconds, a counter, and the id of the page, which is random.
// The clock of a page never runs backwards here: a call must not sort before one made earlier.
import { attempt } from './sooner'
import { openArea } from './storage'
import type { Mark } from './types'

/** The pages that this tab has been on lately, as far as their ids are remembered. */
const PAGES_LENGTH = 720

/** The 8 gives two bits to chance, the 0s four. */
export const uuid = (): string => {
  // None in an old browser, or one that has been tampered with.
  const chances = attempt<any>(() => crypto.getRandomValues(new Uint8Array(36)))
  return '00000000-0000-4000-8000-000000000000'.replace(/[08]/g, (digit, at) =>
    (+digit ^ ((chances?.[at] ?? Math.random() * 16) & (15 >> (+digit / 4)))).toString(16),
  )
}

let lastAt = 0
let count = 0
let pageId = ''
/** Of a uuid: keys end with their page's. */
const PAGE_LENGTH = 36
/** Made at the first call: a server that only imports the library may have no randomness at that moment. */
const page = (): string => (pageId ||= uuid())

/** What this page's keys end with. */
export const pageName = page

/** A key that sorts like `id` and says that the call is this page's. */
export const ownKey = (id: string): string => id + '-' + page()
export const isThisPages = (key: string): boolean => key.endsWith(page())
/** The key of a call that this page takes over from another. */
export const adoptKey = (key: string): string => key.slice(0, -PAGE_LENGTH) + page()

export const mark = (now = Date.now()): Mark => {
  count = now > lastAt ? 0 : count + 1
  lastAt = Math.max(now, lastAt)
  const id = ownKey(lastAt + ('000' + count).slice(-4))
  return [now, id, id]
}

/** The time inside a mark's key. */
export const markTime = (key: string): number => +key.slice(0, 13)

/** Says of a key whether the call was made in this tab, by this page or one that it has replaced. */
export const makeOwnership = (): ((key: string) => boolean) => {
  const store = openArea('sessionStorage')
  const pages = ((store.read('onym:pages') ?? '') + page()).slice(-PAGES_LENGTH)
  store.write('onym:pages', pages)
  return (key) => pages.includes(key.slice(-PAGE_LENGTH))
}
