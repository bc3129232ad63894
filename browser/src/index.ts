// The script that Onym serves as analytics.min.js: takes the place of the stub and replays it.
import { makeAnalytics } from './api'
import { readScript } from './host'
import { readCall, takeKept, type Stub } from './stub'

const script = document.currentScript as HTMLScriptElement | null
const name = script?.getAttribute('data-global-segment-analytics-key') || 'analytics'
const { home, writeKey } = readScript(script?.src ?? '')
const found = (window as any)[name]

// A second copy of the script on a page leaves the first in charge.
if (!found?.initialized) {
  const stub: Stub = Array.isArray(found) ? found : []
  const [analytics, replay, handlers] = makeAnalytics(home)
  ;(window as any)[name] = analytics
  // What sets the library up goes first, so that middleware sees every call; then the calls that earlier
  // pages were left with, then this page's, in the order in which they were made.
  for (const [method, ...args] of stub) if (!(method in handlers)) (analytics as any)[method]?.(...args)
  for (const call of takeKept(stub)) if (call[0] in handlers) replay(...readCall(call))
  const key = stub._writeKey || writeKey
  if (key) analytics.load(key, stub._loadOptions)
}
