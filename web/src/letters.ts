// Dead letters, grouped by what went wrong: the same words with other numbers and ids in them are the same trouble.
export interface Letter {
  number: number
  kind?: string
  type?: string
  reason?: string
  error?: string
  position?: number
  died_at?: string
  attempts?: number
  request?: { method?: string; url?: string; headers?: unknown; body?: string }
  answer?: { status?: number; body?: string; error?: string }
  [more: string]: unknown
}
export interface Trouble {
  key: string
  status: number | null
  says: string
  count: number
  first: string | null
  last: string | null
  samples: Letter[]
}

const SAMPLES = 3
const reasonOf = (letter: Letter) => String(letter.reason ?? letter.error ?? 'could not be delivered')

/** Ids and numbers as #, but for the status of an answer. */
export const foldReason = (text: string): string => {
  const [, status, rest] = /^(HTTP \d{3})?([^]*)$/.exec(text)!
  return (
    (status ?? '') +
    rest
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '#')
      .replace(/\d+(\.\d+)*/g, '#')
      .slice(0, 200)
  )
}

/** The most frequent first. */
export const troublesOf = (letters: Letter[]): Trouble[] => {
  const found = new Map<string, Trouble>()
  for (const letter of letters) {
    const key = foldReason(reasonOf(letter))
    let one = found.get(key)
    if (!one) {
      const status = letter.answer?.status ?? (Number(/^HTTP (\d{3})/.exec(key)?.[1]) || null)
      found.set(key, (one = { key, status, says: advice(status), count: 0, first: null, last: null, samples: [] }))
    }
    one.count++
    const died = letter.died_at ?? null
    if (died && (!one.first || died < one.first)) one.first = died
    if (died && (!one.last || died > one.last)) one.last = died
    one.samples.unshift(letter)
    one.samples.length = Math.min(one.samples.length, SAMPLES)
  }
  return [...found.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
}

/** What such an answer means, and what helps. */
export const advice = (status: number | null): string => {
  if (status === null) return 'No answer settled it: it was given up after its time, or no request can be made of it.'
  if (status == 401 || status == 403)
    return 'The vendor does not know the key, or it may not do this: see the settings.'
  if (status == 404 || status == 410) return 'There is nothing at this address: see the url in the settings.'
  if (status == 413) return 'The message alone is larger than the vendor takes: leave properties out by a rule.'
  if (status == 429) return 'The vendor takes no more for now: it is tried again by itself.'
  if (status >= 500) return 'The vendor failed, for as long as it was tried: try again once it works.'
  if (status >= 300 && status < 400) return 'The vendor sends elsewhere, which is not followed: set the new url.'
  return 'The vendor understood the request and refuses the message: mend what is sent, or leave it out by a rule.'
}
