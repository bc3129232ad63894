// @segment/analytics-node 3.x, unmodified.
import { Analytics } from '@segment/analytics-node'
import { calls, pause, said, url, writeKey } from './calls.mjs'

const analytics = new Analytics({ writeKey, host: url, flushAt: 10, flushInterval: 200, maxRetries: 10 })
let failures = 0
analytics.on('error', (error) => {
  failures++
  console.error(error)
})
for (const { type, ...fields } of calls) {
  analytics[type](fields.timestamp ? { ...fields, timestamp: new Date(fields.timestamp) } : fields)
  said({ type, ...fields })
  await pause()
}
await analytics.closeAndFlush({ timeout: 120_000 })
process.exit(failures ? 1 : 0)
