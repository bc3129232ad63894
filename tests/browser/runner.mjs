// Runs the test files named as arguments, two at once, each a process of its own with its own Chromium; a file
// that takes longer than its limit is ended, and fails. `run` prepares what they need. FAILED_LIST has the file of each
// test that failed (test.mjs writes it); it is removed where it does not have all of them, as where a file was ended.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { run } from 'node:test'
import * as reporters from 'node:test/reporters'

const LIMIT_MS = Number(process.env.LIMIT_MS ?? 900_000)
const files = process.argv.slice(2)
const started = Date.now()
let passed = 0
let failed = 0
let skipped = 0

const list = process.env.FAILED_LIST
if (list) writeFileSync(list, '')
const stream = run({ files, concurrency: Number(process.env.CONCURRENCY ?? 2), timeout: LIMIT_MS })
stream.on('test:pass', ({ skip }) => (skip === undefined ? passed++ : skipped++))
stream.on('test:fail', () => failed++)
const report = stream.compose(new reporters.spec())
// When all that was reported is written: what stands behind a long test would be cut off else.
report.on('end', () => {
  if (list && readFileSync(list, 'utf8').split('\n').length - 1 != failed) rmSync(list)
  const seconds = ((Date.now() - started) / 1000).toFixed(0)
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s\n`, () =>
    process.exit(failed || !passed ? 1 : 0),
  )
})
report.pipe(process.stdout, { end: false })
