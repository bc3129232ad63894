// Where somebody is stands in the address, behind the #: it can be sent to a colleague, and is in no server's log.
//   #/questions/funnel?e=page%3A%2F&e=Signed+Up&range=30d      #/people/u_12345      #/live?source=website

export interface Place {
  path: string[]
  params: URLSearchParams
}

export const parsePlace = (hash: string): Place => {
  const text = hash.replace(/^#\/?/, '')
  const at = text.indexOf('?')
  const names = (at < 0 ? text : text.slice(0, at)).split('/').filter(Boolean)
  return { path: names.map(decode), params: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)) }
}

const decode = (name: string) => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

export const placeHref = (path: string[], params?: URLSearchParams | Record<string, string | undefined>) => {
  const asked = params instanceof URLSearchParams ? params : new URLSearchParams()
  if (params && !(params instanceof URLSearchParams))
    for (const [name, value] of Object.entries(params)) if (value) asked.set(name, value)
  const query = asked.toString()
  return '#/' + path.map(encodeURIComponent).join('/') + (query ? '?' + query : '')
}

export const personHref = (id: string) => placeHref(['people', id])

/** The one-time link of `onym ui`: #link=TOKEN. */
export const linkToken = (hash: string) => new URLSearchParams(hash.replace(/^#/, '')).get('link')
