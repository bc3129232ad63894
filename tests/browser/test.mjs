// node:test's `test` with a limit for each: nothing here may hang. Chromium itself stalls now and then (once in some
// thousands of pages: no answer to its driver any more); a test that has not ended after its limit is made again, once,
// and says so, when what it had opened is gone: two of them at once would count each other's calls. One that fails is not.
import { appendFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test as nodeTest } from 'node:test'

const LIMIT_MS = 90_000
const stalled = Symbol('stalled')
let clear = async () => {}
/** What ends all that a test may have left open. */
export const clearBy = (how) => (clear = how)

const within = (ms, promise) => {
  let timer
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, ms, stalled)))
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}

export const test = (name, ...rest) => {
  const body = rest.pop()
  const options = rest[0] ?? {}
  if (options.timeout) return nodeTest(name, options, body)
  return nodeTest(name, { timeout: 2 * LIMIT_MS + 5000, ...options }, async (context) => {
    try {
      if ((await within(LIMIT_MS, body(context))) !== stalled) return
      console.log(`made again: not within ${LIMIT_MS} ms: ${name}`)
      await clear()
      await body(context)
    } catch (error) {
      if (process.env.FAILED_LIST) appendFileSync(process.env.FAILED_LIST, basename(process.argv[1]) + '\n')
      throw error
    }
  })
}
