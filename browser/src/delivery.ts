// Sends what waits in the queue, oldest first, in batches, from one tab at a time. A call leaves the queue
// only when the server has answered for it: taken (2xx) or refused for good (most 4xx).
//
// Nothing is held back to make batches larger: a batch is whatever had gathered by the time the last
// one was answered, so a quiet page sends each call at once, with `keepalive`, and it outlives the page.
import { oneTabAtATime } from './lock'
import { isThisPages, makeOwnership, markTime } from './mark'
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
/**
 * Each tab sends its own calls. Those of another are left alone for this long: it is most likely sending
 * them right now, and what it removes is seen here a little late.
 */
const FOREIGN_MS = 3000
const POLL_MS = 1000

export const UNREADY = '~'

/**
 * Gives `wake`: sends what waits, unless that is happening already or a backoff is running.
 *
 * `isOpen` says whether anything may be sent; `finish` gives a call that another page left unready its
 * turn with this page's plugins; `onRefused` hears of a call that the server will never take.
 */
export const makeDelivery = (
  queue: Queue,
  url: string,
  writeKey: string,
  isOpen: () => boolean,
  finish: (key: string, text: string) => void,
  onRefused: (key: string, status: number) => void,
) => {
  let isBusy = false
  let isLeaving = false
  let timer: number | undefined
  let pollTimer: number | undefined
  let attempts = 0
  let countMax = BATCH_COUNT
  /** Keys of calls that are under way in a request that outlives the page. */
  let underWay: string[] = []
  const isOwn = makeOwnership()

  const take = (countMax: number, lengthMax: number): [keys: string[], body: string] => {
    const keys: string[] = []
    const texts: string[] = []
    for (const key of queue.list()) {
      const text = queue.get(key) ?? ''
      if (!isOwn(key) && Date.now() - markTime(key) < FOREIGN_MS) {
        poll()
      } else if (text[0] == UNREADY) {
        poll()
        if (!isThisPages(key)) finish(key, text.slice(1))
        // Calls keep their order, so those behind it wait as well.
        break
      } else if (text) {
        lengthMax -= text.length
        if (keys.length && (lengthMax < 0 || keys.length == countMax)) break
        keys.push(key)
        texts.push(text)
      }
    }
    return [
      keys,
      `{"writeKey":${JSON.stringify(writeKey)},"sentAt":"${new Date().toISOString()}","batch":[${texts}]}`,
    ]
  }

  const poll = () => {
    clearTimeout(pollTimer)
    pollTimer = window.setTimeout(wake, POLL_MS)
  }

  const drain = async () => {
    while (isOpen()) {
      const [keys, body] = take(countMax, BATCH_LENGTH)
      if (!keys.length) break
      const keepalive = body.length < KEEPALIVE_LENGTH
      if (keepalive) underWay = keys
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
      if (answer!.ok || keys.length == 1) {
        countMax = BATCH_COUNT
        keys.forEach(queue.remove)
        if (!answer!.ok) onRefused(keys[0]!, status)
      } else {
        // One of them is bad: halves, until it stands alone.
        countMax = keys.length >> 1
      }
    }
    isBusy = false
  }

  const wake = () => {
    if (!isOpen()) return
    if (isLeaving) {
      // From the head of the queue, what is under way included, so that nothing overtakes.
      const [keys, body] = take(BATCH_COUNT, KEEPALIVE_LENGTH)
      if (keys.some((key) => !underWay.includes(key)) && navigator.sendBeacon(url, body)) underWay = keys
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

  return wake
}
