// Builds the npm package: `npm pack` in its folder. Each entry as an ES module and as CommonJS, with types and
// source maps; two folders, since a package.json's `type` says for a whole folder which of the two it is.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const ENTRIES = ['npm', 'react']
/** What the entries' types are made of. */
const TYPES = ['npm', 'react', 'types', 'calls', 'cancel']

export const buildNpm = async (here, out) => {
  const npm = join(out, 'npm')
  rmSync(npm, { recursive: true, force: true })
  const types = join(out, 'types')
  execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '-p', here, '--outDir', types], {
    stdio: 'inherit',
  })
  for (const [folder, format, type] of [
    ['esm', 'esm', 'module'],
    ['cjs', 'cjs', 'commonjs'],
  ]) {
    await build({
      absWorkingDir: here,
      entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
      outdir: join(npm, folder),
      format,
      bundle: true,
      define: { PLUS: 'true', TOOLS: 'true' },
      // One copy of the library, whichever entry a site imports; React is the site's own.
      external: ['react', './npm.js'],
      target: 'es2021',
      sourcemap: true,
      legalComments: 'none',
      banner: { js: '/*! Onym browser library, MIT */' },
    })
    writeFileSync(join(npm, folder, 'package.json'), JSON.stringify({ type, sideEffects: false }) + '\n')
    for (const name of TYPES) copyFileSync(join(types, name + '.d.ts'), join(npm, folder, name + '.d.ts'))
  }
  mkdirSync(npm, { recursive: true })
  for (const name of ['analytics.min.js', 'more.min.js', 'analytics.plus.min.js', 'snippet.min.js']) copyFileSync(join(out, name), join(npm, name))
  copyFileSync(join(here, 'README.md'), join(npm, 'README.md'))
  copyFileSync(join(here, '..', 'LICENSE'), join(npm, 'LICENSE'))
  const { scripts, devDependencies, ...published } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
  writeFileSync(join(npm, 'package.json'), JSON.stringify(published, null, 2) + '\n')
}
