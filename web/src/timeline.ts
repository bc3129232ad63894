// A person's events as visits: a pause of thirty minutes begins another. What came before anybody knew who it was (no
// user id yet, on a device that was linked later) is told apart: that is what Onym kept.
import type { Message } from './api'

export interface Moment {
  message: Message
  time: string
  isAnonymous: boolean
  isClaim: boolean
}
export interface Visit {
  start: string
  end: string
  moments: Moment[]
}

const PAUSE_MS = 30 * 60_000

export const timeOf = (message: Message) => String(message.timestamp ?? message.receivedAt ?? '')

/** `events` newest first, as the API tells them. `claims`: when each anonymous id was first linked to a user. */
export const visits = (events: Message[], claims: Map<string, string>): Visit[] => {
  const found: Visit[] = []
  for (const message of events) {
    const time = timeOf(message)
    const claimed = message.anonymousId ? claims.get(String(message.anonymousId)) : undefined
    const moment: Moment = {
      message,
      time,
      isAnonymous: !message.userId && !!message.anonymousId && claimed !== undefined && time < claimed,
      isClaim: !!message.userId && claimed !== undefined && time == claimed,
    }
    const last = found[found.length - 1]
    if (last && Date.parse(last.start) - Date.parse(time) <= PAUSE_MS) {
      last.moments.push(moment)
      last.start = time
    } else found.push({ start: time, end: time, moments: [moment] })
  }
  return found
}

/** How many of them came before the claim. */
export const keptOf = (all: Visit[]) =>
  all.reduce((sum, visit) => sum + visit.moments.filter((one) => one.isAnonymous).length, 0)
