// What analytics-next does, by area, beside what Onym's library does with the same lines: next itself is the measure, in
// the same page, from npm. What `differs` names is a difference on purpose: it stands in docs/browser.md.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createRequire } from 'node:module'
import { browser, site, test } from './setup.mjs'
import { areas, differs } from './parity-rows.mjs'

const { build } = createRequire(new URL('../../browser/package.json', import.meta.url))('esbuild')
const here = fileURLToPath(new URL('.', import.meta.url))

let page
before(async () => {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: ['parity.mjs'],
    bundle: true,
    write: false,
    format: 'iife',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { '@onym/browser': fileURLToPath(new URL('../../build/browser/npm/esm/npm.js', import.meta.url)) },
    logLevel: 'error',
  })
  page = await (await browser.newContext()).newPage()
  await page.goto(site.page('/', { lib: 'none' }))
  await page.addScriptTag({ content: outputFiles[0].text })
})
after(() => page?.close())

const run = (library, script, more = {}) =>
  page.evaluate(([library, source, more]) => runRow(library, source, more), [library, script.toString(), more])

for (const [area, rows] of Object.entries(areas)) {
  for (const [name, script, more] of rows) {
    const wanted = differs[`${area}: ${name}`]
    test(`${wanted ? 'other than' : 'as'} analytics-next: ${area}: ${name}`, async () => {
      const [next, onym] = [await run('next', script, more), await run('onym', script, more)]
      assert.ok(onym.sent.length || Object.keys(onym.seen).length || onym.value !== undefined, 'the row says something')
      if (!wanted) return assert.deepEqual(onym, next)
      assert.notDeepEqual(onym, next, 'no difference any more: take it out of the list')
      wanted(onym, assert)
    })
  }
}
