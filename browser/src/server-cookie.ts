// Option serverCookie: asks the collection host, on a subdomain of the site, to set the ids as cookies
// itself, because some browsers forget within days what a script has set. Once a tab and id.
import { openArea } from './storage'

export const makeServerCookie = (url: string, writeKey: string, domain: string | undefined) => {
  const store = openArea('sessionStorage')
  let told = store.get('onym:cookie')
  return (anonymousId: string | null, userId: string | null): void => {
    const body = JSON.stringify({ writeKey, anonymousId, userId, domain })
    if (body == told) return
    told = body
    fetch(url, { method: 'POST', body, keepalive: true, credentials: 'include' }).then(
      ({ ok }) => ok && store.set('onym:cookie', body),
      () => (told = null),
    )
  }
}
