// One tab at a time. Web Locks where the browser has them (secure pages); elsewhere a lease in
// localStorage (lease.ts). Neither has to be perfect: should two tabs ever send the same call, its messageId
// makes it one again on the server.
import { more } from './more'
import { timeLimit } from './post'
import { attempt, sooner } from './sooner'

const WAIT_MS = 20_000

/** Runs `job`, which never rejects, when no other tab runs one of the same name. */
export const oneTabAtATime = (name: string, job: () => Promise<unknown>): unknown =>
  attempt<unknown>(
    () =>
      navigator.locks
        ? // A tab that sleeps in the middle of a request keeps its lock; after this long the others go on without.
          navigator.locks.request(name, { signal: timeLimit(WAIT_MS) }, job)
        : sooner(more(({ withLease }) => (withLease(name, job), true)), (isLeased) => isLeased ?? job()),
    job,
  )
