// Bundles one source file and imports it, with the few browser globals that the pure parts touch.
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

export const load = async (name) => {
  globalThis.window = globalThis
  for (const [key, value] of Object.entries(browserGlobals)) {
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true })
  }
  const { outputFiles } = await build({
    entryPoints: [join(source, name + '.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  })
  return import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].text).toString('base64'))
}
