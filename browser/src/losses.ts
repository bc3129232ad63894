// Option losses: calls are numbered within the page, so that the server can tell which never came. (Not in the core.)
//
// context.onym.visit is the page's id, context.onym.n the number of the call. That a call is missing behind the last
// one that came can only be known from how many there were: each page writes that down, and the next page of the site
// takes the records of pages that have gone along with its first call, as context.onym.left: [visit, count, path, age of its last call in ms].
import { toJson } from './json'
import { attempt } from './sooner'
import { webArea } from './storage'
import type { Json, Message } from './types'

const LEFT_MAX = 10
const PATH_MAX = 200
/** A page that has not said that it goes (a crash) and has been silent for so long is gone, too. */
const SILENT_MS = 3_600_000

export const makeCounter = (writeKey: string, visit: string, isPersistent: boolean) => {
  const area = isPersistent ? webArea('localStorage') : undefined
  const prefix = 'onym-left:' + encodeURIComponent(writeKey) + ':'
  const path = location.pathname.slice(0, PATH_MAX)
  let count = 0

  const note = (isGone?: boolean) => {
    // Where it is full, what is lost behind the last call of this page is not seen.
    if (area && count) attempt<unknown>(() => (area[prefix + visit] = toJson([count, path, Date.now(), isGone])))
  }
  addEventListener('pagehide', () => note(true))
  addEventListener('pageshow', () => note())

  const takeLeft = (): unknown[] | undefined => {
    let room = LEFT_MAX
    const left = Object.keys(area ?? {})
      .filter((name) => name.startsWith(prefix) && name != prefix + visit)
      .flatMap((name) => {
        const drop = (record: unknown[]): unknown[] => {
          delete area![name]
          return record
        }
        const take = () => {
          const [count, path, at, isGone] = JSON.parse(area![name]!)
          if (!isGone && Math.abs(Date.now() - at) < SILENT_MS) return []
          room--
          return drop([[name.slice(prefix.length), count, path, Math.max(Date.now() - at, 0)]])
        }
        return room ? (attempt(take, () => drop([])) as unknown[]) : []
      })
    return left.length ? left : undefined
  }

  return {
    /** Just before the call is stored, so that what a plugin drops has no number. */
    number(event: Message) {
      const left: Json = count ? {} : { left: takeLeft() }
      event.context.onym = { ...event.context.onym, visit, n: ++count, ...left }
      note()
    },
    forget() {
      Object.keys(area ?? {}).forEach((name) => name.startsWith(prefix) && delete area![name])
    },
  }
}
