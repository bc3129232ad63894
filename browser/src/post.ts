// One request and what its answer means. Whoever stands between the page and Onym (a captive portal, a proxy,
// a firewall, a hosting error page) answers too, with any status: only Onym's own words count.
import { more } from './more'
import { attempt, within } from './sooner'

/** Whatever happens, an answer is waited for no longer than this. */
const ANSWER_MS = 20_000

/** Status 0: none came. */
export type Answer = [status: number, text: string, retryAfter_s: number]

export const NONE: Answer = [0, '', 0]

/** Undefined where the browser has none (before 2022): then whoever uses it waits. */
export const timeLimit = (limit_ms: number): AbortSignal => attempt<any>(() => AbortSignal.timeout(limit_ms))

/** Headers of the site's own, for what stands in front of Onym; each request asks anew. */
export type Headers = Record<string, string>

/** Never rejects. `isOldWay`: fetch has failed before, so XMLHttpRequest has a try. */
export const post = (
  url: string,
  body: string,
  keepalive: boolean,
  isOldWay: boolean,
  headers: Headers = {},
): Promise<Answer> => {
  const send = async (): Promise<Answer> => {
    if (isOldWay) return (await more(({ byRequest }) => byRequest(url, body, ANSWER_MS))) ?? NONE
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers,
      keepalive,
      redirect: 'error',
      signal: timeLimit(ANSWER_MS),
    })
    return [answer.status, await answer.text(), +answer.headers.get('retry-after')! || 0]
  }
  return within(attempt(send, () => NONE), ANSWER_MS + 1000, NONE) as Promise<Answer>
}

export const isTaken = ([status, text]: Answer): unknown =>
  // What is no JSON is not ours.
  attempt<unknown>(() => status < 300 && JSON.parse(text).success === true)

/** Taken, refused for good, or neither: then the calls are kept. */
export const judge = (answer: Answer): 'taken' | 'refused' | undefined => {
  if (isTaken(answer)) return 'taken'
  const { success, code, message } = attempt<any>(() => JSON.parse(answer[1]) ?? {}, () => ({}))
  return isFinal(answer[0]) && success === false && code && message ? 'refused' : undefined
}

/** Statuses that say that it was not for the moment alone. */
export const isFinal = (status: number): boolean => /^4(?!08|10|29|60)/.test('' + status)
