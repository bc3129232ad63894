// The calls that the server has not answered for yet, one storage entry each.
//
// One entry a call, never one list of calls: adding and removing are then single writes, and two tabs that
// do so at once cannot undo each other. Keys sort in the order of the calls (mark.ts).
// An entry whose text begins with ~ is not ready: plugins of the page that made it are still at work.
import { webArea, type Area } from './storage'

/** Beyond this many waiting calls new ones stay in memory: the site needs its storage too. */
const STORED_MAX = 1000

export interface Queue {
  put(id: string, text: string): void
  get(id: string): string | undefined
  remove(id: string): void
  /** The ids of all calls that wait, from every tab of the site, oldest first. */
  list(): string[]
}

export const openQueue = (writeKey: string): Queue => {
  const prefix = 'onym:' + writeKey + ':'
  const memory: Area = {}
  const areas = [webArea('localStorage'), webArea('sessionStorage'), memory].filter(Boolean) as Area[]
  const keysOf = (area: Area) => Object.keys(area).filter((key) => key.startsWith(prefix))
  return {
    put(id, text) {
      const key = prefix + id
      for (const area of areas) {
        try {
          if (area == memory || area[key] || keysOf(area).length < STORED_MAX) {
            area[key] = text
            return
          }
        } catch {
          // full: the next area takes it
        }
      }
    },
    get: (id) => areas.map((area) => area[prefix + id]).find(Boolean),
    remove: (id) => areas.forEach((area) => delete area[prefix + id]),
    list: () =>
      areas
        .flatMap(keysOf)
        .map((key) => key.slice(prefix.length))
        .sort(),
  }
}
