// The calls that the server has not answered for yet, one storage entry each.
//
// One entry a call, never one list of calls: adding and removing are then single writes, and two tabs that
// do so at once cannot undo each other. Keys sort in the order of the calls (mark.ts).
// An entry whose text begins with ~ is not ready: plugins of the page that made it are still at work.
import { webArea, type Area } from './storage'

/** Beyond this many waiting calls new ones stay in memory: the site needs its storage too. */
const STORED_MAX = 1000

export interface Queue {
  put(key: string, text: string): void
  get(key: string): string | undefined
  remove(key: string): void
  /** The keys of all calls that wait, from every tab of the site, oldest first. */
  list(): string[]
}

/** `isPersistent` false: the calls live as long as the page. */
export const openQueue = (writeKey: string, isPersistent: boolean): Queue => {
  const prefix = 'onym:' + writeKey + ':'
  const memory: Area = {}
  const areas = [
    isPersistent && webArea('localStorage'),
    isPersistent && webArea('sessionStorage'),
    memory,
  ].filter(Boolean) as Area[]
  const keysOf = (area: Area) => Object.keys(area).filter((key) => key.startsWith(prefix))
  return {
    put(key, text) {
      const name = prefix + key
      for (const area of areas) {
        try {
          if (area == memory || area[name] || keysOf(area).length < STORED_MAX) {
            area[name] = text
            return
          }
        } catch {
          // full: the next area takes it
        }
      }
    },
    get: (key) => areas.map((area) => area[prefix + key]).find(Boolean),
    remove: (key) => areas.forEach((area) => delete area[prefix + key]),
    list: () =>
      areas
        .flatMap(keysOf)
        .map((key) => key.slice(prefix.length))
        .sort(),
  }
}
