// Two anonymous ids that are one visitor's: pages of two subdomains (or two tabs) were opened at once, for the first time,
// and each made one (identity.ts). Whichever page finds that out notes it, an entry for each id, so that pages which do so
// at once undo nothing of each other's. Calls that wait get the id that the visitor keeps. Of the other the server is told as
// soon as the visitor is known, also where this page has sent nothing under it, since another tab may have: by an alias of
// the user, which claims what came before. Whichever pages do this, and however often, the alias of an id has one
// messageId, so it is one message.
// (In the second file.)
import { areTwins, TWINS, type Visitor } from './identity'
import type { Queue } from './queue'
import type { Analytics } from './types'

export const joinTwins = ({ twins, cookie, user }: Visitor, queue: Queue, api: Analytics): void => {
  const pairs = twins()!.map((name): [id: string, other: string | null] => [name.slice(TWINS.length), cookie!.read(name)])
  // The user before the id: meanwhile somebody may log out in a page of another subdomain, which makes a new id, and
  // somebody else log in there. In the other order that user would be told of the one before's ids.
  const userId = user.id()
  const kept = user.anonymousId()!
  // The visitor's are those that lead to the id that they keep, or to another that was made at once and is not noted yet.
  const ids = new Set([kept])
  const isTheirs = (id: string) => ids.has(id) || areTwins(id, kept)
  for (const _ of pairs)
    for (const [id, other] of pairs) if (other && (isTheirs(id) || isTheirs(other))) ids.add(id).add(other)
  const others = pairs.filter(([id]) => !ids.has(id))
  ids.delete(kept)
  for (const key of queue.list()) {
    const text = queue.get(key)
    const renamed = [...ids].reduce((text, id) => text?.replaceAll(id, kept), text)
    if (renamed != text) queue.put(key, renamed!)
  }
  if (userId) ids.forEach((id) => api.alias(userId, id, { messageId: `twins-${id}-${kept}` }))
  // The server is told; or somebody has logged out since.
  for (const [id] of userId ? pairs : others) cookie!.write(TWINS + id, null)
}
