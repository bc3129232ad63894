// Asks a question and follows it: how far it is, after a moment; the answer; or what went wrong. A question whose page
// is left, or that is asked anew, is given up, and Onym stops working on it.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call, isAnalyst } from './api'

export interface Asking<T> {
  answer: T | null
  error: ApiError | null
  isAsking: boolean
  /** share: 0 to 1; null where it is not known yet. Told before 100 ms are over: a page that only waits looks dead. */
  progress: { share: number | null; ms: number; isWaiting: boolean } | null
  cancel: () => void
  again: () => void
}

interface Kept {
  at: number
  answer: unknown
}
const KEPT = 40
const FRESH_MS = 20_000
/** From when on it is told that a question takes time; one that a clock asks again in silence has longer. */
const TOLD_MS = 70
const TOLD_AGAIN_MS = 1000
const LOOK_MS = 400
const kept = new Map<string, Kept>()
const keep = (key: string, answer: unknown) => {
  kept.delete(key)
  kept.set(key, { at: Date.now(), answer })
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
}
export const forgetAnswers = () => kept.clear()

const nothing = { answer: null, error: null, isAsking: false, progress: null }
type State<T> = Pick<Asking<T>, 'answer' | 'error' | 'isAsking' | 'progress'> & { of?: string }

/** Of a question under way. Readers are not told who asks what: they see for how long it has been asked. */
const howFar = async (name: string, signal: AbortSignal): Promise<{ share: number | null; isWaiting: boolean }> => {
  type Told = { questions: { id: string | null; state: string; done: number; all: number }[] }
  if (!isAnalyst()) return { share: null, isWaiting: false }
  try {
    const own = (await call<Told>('GET', 'questions', undefined, signal)).questions.find((one) => one.id == name)
    return { share: own?.all ? own.done / own.all : null, isWaiting: own?.state == 'waiting' }
  } catch {
    return { share: null, isWaiting: false } // how far it is, is not worth an error
  }
}

/** `body` undefined: GET. `path` null: nothing is asked. An earlier answer stays until the next is there. */
export const useAnswer = <T>(path: string | null, body?: unknown, everyMs = 0): Asking<T> => {
  const [state, setState] = useState<State<T>>(nothing)
  const [turn, setTurn] = useState(0)
  const controller = useRef<AbortController | null>(null)
  const key = path === null ? '' : path + ' ' + (body === undefined ? '' : JSON.stringify(body))

  useEffect(() => {
    if (path === null) {
      setState({ ...nothing, of: key })
      return
    }
    const found = turn == 0 || everyMs ? kept.get(key) : undefined
    if (found && Date.now() - found.at < (everyMs ? Math.min(everyMs, FRESH_MS) / 2 : FRESH_MS)) {
      setState({ ...nothing, of: key, answer: found.answer as T })
      return
    }
    const mine = new AbortController()
    controller.current = mine
    const started = performance.now()
    let timer = 0
    setState((old) => ({ of: key, answer: old.answer, error: null, isAsking: true, progress: null }))

    const name = 'page-' + Math.random().toString(36).slice(2, 12)
    const isQuestion = body !== undefined
    const tell = (known: { share: number | null; isWaiting: boolean }) => {
      const ms = performance.now() - started
      setState((old) => (old.isAsking ? { ...old, progress: { ...known, ms } } : old))
    }
    // It is told at once that it takes time; what the server says of it comes when it comes.
    let known = { share: null as number | null, isWaiting: false }
    let isOver = false
    const follow = async () => {
      tell(known)
      if (isQuestion) known = await howFar(name, mine.signal)
      if (isOver || mine.signal.aborted) return
      tell(known)
      timer = window.setTimeout(follow, LOOK_MS)
    }
    timer = window.setTimeout(follow, everyMs && turn > 0 ? TOLD_AGAIN_MS : TOLD_MS)

    const asked = isQuestion ? path + (path.includes('?') ? '&' : '?') + 'id=' + name : path
    call<T>(isQuestion ? 'POST' : 'GET', asked, body, mine.signal)
      .then(
        (answer) => {
          if (mine.signal.aborted) return
          keep(key, answer)
          setState({ ...nothing, of: key, answer })
        },
        (error) => {
          if (!mine.signal.aborted)
            setState((old) => ({ ...nothing, of: key, answer: everyMs ? old.answer : null, error }))
        },
      )
      .finally(() => {
        isOver = true
        clearTimeout(timer)
      })
    return () => {
      clearTimeout(timer)
      mine.abort()
    }
  }, [key, turn])

  useEffect(() => {
    if (!everyMs || path === null) return
    const timer = window.setInterval(() => {
      if (!document.hidden) setTurn((n) => n + 1)
    }, everyMs)
    return () => clearInterval(timer)
  }, [key, everyMs])

  // Between a new question and its being asked nothing is settled yet.
  const isNew = path !== null && state.of !== key
  return {
    ...state,
    isAsking: state.isAsking || isNew,
    error: isNew ? null : state.error,
    cancel: () => {
      controller.current?.abort()
      setState((old) => ({ ...nothing, of: key, answer: old.answer }))
    },
    again: () => setTurn((n) => n + 1),
  }
}
