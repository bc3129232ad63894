// Option serverCookie: asks the collection host, on a subdomain of the site, to set the ids as cookies
// itself, because some browsers forget within days what a script has set. Once a tab and id.
import { toJson } from './json'
import { openArea } from './storage'
import type { LoadOptions, User } from './types'

/** What each host was told last. */
const told: Record<string, string> = {}

export const tellServer = (
  base: string,
  { ownPath }: LoadOptions,
  writeKey: string,
  domain: string | undefined,
  user: User,
): void => {
  const url = base + (ownPath ? '/c' : '/cookie')
  const store = openArea('sessionStorage')
  const body = toJson({ writeKey, anonymousId: user.anonymousId(), userId: user.id(), domain })
  if (body == (told[url + writeKey] ?? store.read('onym:cookie'))) return
  told[url + writeKey] = body
  fetch(url, { method: 'POST', body, keepalive: true, credentials: 'include' }).then(
    ({ ok }) => ok && store.write('onym:cookie', body),
    () => (told[url + writeKey] = ''),
  )
}
