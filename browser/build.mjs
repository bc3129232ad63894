// Builds the library into ../build/browser: the script that Onym serves, the snippet, and the npm package.
// Prints its size beside that of analytics-next, and fails over the budget.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { minify } from 'terser'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, '..', 'build', 'browser')
const BUDGET_BYTES = 6144

const common = { absWorkingDir: here, bundle: true, target: 'es2021', legalComments: 'none' }
const license = '/*! Onym browser library, MIT */'

// esbuild bundles, terser minifies: its names and foldings gzip 5.5 % smaller here than esbuild's own.
const bundleScript = async (entry, name) => {
  const bundle = await build({ ...common, entryPoints: [entry], format: 'iife', write: false })
  const { code } = await minify(bundle.outputFiles[0].text, {
    ecma: 2021,
    toplevel: true,
    compress: { passes: 3, inline: 1, lhs_constants: false },
  })
  writeFileSync(join(out, name), code + '\n')
}

mkdirSync(out, { recursive: true })
await bundleScript('src/index.ts', 'analytics.min.js')
await bundleScript('src/snippet.js', 'snippet.min.js')

// The npm package: `npm pack` in its folder.
const npm = join(out, 'npm')
rmSync(npm, { recursive: true, force: true })
await build({
  ...common,
  entryPoints: ['src/npm.ts'],
  format: 'esm',
  banner: { js: license },
  outfile: join(npm, 'npm.js'),
})
execFileSync(
  process.execPath,
  [join(here, 'node_modules/typescript/bin/tsc'), '-p', here, '--outDir', npm],
  {
    stdio: 'inherit',
  },
)
for (const name of ['analytics.min.js', 'snippet.min.js']) copyFileSync(join(out, name), join(npm, name))
copyFileSync(join(here, 'README.md'), join(npm, 'README.md'))
copyFileSync(join(here, '..', 'LICENSE'), join(npm, 'LICENSE'))
const { scripts, devDependencies, ...published } = JSON.parse(
  readFileSync(join(here, 'package.json'), 'utf8'),
)
writeFileSync(join(npm, 'package.json'), JSON.stringify(published, null, 2) + '\n')

const sizeOf = (path) => {
  const bytes = readFileSync(path)
  return { raw: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }
}
const rows = {
  'onym analytics.min.js': sizeOf(join(out, 'analytics.min.js')),
  'onym snippet.min.js': sizeOf(join(out, 'snippet.min.js')),
  'analytics-next standalone.js': sizeOf(
    join(here, 'node_modules/@segment/analytics-next/dist/umd/standalone.js'),
  ),
}
for (const [name, { raw, gzipped }] of Object.entries(rows)) {
  console.log(`${name.padEnd(30)} ${String(raw).padStart(7)} bytes  ${String(gzipped).padStart(6)} gzipped`)
}
writeFileSync(join(out, 'sizes.json'), JSON.stringify(rows, null, 2) + '\n')
const { gzipped } = rows['onym analytics.min.js']
if (gzipped > BUDGET_BYTES) {
  console.error(`analytics.min.js: ${gzipped} bytes gzipped, ${gzipped - BUDGET_BYTES} over the budget`)
  process.exit(1)
}
