// What every Node client here shares: the calls to make, and saying which were made.
// Each line on standard output is one call with the fields that its user set: what must be found in onym.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export const url = process.env.ONYM_URL
export const writeKey = process.env.ONYM_KEY
export const run = process.env.ONYM_RUN
export const calls = JSON.parse(readFileSync(process.env.ONYM_CALLS, 'utf8'))

export function said(call) {
  process.stdout.write(JSON.stringify(call) + '\n')
}

/** A user's pause between two calls, so that faults have something to hit. */
export function pause() {
  return wait(Number(process.env.ONYM_PAUSE_MS || 0))
}
