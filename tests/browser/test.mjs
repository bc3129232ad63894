// node:test's `test` with a limit for each: nothing here may hang.
import { test as nodeTest } from 'node:test'

const LIMIT_MS = 60_000

export const test = (name, ...rest) => {
  const body = rest.pop()
  return nodeTest(name, { timeout: LIMIT_MS, ...rest[0] }, body)
}
