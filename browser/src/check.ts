// A mistyped key is silent: collection answers 200 whatever the key is, so that no SDK gives up. The script that
// Onym serves says it by itself; the npm package has to ask, once a tab and key.
import { isRefusedBySignal } from './consent'
import { apiBase } from './host'
import { openArea } from './storage'
import type { LoadOptions } from './types'

export const checkKey = (writeKey: string, options: LoadOptions): void => {
  if (options.disable || options.consent === false || isRefusedBySignal(options)) return
  const store = openArea('sessionStorage')
  const name = 'onym:known'
  if (options.disableClientPersistence || store.read(name) == writeKey) return
  const settings = options.ownPath ? 's' : `projects/${encodeURIComponent(writeKey)}/settings`
  const url = `${apiBase(options, undefined)}/${settings}`
  fetch(url)
    .then(async (answer) => {
      if (answer.ok) return store.write(name, writeKey)
      const { message } = await answer.json()
      console.error(`Onym: nothing is counted here: ${message} (write key ${writeKey}, ${url})`)
    })
    // No answer, or not Onym's: delivery has its own view of that.
    .catch(() => {})
}
