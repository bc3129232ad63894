// Two anonymous ids that are one visitor's: pages of two subdomains (or two tabs) were opened at once, for the first time,
// and each made one (identity.ts). Calls that wait get the id that the visitor keeps. Of an id that may have gone out
// already the server is told as soon as the visitor is known: by an alias of the user, which claims what came before.
// Whichever pages find this out, and however often, the alias of an id has one messageId, so it is one message.
// (In the second file.)
import { areTwins, type Visitor } from './identity'
import type { Queue } from './queue'
import type { Analytics } from './types'

export const joinTwins = ({ twins, unsent, user }: Visitor, queue: Queue, api: Analytics): void => {
  const kept = user.anonymousId()!
  const ids = new Set(twins.get()!.split(' '))
  ids.delete('')
  // Where it is neither among them nor another that was made at once, somebody has logged out since.
  const others = ids.delete(kept) || [...ids].some((id) => areTwins(id, kept)) ? [...ids] : []
  for (const key of queue.list()) {
    const text = queue.get(key)
    const renamed = others.reduce((text, id) => text?.replaceAll(id, kept), text)
    if (renamed && renamed != text) queue.put(key, renamed)
  }
  const sent = others.filter((id) => id != unsent)
  const userId = user.id()
  if (userId) sent.forEach((id) => api.alias(userId, id, { messageId: `twins-${id}-${kept}` }))
  twins.set(userId || !sent.length ? null : [...sent, kept].join(' '))
}
