// A TypeScript file of src/ as a module for Node, bundled as the page's are.
import { buildSync } from 'esbuild'
import { fileURLToPath } from 'node:url'

export const load = (name) => {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../src/' + name, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2021',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  })
  return import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].contents).toString('base64'))
}
