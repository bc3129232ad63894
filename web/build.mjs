// Builds the dashboard into ../build/web: index.html as it is, app.js and app.css each in one file. The Makefile puts
// them into the program and gives app.js and app.css names with a hash of their bytes. `--check` holds the types first.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, '..', 'build', 'web')
if (process.argv.includes('--check'))
  execFileSync(join(here, 'node_modules/.bin/tsc'), ['--noEmit', '-p', here], { stdio: 'inherit' })

mkdirSync(out, { recursive: true })
buildSync({
  entryPoints: { app: join(here, 'src/main.tsx') },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2021',
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
})
buildSync({ entryPoints: [join(here, 'app.css')], outdir: out, minify: true, legalComments: 'none' })
copyFileSync(join(here, 'index.html'), join(out, 'index.html'))

const sizes = ['index.html', 'app.js', 'app.css'].map((name) => [
  name,
  gzipSync(readFileSync(join(out, name)), { level: 9 }).length,
])
console.log('dashboard: ' + sizes.map(([name, size]) => `${name} ${size}`).join(', ') + ' bytes gzipped')
