// Builds the page into ../build/web: index.html as it is, app.js and app.css each in one file. The Makefile puts them
// into the program and gives app.js and app.css names with a hash of their bytes.
import { buildSync } from 'esbuild'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, '..', 'build', 'web')
mkdirSync(out, { recursive: true })
buildSync({
  entryPoints: { app: join(here, 'src/app.ts') },
  outdir: out, bundle: true, minify: true, format: 'esm', target: 'es2020', legalComments: 'none',
})
buildSync({ entryPoints: [join(here, 'app.css')], outdir: out, minify: true, legalComments: 'none' })
copyFileSync(join(here, 'index.html'), join(out, 'index.html'))
