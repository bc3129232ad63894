// Vendors' tools in the page (device mode), in the form of the library that is served where the source's settings name one.
// With the first call, which consent has let through, the file comes that knows them (tools/device.tool.js); what is called
// until then waits in memory, in order. Collection waits for none of it.
import { attempt } from './sooner'
import type { Json } from './types'

/** Calls that may wait for the file. */
const MOST = 1000

interface Tools {
  call(text: string, through: unknown): void
  reset(anonymousId: string | null): void
  consent(isGranted: boolean, categories?: Json): void
}
type Load = (base: string, writeKey: string) => Promise<{ start(given?: Json): Tools }>

let source: Load
export const provideTools = (load: Load): void => void (source = load)

export const makeTools = (base: string, writeKey: string, given?: Json): Tools => {
  let tools: Tools | undefined
  let waiting: Array<(tools: Tools) => void> | undefined
  const run = (use: (tools: Tools) => void) => attempt<void>(() => use(tools!), console.error)
  const soon = (use: (tools: Tools) => void) => {
    if (tools) run(use)
    else if (waiting && waiting.length < MOST) waiting.push(use)
  }
  const begin = () => {
    waiting = []
    void attempt<unknown>(
      () =>
        source(base, writeKey).then(({ start }) => {
          tools = start(given)
          waiting!.forEach(run)
          waiting = []
        }),
      (error) => {
        waiting = []
        console.error('Onym: tools of the page:', error)
      },
    )
  }
  return {
    call(text, through) {
      if (!waiting) begin()
      soon((tools) => tools.call(text, through))
    },
    reset: (anonymousId) => soon((tools) => tools.reset(anonymousId)),
    consent(isGranted, categories) {
      if (!isGranted && waiting) waiting = []
      soon((tools) => tools.consent(isGranted, categories))
    },
  }
}
