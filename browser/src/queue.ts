// The calls that the server has not answered for yet: this page's own in memory, and all of them in storage,
// one entry each.
//
// One entry a call, never one list of calls: adding and removing are then single writes, and two tabs that
// do so at once cannot undo each other. Keys sort in the order of the calls (mark.ts).
// An entry whose text begins with ~ is not ready: plugins of the page that made it are still at work.
//
// Storage can vanish under the page (localStorage.clear(), Clear-Site-Data): the page's own calls are sent from
// memory, and stored again. What another tab removes, it has sent or forgotten: that is forgotten here too.
import { troubles } from './health'
import { webArea } from './storage'

/** Beyond this many waiting calls new ones stay in memory: the site needs its storage too. */
const STORED_MAX = 1000
const MEMORY_MAX = 3000
/** How long a list of what other pages have stored is taken for true. */
const LOOK_MS = 3000

export interface Queue {
  put(key: string, text: string): void
  get(key: string): string | undefined
  drop(key: string): void
  /** The keys of all calls that wait, from every tab of the site, oldest first. */
  list(): string[]
  /** The page goes: what is in storage is the next page's to send, even should this one come back. */
  handOver(): void
}

/** A page view may be lost before anything that says who somebody is, or what they did. */
const isView = (text: string | undefined): boolean => /^~?\{"type":"(page|screen)"/.test(text!)

/** `isPersistent` false: the calls live as long as the page. */
export const openQueue = (writeKey: string, isPersistent: boolean): Queue => {
  // A key with a colon must not read like the beginning of another.
  const prefix = 'onym:' + encodeURIComponent(writeKey) + ':'
  const own = new Map<string, string>()
  /** Those of them that storage took: when they are gone from there, something has emptied it. */
  const safe = new Set<string>()
  const stored = (key: string) => areas.map(([area]) => area[prefix + key]).find(Boolean)
  /** With the calls in each, as of the last look; a call costs no walk through all that the site stores. */
  const areas = (isPersistent ? (['localStorage', 'sessionStorage'] as const) : []).flatMap((name) => {
    const area = webArea(name)
    return area ? [[area, new Set<string>()] as const] : []
  })
  let lookedAt: number

  const look = () => {
    lookedAt = performance.now()
    for (const [area, keys] of areas) {
      keys.clear()
      for (const name of Object.keys(area)) if (name.startsWith(prefix)) keys.add(name.slice(prefix.length))
    }
  }
  look()

  const removeStored = (key: string) =>
    areas.forEach(([area, keys]) => {
      delete area[prefix + key]
      keys.delete(key)
    })

  const store = (key: string, text: string) => {
    for (const [area, keys] of areas) {
      let view: string | undefined
      do {
        // Room is made: the oldest page view in the area lives in memory from now on.
        if (view) {
          own.set(view, area[prefix + view]!)
          removeStored(view)
        }
        try {
          if (keys.has(key) || keys.size < STORED_MAX) {
            area[prefix + key] = text
            keys.add(key)
            safe.add(key)
            return
          }
        } catch {
          // full: a page view makes room, or the next area takes it
        }
        view = isView(text) ? undefined : [...keys].sort().find((key) => isView(area[prefix + key]))
      } while (view)
    }
  }

  addEventListener('storage', ({ key, newValue }) => {
    if (!key?.startsWith(prefix)) return
    lookedAt = NaN
    if (newValue === null) own.delete(key.slice(prefix.length))
  })

  return {
    put(key, text) {
      own.set(key, text)
      store(key, text)
      if (own.size > MEMORY_MAX) {
        const kept = [...own]
        const [oldest] = kept.find(([, text]) => isView(text)) ?? kept[0]!
        this.drop(oldest)
        troubles.add('queue_full')
      }
    },
    get: (key) => own.get(key) ?? stored(key),
    drop(key) {
      own.delete(key)
      safe.delete(key)
      removeStored(key)
    },
    list() {
      // Also where it is not known when.
      if (!(performance.now() - lookedAt < LOOK_MS)) look()
      for (const [key, text] of own) if (safe.has(key) && !stored(key)) store(key, text)
      return [...new Set([...own.keys(), ...areas.flatMap(([, keys]) => [...keys])])].sort()
    },
    handOver() {
      own.forEach((_, key) => stored(key) && own.delete(key))
      lookedAt = NaN
    },
  }
}
