// Builds the library into ../build/browser: the script that Onym serves, the snippet, and the npm package.
// Prints its size beside that of analytics-next; test/size.test.mjs holds the ceiling, so that no build fails for it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleScript, keepNames, sizeOf } from './bundle.mjs'
import { buildNpm } from './npm.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, '..', 'build', 'browser')

const writeScript = async (entry, name, ...how) =>
  writeFileSync(join(out, name), await bundleScript(entry, ...how))

mkdirSync(out, { recursive: true })
await writeScript('src/index.ts', 'analytics.min.js')
await writeScript('src/parts.ts', 'more.min.js', true, 'esm')
await writeScript('src/index.ts', 'analytics.plus.min.js', true)
await writeScript('src/index.ts', 'analytics.tools.min.js', false, 'iife', true)
await writeScript('src/index.ts', 'analytics.plus.tools.min.js', true, 'iife', true)
await writeScript('src/snippet.js', 'snippet.min.js')

// The small files beside the library; what they share is in each.
const extras = readdirSync(join(here, 'extra')).filter((name) => name != 'follow.js')
mkdirSync(join(out, 'x'), { recursive: true })
for (const name of extras) await writeScript('extra/' + name, join('x', name))
for (const name of readdirSync(join(here, 'tools')).filter((name) => name.endsWith('.tool.js')))
  await writeScript('tools/' + name, join('x', name), false, 'esm')

if (keepNames()) console.log('browser/names.json has other names now: commit it together with the change')

await buildNpm(here, out)

const rows = {
  'onym analytics.min.js': sizeOf(readFileSync(join(out, 'analytics.min.js'))),
  'onym more.min.js': sizeOf(readFileSync(join(out, 'more.min.js'))),
  'onym analytics.plus.min.js': sizeOf(readFileSync(join(out, 'analytics.plus.min.js'))),
  'onym analytics.tools.min.js': sizeOf(readFileSync(join(out, 'analytics.tools.min.js'))),
  'onym snippet.min.js': sizeOf(readFileSync(join(out, 'snippet.min.js'))),
  'analytics-next standalone.js': sizeOf(
    readFileSync(join(here, 'node_modules/@segment/analytics-next/dist/umd/standalone.js')),
  ),
}
for (const [name, { raw, gzipped }] of Object.entries(rows)) {
  console.log(`${name.padEnd(30)} ${String(raw).padStart(7)} bytes  ${String(gzipped).padStart(6)} gzipped`)
}
writeFileSync(join(out, 'sizes.json'), JSON.stringify(rows, null, 2) + '\n')
