// Whose time a shared device was: a lane a device, in stretches of one person each. As identity.md has it: an event
// without a user is that of the last link before it, and what lies before the first link is the first claimant's.
import type { Link, Person } from './api'

export interface Stretch {
  user: string
  /** Of the person whose page it is. */
  isOwn: boolean
  start: string
  end: string
  links: number
}
export interface Lane {
  device: string
  stretches: Stretch[]
}

/** Devices that several people used, by their first link. `until`: how far lanes are drawn. */
export const lanesOf = (
  person: Pick<Person, 'user_ids' | 'first_seen' | 'last_seen'>,
  links: Link[],
  until: string,
): Lane[] => {
  const devices = new Map<string, { user: string; time: string; id: string }[]>()
  for (const link of links) {
    const device = [link.from, link.to].find((one) => one.type == 'anonymous_id')
    const user = [link.from, link.to].find((one) => one.type == 'user_id')
    if (!device || !user || link.removed) continue
    if (!devices.has(device.id)) devices.set(device.id, [])
    devices.get(device.id)!.push({ user: user.id, time: link.time, id: link.message_id ?? '' })
  }
  const isOwn = (user: string) => person.user_ids.includes(user)
  const lanes: Lane[] = []
  for (const [device, claims] of devices) {
    if (claims.every((one) => isOwn(one.user))) continue
    claims.sort((a, b) => compare(a.time, b.time) || compare(a.id, b.id))
    const stretches: Stretch[] = []
    for (const one of claims) {
      const last = stretches[stretches.length - 1]
      // Several user ids of this person are one; of others, who is one with whom is not known here.
      if (last && (last.user == one.user || (last.isOwn && isOwn(one.user)))) {
        last.links++
        continue
      }
      if (last) last.end = one.time
      stretches.push({ user: one.user, isOwn: isOwn(one.user), start: one.time, end: until, links: 1 })
    }
    const first = stretches[0]
    if (first.isOwn && person.first_seen && person.first_seen < first.start) first.start = person.first_seen
    const end = stretches[stretches.length - 1]
    if (end.end < end.start) end.end = end.start
    lanes.push({ device, stretches })
  }
  return lanes.sort((a, b) => compare(a.stretches[0].start, b.stretches[0].start) || compare(a.device, b.device))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
