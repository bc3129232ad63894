// Nothing lost, nothing doubled, in order, in every way to leave a page; and what unmodified analytics-next
// makes of the same script, side by side. LOSS_RUNS says how often (`run loss`: 200), LOSS_NEXT_RUNS how
// often for analytics-next.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startChromium } from './chromium.mjs'
import { startOnym } from './onym.mjs'
import { runWay, WAYS } from './ways_to_leave.mjs'

const RUNS = Number(process.env.LOSS_RUNS ?? 4)
const LANES = Number(process.env.LOSS_LANES ?? 4)
const ONLY = process.env.LOSS_ONLY
const NEXT_RUNS = Number(process.env.LOSS_NEXT_RUNS ?? RUNS)

const onym = await startOnym()
const browser = await startChromium()
const rows = []

after(async () => {
  await browser.close()
  await onym?.close()
  const percent = ({ lost, calls }) => ((100 * lost) / calls).toFixed(1).padStart(6) + ' %'
  const cell = (sum) => (sum ? `${percent(sum)}  (${sum.lost} of ${sum.calls})`.padEnd(24) : ''.padEnd(24))
  console.log(`\ncalls lost; ${RUNS} runs of each, ${NEXT_RUNS} of analytics-next`)
  console.log('way to leave'.padEnd(36) + 'onym'.padEnd(24) + 'analytics-next 1.84.3')
  for (const { way, ours, theirs } of rows) console.log(way.padEnd(36) + cell(ours) + cell(theirs))
})

for (const way of Object.keys(WAYS)) {
  test(
    `nothing is lost or doubled, and all is in order: ${way}`,
    { skip: ONLY && ONLY != way },
    async () => {
      const options = { browser, lanes: LANES, upstream: onym?.url }
      const row = { way, ours: await runWay(way, 'onym', RUNS, options) }
      rows.push(row)
      if (NEXT_RUNS) row.theirs = await runWay(way, 'next', NEXT_RUNS, options)
      const { runs, lost, doubled, outOfOrder, split } = row.ours
      assert.deepEqual(
        { runs, lost, doubled, outOfOrder, split },
        { runs: RUNS, lost: 0, doubled: 0, outOfOrder: 0, split: 0 },
      )
    },
  )
}
