// One tab at a time where the browser has no Web Locks (insecure pages): a lease in localStorage. (In the second file.)
import { openArea } from './storage'

/** A tab that dies with the lease holds the others up for this long. */
const LEASE_MS = 5000

export const withLease = (name: string, job: () => Promise<unknown>): unknown => {
  const store = openArea('localStorage')
  const left_ms = +store.read(name)! - Date.now()
  // More than a whole lease left means that the clock was set back.
  if (left_ms > 0 && left_ms <= LEASE_MS) return setTimeout(() => withLease(name, job), left_ms / 4 + 50)
  store.write(name, '' + (Date.now() + LEASE_MS))
  return job().then(() => store.write(name, null))
}
