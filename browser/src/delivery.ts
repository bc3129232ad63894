// Sends what waits in the queue, oldest first, in batches, from one tab at a time. A call leaves the queue
// only when Onym itself has answered for it: taken, or refused for good (post.ts).
//
// Nothing is held back to make batches larger: a batch is whatever had gathered by the time the last
// one was answered, so a quiet page sends each call at once, with `keepalive`, and it outlives the page.
//
// What to do when Onym takes the batch is here; all other answers are trouble.ts's, in the second file. Where that cannot be had, everything is kept and tried again later.
import { fillTimezone } from './context'
import { oneTabAtATime } from './lock'
import { isThisPages, makeOwnership, markTime } from './mark'
import { more } from './more'
import type { Parts } from './parts'
import { isTaken, post, type Answer, type Headers } from './post'
import type { Queue } from './queue'
import { attempt } from './sooner'
import type { Receipt } from './types'

const BATCH_COUNT = 100
/** In UTF-16 units, up to three bytes each: below the server's limit for a batch. */
const BATCH_LENGTH = 160_000
/** A page may have 64 KiB of keepalive bodies under way. */
const KEEPALIVE_LENGTH = 20_000
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

/** The calls of a batch, and what came back; no answer when nothing waits. */
export type Sent = [keys: string[], answer?: Answer]
/** Sends until nothing waits; answers how long all has to wait then, if it has to. Goes on behind `sent`. */
export type Drain = (sent?: Sent) => Promise<number | undefined>

/**
 * Gives `wake`: sends what waits, unless that is happening already or a backoff is running.
 *
 * `isOpen` says whether anything may be sent; `finish` gives a call that another page left unready its
 * turn with this page's plugins; `emit` tells the page of a call that the server will never take; `beforeSending` has
 * the last word on what waits, and hears when the page goes; `headers` gives the site's own; `onAnswer` hears of a call while it is still in the
 * queue.
 */
export const makeDelivery = (
  queue: Queue,
  url: string,
  writeKey: string,
  isOpen: () => boolean,
  finish: (key: string, text: string) => void,
  emit: (name: string, fault: object) => void,
  beforeSending: (isLeaving?: boolean) => unknown,
  headers: () => Headers | undefined,
  onAnswer: (key: string, receipt: Receipt) => void,
) => {
  let isBusy = false
  let isLeaving = false
  let timer: number | undefined
  let pollTimer: number | undefined
  let attempts = 0
  let isOldWay = false
  /** Calls that somebody in between stops, and nothing else; skipped until all are tried again. */
  const aside = new Set<string>()
  /** Keys of calls that are under way in a request that outlives the page. */
  let underWay: string[] = []
  const isOwn = makeOwnership()

  const take = (countMax: number, lengthMax: number): [keys: string[], body: string] => {
    const keys: string[] = []
    const texts: string[] = []
    for (const key of queue.list()) {
      const text = queue.get(key) ?? ''
      if (aside.has(key)) continue
      // A clock that was set back makes no call wait.
      if (!isOwn(key) && Math.abs(Date.now() - markTime(key)) < FOREIGN_MS) {
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
        texts.push(fillTimezone(text))
      }
    }
    return [keys, batchOf(texts)]
  }
  const batchOf = (texts: string[]) =>
    `{"writeKey":${JSON.stringify(writeKey)},"sentAt":"${new Date().toISOString()}","batch":[${texts}]}`
  /** An empty batch: does anything get through? */
  const ask = () => post(url, batchOf([]), false, isOldWay, headers())

  const poll = () => {
    clearTimeout(pollTimer)
    pollTimer = setTimeout(wake, POLL_MS)
  }

  const send = async (countMax: number): Promise<Sent> => {
    await beforeSending()
    const [keys, body] = take(countMax, BATCH_LENGTH)
    if (!keys.length) return [keys]
    const keepalive = body.length < KEEPALIVE_LENGTH && !isOldWay && 'keepalive' in (window.Request ?? Object).prototype
    if (keepalive) underWay = keys
    const answer = await post(url, body, keepalive, isOldWay, headers())
    underWay = []
    return [keys, answer]
  }

  /** Onym has answered for them. */
  const end = (keys: string[], receipt?: Receipt) => {
    if (PLUS) keys.forEach((key) => onAnswer(key, receipt ?? 'delivered'))
    keys.forEach(queue.drop)
    attempts = 0
  }

  /** Nothing gets through: all wait. */
  const giveUp = ([status, , retryAfter_s]: Answer) => {
    // fetch may be broken by what else is in the page.
    isOldWay = !status && !isOldWay
    return retryAfter_s
  }

  let drain: Drain = async () => {
    while (isOpen()) {
      const sent = await send(BATCH_COUNT)
      const [keys, answer] = sent
      if (!answer) break
      if (isTaken(answer)) end(keys)
      else {
        const use = ({ makeDrain }: Parts) => (drain = makeDrain(isOpen, send, ask, end, giveUp, aside, () => attempts, retry, emit))
        return (await more(use)) ? drain(sent) : giveUp(answer)
      }
    }
    return undefined
  }

  const work = async () => {
    const retryAfter_s = await drain().catch(() => 0)
    isBusy = false
    if (retryAfter_s === undefined) return
    const backoff_ms = Math.min(BACKOFF_MS * 2 ** attempts++, BACKOFF_MAX_MS) * (0.5 + Math.random() / 2)
    timer = setTimeout(retry, Math.min(retryAfter_s, RETRY_AFTER_MAX_S) * 1000 || backoff_ms)
  }

  const wake = () => {
    if (!isOpen()) return
    if (isLeaving) {
      beforeSending(isLeaving)
      // From the head of the queue, what is under way included, so that nothing overtakes.
      const [keys, body] = take(BATCH_COUNT, KEEPALIVE_LENGTH)
      if (
        keys.some((key) => !underWay.includes(key)) &&
        attempt<unknown>(
          // A beacon has no headers.
          () => (headers() ? post(url, body, true, false, headers()) : navigator.sendBeacon(url, body)),
          () => false,
        )
      )
        underWay = keys
    } else if (!isBusy && !timer) {
      isBusy = true
      oneTabAtATime('onym:' + writeKey, work)
    }
  }

  const retry = () => {
    aside.clear()
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
    queue.handOver()
  })

  return wake
}
