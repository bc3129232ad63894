// "Only me": the ids by which the messages of whoever looks at the page are known. Onym's library and Segment's keep them in
// cookies of the website's domain, which this page is sent, too, where it is served from a host of that domain; else one is
// pasted, and this browser remembers it.
import { read, write } from './place'

const COOKIES = ['ajs_anonymous_id', 'ajs_user_id']
const MOST_BYTES = 200

/** From a cookie header as `document.cookie` has it; libraries write ids as they are, or as JSON. */
export const idsOfCookies = (cookies: string): string[] => {
  const found: string[] = []
  for (const pair of cookies.split('; ')) {
    const at = pair.indexOf('=')
    if (at < 0 || !COOKIES.includes(pair.slice(0, at))) continue
    let text = pair.slice(at + 1)
    try {
      text = decodeURIComponent(text)
    } catch {
      // as it is
    }
    const id = text.replace(/^"(.*)"$/, '$1')
    if (id && id != 'null' && id.length <= MOST_BYTES && !found.includes(id)) found.push(id)
  }
  return found
}

/** What was pasted here; else what the cookies say; none: nobody knows yet. */
export const myIds = (): string[] => {
  const pasted = read('me')
  return pasted ? [pasted] : idsOfCookies(document.cookie)
}
export const isPasted = () => !!read('me')
/** '': forget what was pasted. */
export const setMyId = (id: string) => write('me', id.slice(0, MOST_BYTES))
