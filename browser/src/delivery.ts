// Sends what waits in the queue, oldest first, in batches, from one tab at a time. A call leaves the queue
// only when the server has answered for it: taken (2xx) or refused for good (most 4xx).
//
// Nothing is held back to make batches larger: a batch is whatever had gathered by the time the last
// one was answered, so a quiet page sends each call at once, with `keepalive`, and it outlives the page.
import { oneTabAtATime } from './lock'
import { markTime } from './mark'
import type { Queue } from './queue'

const BATCH_COUNT = 100
/** In UTF-16 units, up to three bytes each: below the server's limit for a batch. */
const BATCH_LENGTH = 160_000
/** A page may have 64 KiB of keepalive bodies under way. */
const KEEPALIVE_LENGTH = 20_000
const ANSWER_MS = 20_000
const BACKOFF_MS = 500
const BACKOFF_MAX_MS = 60_000
const RETRY_AFTER_MAX_S = 300
/** A call left with its plugins unfinished belongs, after this long, to whoever comes by. */
const ABANDONED_MS = 10_000
const UNREADY_POLL_MS = 1000

export const UNREADY = '~'

/**
 * `isOpen` says whether anything may be sent; `finish` gives a call that another page left unready its
 * turn with this page's plugins; `onRefused` hears of a call that the server will never take.
 */
export const makeDelivery = (
  queue: Queue,
  url: string,
  writeKey: string,
  isOpen: () => boolean,
  finish: (id: string, text: string) => void,
  onRefused: (id: string, status: number) => void,
) => {
  let isBusy = false
  let isLeaving = false
  let timer: number | undefined
  let attempts = 0
  let countMax = BATCH_COUNT
  /** Ids that are under way in a request that outlives the page. */
  let underWay: string[] = []
  /** Unready calls of this page's own. */
  const unfinished = new Set<string>()

  const take = (countMax: number, lengthMax: number): [ids: string[], body: string] => {
    const ids: string[] = []
    const texts: string[] = []
    for (const id of queue.list()) {
      const text = queue.get(id) ?? ''
      if (text[0] == UNREADY) {
        // Calls keep their order, so those behind it wait as well.
        if (!unfinished.has(id) && Date.now() - markTime(id) > ABANDONED_MS) finish(id, text.slice(1))
        setTimeout(wake, UNREADY_POLL_MS)
        break
      }
      lengthMax -= text.length
      if (ids.length && (lengthMax < 0 || ids.length == countMax)) break
      if (text) {
        ids.push(id)
        texts.push(text)
      }
    }
    return [
      ids,
      `{"writeKey":${JSON.stringify(writeKey)},"sentAt":"${new Date().toISOString()}","batch":[${texts}]}`,
    ]
  }

  const drain = async () => {
    while (isOpen()) {
      const [ids, body] = take(countMax, BATCH_LENGTH)
      if (!ids.length) break
      const keepalive = body.length < KEEPALIVE_LENGTH
      if (keepalive) underWay = ids
      const signal = AbortSignal.timeout?.(ANSWER_MS)
      const answer = await fetch(url, { method: 'POST', body, keepalive, signal }).catch(() => null)
      underWay = []
      const status = answer ? answer.status : 0
      if (!status || status > 499 || [408, 410, 429, 460].includes(status)) {
        const retryAfter_s = Math.min(+answer?.headers.get('retry-after')! || 0, RETRY_AFTER_MAX_S)
        const backoff_ms =
          Math.min(BACKOFF_MS * 2 ** attempts++, BACKOFF_MAX_MS) * (0.5 + Math.random() / 2)
        timer = window.setTimeout(retry, retryAfter_s * 1000 || backoff_ms)
        break
      }
      attempts = 0
      if (answer!.ok || ids.length == 1) {
        countMax = BATCH_COUNT
        ids.forEach(queue.remove)
        if (!answer!.ok) onRefused(ids[0]!, status)
      } else {
        // One of them is bad: halves, until it stands alone.
        countMax = ids.length >> 1
      }
    }
    isBusy = false
  }

  /** Sends what waits, unless that is happening already or a backoff is running. */
  const wake = () => {
    if (!isOpen()) return
    if (isLeaving) {
      // From the head of the queue, what is under way included, so that nothing overtakes.
      const [ids, body] = take(BATCH_COUNT, KEEPALIVE_LENGTH)
      if (ids.some((id) => !underWay.includes(id)) && navigator.sendBeacon(url, body)) underWay = ids
    } else if (!isBusy && !timer) {
      isBusy = true
      oneTabAtATime('onym:' + writeKey, drain)
    }
  }

  const retry = () => {
    clearTimeout(timer)
    timer = undefined
    wake()
  }

  addEventListener('online', retry)
  addEventListener('pageshow', () => {
    isLeaving = false
    retry()
  })
  addEventListener('pagehide', () => {
    isLeaving = true
    wake()
  })

  return { wake, unfinished }
}
