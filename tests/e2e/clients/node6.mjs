// analytics-node 6.x, unmodified: deprecated, still widely used. Its retries end after about a second.
import { createRequire } from 'node:module'
import { calls, pause, said, url, writeKey } from './calls.mjs'

const Analytics = createRequire(import.meta.url)('analytics-node')
let failures = 0
const analytics = new Analytics(writeKey, {
  host: url,
  flushAt: 10,
  flushInterval: 200,
  errorHandler: (error) => {
    failures++
    console.error(error.message)
  },
})
for (const { type, ...fields } of calls) {
  analytics[type](fields.timestamp ? { ...fields, timestamp: new Date(fields.timestamp) } : fields)
  said({ type, ...fields })
  await pause()
}
while (analytics.queue.length) await analytics.flush()
await analytics.flush()
process.exit(failures ? 1 : 0)
