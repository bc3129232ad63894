// What a visitor comes with: the ids that another library gave them, and what the link says. Most come without, so this
// is in the second file, and the calls of the page wait until it is there (api.ts), since it decides whose they are.
import { foreignIds } from './adopt'
import { TWINS, type Visitor } from './identity'
import { runQueryString } from './query'
import type { Stores } from './storage'
import type { Analytics, Context, LoadOptions } from './types'

/**
 * `stores`: those of a visitor who has no id here yet. `other`: the file has come late, and calls have been made under this
 * anonymous id. They are the visitor's, too; but somebody who has logged out since has nothing to do with the link.
 */
export const arrive = (
  link: string,
  api: Analytics,
  { takeOver, useQueryString }: LoadOptions,
  stores: Stores | false | undefined,
  { user, cookie }: Visitor,
  other: string | null | undefined,
): Promise<Context[]> | undefined => {
  const [anonymousId, userId] = foreignIds(stores || ({} as Stores), takeOver)
  if (other && other != user.anonymousId()) return undefined
  if (anonymousId && (!other || !user.id() || user.id() == userId)) {
    if (userId) user.id(userId)
    user.anonymousId(anonymousId)
  }
  const made = runQueryString(link, useQueryString, api)
  const kept = user.anonymousId()
  if (other && kept != other) cookie?.write(TWINS + encodeURIComponent(other), kept)
  return made
}
