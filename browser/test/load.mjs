// Bundles one source file and imports it, with the few browser globals that the pure parts touch.
import { webcrypto } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'src')

/** A stand-in for localStorage: a record whose writes fail beyond `quota` characters. */
export const makeArea = (quota = Infinity) =>
  new Proxy(
    {},
    {
      set(target, key, value) {
        const length = Object.entries({ ...target, [key]: value }).join('').length
        if (length > quota) throw new Error('QuotaExceededError')
        target[key] = String(value)
        return true
      },
    },
  )

export const browserGlobals = {
  localStorage: makeArea(),
  sessionStorage: makeArea(),
  location: new URL('https://www.rdio.test/'),
}

const listeners = []
let count = 0
/** What the browser tells the page. */
export const tell = (name, event) => listeners.forEach((entry) => entry[0] == name && entry[1](event))

export const load = async (name) => {
  globalThis.window = globalThis
  // Node.js 18, that of Debian 12, has none of its own.
  globalThis.addEventListener = (name, listener) => listeners.push([name, listener])
  globalThis.crypto ??= webcrypto
  for (const [key, value] of Object.entries(browserGlobals)) {
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true })
  }
  const { outputFiles } = await build({
    entryPoints: [join(source, name + '.ts')],
    bundle: true,
    define: { PLUS: 'true', TOOLS: 'true' },
    format: 'esm',
    write: false,
  })
  // Each time anew: the library remembers things as long as the page lives.
  const text = outputFiles[0].text + '//' + count++
  return import('data:text/javascript;base64,' + Buffer.from(text).toString('base64'))
}
