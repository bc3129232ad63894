// The way to the second file. Where it does not come (a blocker, a Content Security Policy, offline) the core goes on
// without it, and no call is lost; what a source middleware should see waits in storage. Once more at once, then
// with longer and longer waits it is asked for again, and whatever it was for is done when it comes.
// In the npm package and in analytics.plus.min.js it is there at once.
import { troubles } from './health'
import type { Parts } from './parts'
import { attempt, delay, sooner, within } from './sooner'

type Soon<T> = T | PromiseLike<T>

/** So long everything waits for it; it may still come later. */
const MORE_MS = 5000
/** Times the square of how often. */
const BACKOFF_MS = 500

let source: (tries: number) => Soon<Parts>
let parts: Soon<Parts | undefined>
let tries = 0
let trouble: unknown = 'timeout'
/** What has gone on without it. */
let late: Array<(parts: Parts) => unknown> = []

export const provideMore = (load: typeof source): void => void (source = load)

const ask = (): Soon<Parts | undefined> =>
  attempt<Parts | undefined>(
    () =>
      sooner(source(tries), (found) => {
        parts = found
        late.forEach((use) => attempt<unknown>(() => use(found), console.error))
        late = []
        return found
      }),
    (error) => {
      if (!tries++) return ask() as undefined
      // It stays so most likely.
      trouble = error
      void delay(BACKOFF_MS * tries ** 2).then(ask)
    },
  )

/**
 * At once when it is there; undefined where it could not be had, or has not come in time: then when it comes at last.
 * The console says so, once a page.
 */
export const more = <T>(use: (parts: Parts) => T): Soon<T | undefined> =>
  PLUS
    ? use(source(0) as Parts)
    : sooner(within<Parts | undefined, undefined>((parts ??= ask()), MORE_MS), (found) =>
        found
          ? use(found)
          : void (late.push(use) > 1 ||
              (troubles.add('more_missing'), console.error('Onym: more.min.js did not load:', trouble))),
      )
