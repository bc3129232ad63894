// Runs the test files named as arguments, two at once, each a process of its own with its own Chromium; a file
// that takes longer than its limit is ended, and fails. `run` prepares what they need.
import { run } from 'node:test'
import * as reporters from 'node:test/reporters'

const LIMIT_MS = Number(process.env.LIMIT_MS ?? 240_000)
const files = process.argv.slice(2)
const started = Date.now()
let passed = 0
let failed = 0
let skipped = 0

const stream = run({ files, concurrency: Number(process.env.CONCURRENCY ?? 2), timeout: LIMIT_MS })
stream.on('test:pass', ({ skip }) => (skip === undefined ? passed++ : skipped++))
stream.on('test:fail', () => failed++)
stream.on('end', () => {
  const seconds = ((Date.now() - started) / 1000).toFixed(0)
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s\n`, () =>
    process.exit(failed || !passed ? 1 : 0),
  )
})
stream.compose(new reporters.spec()).pipe(process.stdout)
