// One tab at a time. Web Locks where the browser has them (secure pages); elsewhere a lease in
// localStorage. Neither has to be perfect: should two tabs ever send the same call, its messageId
// makes it one again on the server.
import { openArea, type Store } from './storage'

/** A tab that dies with the lease holds the others up for this long. */
const LEASE_MS = 5000
const WAIT_MS = 20_000

const withLease = (store: Store, name: string, job: () => Promise<unknown>): unknown => {
  const left_ms = +store.get(name)! - Date.now()
  // More than a whole lease left means that the clock was set back.
  if (left_ms > 0 && left_ms <= LEASE_MS)
    return setTimeout(() => withLease(store, name, job), left_ms / 4 + 50)
  store.set(name, '' + (Date.now() + LEASE_MS))
  return job().then(() => store.set(name, null))
}

/** Runs `job`, which never rejects, when no other tab runs one of the same name. */
export const oneTabAtATime = (name: string, job: () => Promise<unknown>): unknown =>
  navigator.locks
    ? // A tab that sleeps in the middle of a request keeps its lock; after this long the others go on without.
      navigator.locks.request(name, { signal: AbortSignal.timeout?.(WAIT_MS) }, job).catch(job)
    : withLease(openArea('localStorage'), name, job)
