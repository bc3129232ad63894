// One stream of live messages for all tabs of this browser that ask for the same: browsers open six connections to a
// host at most, and Onym sixteen streams. The tab that has the lock of that name reads, and tells the others over a
// BroadcastChannel; when it is hidden or closed, the next one has the lock and reads on behind what it got last.
// Whoever cannot be told all of it (it was hidden for long, nobody answers, a piece is missing) reads by itself:
// sharing saves connections, and never costs a message. Where a browser has no locks (plain HTTP from another machine),
// every tab reads by itself.
import { call } from './api'
import { resumeFrom } from './feed'

export type StreamState = 'opening' | 'open' | 'broken' | 'ended'
export interface Told {
  name: string
  data: string
  id: string
}
export interface Hears {
  tell: (name: string, data: any, id: string) => void
  state: (now: StreamState, why: string) => void
}
type Said = { key: string } & (
  | { kind: 'ask'; who: string; last: string }
  | { kind: 'answer'; who: string; missed: Told[] | null; last: string }
  | { kind: 'told'; told: Told; before: string }
  | { kind: 'state'; now: StreamState; why: string }
)
type Part = 'none' | 'asks' | 'leads' | 'follows' | 'alone'

const NAMES = ['message', 'gap', 'claimed', 'end', 'trouble']
/** What a tab that comes back after a moment can be told again. */
const KEPT = 2000
const ANSWER_MS = 600
const AGAIN_MS = 3000

/** Reads what the filter lets through until the function that it gives is called. `from`, `to`: as the API has them. */
export const listen = (filter: URLSearchParams, from: string | null, to: string | null, hears: Hears): (() => void) => {
  const key = filter.toString()
  const me = Math.random().toString(36).slice(2)
  const canShare = !from && !to && 'locks' in navigator && 'BroadcastChannel' in window
  const channel = canShare ? new BroadcastChannel('onym-live') : null
  let part: Part = 'none'
  let lastId = ''
  let recent: Told[] = []
  let stream: EventSource | null = null
  let timer = 0
  let held = new AbortController()
  // Another tab has asked for the same. Until one does, nothing is told to nobody: at thousands a second that costs most.
  let isHeard = false

  const say = (said: Omit<Said, 'key'> & { kind: string }) => part == 'leads' && isHeard && channel?.postMessage({ ...said, key })
  const state = (now: StreamState, why = '') => {
    hears.state(now, why)
    say({ kind: 'state', now, why } as Said)
  }
  const take = (told: Told) => {
    if (told.id) lastId = told.id
    if (channel && recent.push(told) > 2 * KEPT) recent = recent.slice(-KEPT)
    hears.tell(told.name, JSON.parse(told.data), told.id)
  }

  const read = () => {
    clearTimeout(timer)
    stream?.close()
    const asked = new URLSearchParams(filter)
    // Where this page left off, after the tab was hidden or the server restarted: nothing is lost, nothing twice.
    if (lastId) asked.set('last_id', lastId)
    asked.set('from', lastId ? resumeFrom(lastId) : (from ?? 'now'))
    if (to) asked.set('to', to)
    const mine = (stream = new EventSource('/api/v1/live?' + asked))
    mine.onopen = () => state('open')
    for (const name of NAMES)
      mine.addEventListener(name, (event) => {
        const told = { name, data: (event as MessageEvent).data, id: (event as MessageEvent).lastEventId }
        const before = lastId
        take(told)
        say({ kind: 'told', told, before } as Said)
        if (name != 'end' && name != 'trouble') return
        mine.close()
        state(name == 'end' ? 'ended' : 'broken', name == 'end' ? '' : String(JSON.parse(told.data).message ?? ''))
      })
    mine.onerror = () => {
      if (mine.readyState != EventSource.CLOSED) return state('opening')
      // Refused, not broken off. A stream does not say why: the question does.
      state('broken')
      call('GET', 'live?to=0&' + filter).then(
        () => {},
        (error) => mine == stream && state('broken', error.message),
      )
      timer = window.setTimeout(read, AGAIN_MS)
    }
  }
  const readAlone = () => {
    part = 'alone'
    read()
  }

  if (channel)
    channel.onmessage = ({ data: said }: MessageEvent<Said>) => {
      if (said.key != key) return
      isHeard = true
      if (said.kind == 'ask' && part == 'leads') {
        const at = recent.map((told) => told.id).lastIndexOf(said.last)
        const missed = !said.last || said.last == lastId ? [] : at < 0 ? null : recent.slice(at + 1)
        channel.postMessage({ kind: 'answer', key, who: said.who, missed, last: lastId })
      } else if (said.kind == 'answer' && said.who == me && part == 'asks') {
        clearTimeout(timer)
        if (!said.missed) return readAlone()
        part = 'follows'
        said.missed.forEach(take)
        lastId = said.last
        state('open')
      } else if (part == 'follows') {
        if (said.kind == 'state') hears.state(said.now, said.why)
        if (said.kind != 'told') return
        if (said.before != lastId) readAlone()
        else take(said.told)
      }
    }

  const join = () => {
    if (document.hidden || part != 'none') return
    hears.state('opening', '')
    if (!channel) return readAlone()
    part = 'asks'
    held = new AbortController()
    const { signal } = held
    const lead = () =>
      new Promise<void>((left) => {
        if (signal.aborted) return left()
        signal.addEventListener('abort', () => left())
        const isReading = part == 'alone'
        part = 'leads'
        if (!isReading) read()
      })
    navigator.locks.request('onym-live ' + key, { signal }, lead).catch(() => {})
    channel.postMessage({ kind: 'ask', key, who: me, last: lastId })
    timer = window.setTimeout(() => part == 'asks' && readAlone(), ANSWER_MS)
  }
  const leave = () => {
    part = 'none'
    held.abort()
    clearTimeout(timer)
    stream?.close()
    stream = null
  }
  const follow = () => (document.hidden ? leave() : join())
  join()
  document.addEventListener('visibilitychange', follow)
  return () => {
    leave()
    channel?.close()
    document.removeEventListener('visibilitychange', follow)
  }
}

/** Where the journal ends now: a stream says so in its first line, before anything has come. */
export const journalEnd = async (): Promise<number> => {
  const mine = new AbortController()
  try {
    const answer = await fetch('/api/v1/live?from=now', { signal: mine.signal })
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let text = ''; text.length < 10_000;) {
      const { value, done } = await reader.read()
      text += value ?? ''
      const found = /^id: (\d+)/m.exec(text)
      if (found) return Number(found[1])
      if (done) break
    }
    return 0
  } finally {
    mine.abort()
  }
}
