// Nothing lost, nothing doubled, in order, in every way to leave a page; and what unmodified analytics-next
// makes of the same script, side by side. REPEAT says how often, REPEAT_NEXT how often for analytics-next, ONLY which
// way, LANES how many at once. Hundreds of times: soak.mjs.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { startOnym } from './onym.mjs'
import { test } from './test.mjs'
import { makeLanes, runWay, WAYS } from './ways_to_leave.mjs'

const RUNS = Number(process.env.REPEAT ?? 2)
const NEXT_RUNS = Number(process.env.REPEAT_NEXT ?? RUNS)
const { lanes, close } = makeLanes(Number(process.env.LANES ?? 2))
const ONLY = process.env.ONLY
/** One run takes some seconds, and the minute after which it is called hung. */
const TIMEOUT_MS = 120_000 + (RUNS + NEXT_RUNS) * 15_000

const onym = await startOnym()
const rows = []

const percent = (count, calls) => ((100 * count) / calls).toFixed(2).padStart(6) + ' %'
const cells = (sum) => {
  if (!sum) return ''
  const { calls, lost, doubled, repeated } = sum
  return `${percent(lost, calls)} ${percent(doubled, calls)} ${percent(repeated, calls)}`.padEnd(29)
}

after(async () => {
  await close()
  await onym?.close()
  const { platform, arch } = process
  console.log(`
${RUNS} runs of each way with Onym's library, ${NEXT_RUNS} with analytics-next 1.84.3; two calls a run (${platform}, ${arch})
doubled: the same call twice after the server has dropped repeats; repeated: sent twice under one messageId
${''.padEnd(52)}onym                         analytics-next
${'way to leave'.padEnd(52)}    lost  doubled repeated      lost  doubled repeated`)
  for (const { way, ours, theirs } of rows) console.log(way.padEnd(52) + cells(ours) + cells(theirs))
  const stalls = rows.reduce((sum, { ours, theirs }) => sum + ours.stalled + (theirs?.stalled ?? 0), 0)
  console.log(`runs made again because the browser itself stalled: ${stalls}`)
})

for (const way of Object.keys(WAYS)) {
  test(
    `nothing is lost or doubled, and all is in order: ${way}`,
    { skip: ONLY && ONLY != way, timeout: TIMEOUT_MS },
    async () => {
      const options = { lanes, upstream: onym?.url }
      const row = { way, ours: await runWay(way, 'onym', RUNS, options) }
      rows.push(row)
      if (NEXT_RUNS) row.theirs = await runWay(way, 'next', NEXT_RUNS, options)
      console.log(way.padEnd(52) + cells(row.ours) + cells(row.theirs))
      const { runs, lost, doubled, outOfOrder, split } = row.ours
      assert.deepEqual(
        { runs, lost, doubled, outOfOrder, split },
        { runs: RUNS, lost: 0, doubled: 0, outOfOrder: 0, split: 0 },
      )
    },
  )
}
