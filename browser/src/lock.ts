// One tab at a time. Web Locks where the browser has them (secure pages); elsewhere a lease in
// localStorage. Neither has to be perfect: should two tabs ever send the same call, its messageId
// makes it one again on the server.
import { webArea, type Area } from './storage'

/** A tab that dies with the lease holds the others up for this long. */
const LEASE_MS = 5000

const withLease = (area: Area, name: string, job: () => Promise<unknown>): unknown => {
  const left_ms = +area[name]! - Date.now()
  // More than a whole lease left means that the clock was set back.
  if (left_ms > 0 && left_ms <= LEASE_MS)
    return setTimeout(() => withLease(area, name, job), left_ms / 4 + 50)
  area[name] = '' + (Date.now() + LEASE_MS)
  return job().then(() => delete area[name])
}

/** Runs `job`, which never rejects, when no other tab runs one of the same name. */
export const oneTabAtATime = (name: string, job: () => Promise<unknown>): unknown =>
  navigator.locks
    ? navigator.locks.request(name, job).catch(job)
    : withLease(webArea('localStorage') ?? {}, name, job)
