// The npm package as somebody gets it: packed, installed into an empty project, imported, compiled, bundled, run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { recorder, test, visit } from './setup.mjs'

const require = createRequire(new URL('../../browser/package.json', import.meta.url))
const npm = fileURLToPath(new URL('../../build/browser/npm', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'onym-npm-'))
const run = (program, args) => execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
const app = (apiHost) => `
  import { AnalyticsBrowser, createAnalytics, type Analytics, type Plugin } from '@onym/browser'
  const analytics = AnalyticsBrowser.load({ writeKey: 'wk_website' }, { apiHost: '${apiHost}' })
  const track: Plugin['track'] = (context) => { context.updateEvent('properties.p', 1) }
  const plugin: Plugin = { name: 'p', type: 'enrichment', track }
  async function main() {
    await analytics.register(plugin)
    analytics.identify('u1', { plan: 'Free' })
    analytics.track('from npm')
    const [instance]: [Analytics] = await analytics
    if (instance.user().id() != 'u1') throw new Error('not u1')
    const late = createAnalytics()
    late.track('before load')
    late.load('wk_website', { apiHost: '${apiHost}' })
  }
  main()`

let packed
before(() => {
  ;[packed] = JSON.parse(run('npm', ['pack', npm, '--json']))
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}')
  run('npm', ['install', './' + packed.filename, '--offline', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(join(folder, 'app.ts'), app(recorder.url))
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('the package holds what it should, and no more', () => {
  const names = packed.files.map(({ path }) => path)
  assert.deepEqual(names.sort(), [
    ...['LICENSE', 'README.md', 'analytics.min.js', 'npm.d.ts', 'npm.js', 'package.json'],
    ...['snippet.min.js', 'types.d.ts'],
  ])
  const { dependencies, license, scripts } = JSON.parse(
    readFileSync(join(folder, 'node_modules/@onym/browser/package.json'), 'utf8'),
  )
  assert.deepEqual([dependencies, license, scripts], [undefined, 'MIT', undefined])
})

const noCrypto = !globalThis.crypto && 'needs Node.js 19'
test('it can be imported where there is no browser, as servers that render pages do', { skip: noCrypto }, () => {
  const script = `import { AnalyticsBrowser, createAnalytics } from '@onym/browser'
    console.log(typeof AnalyticsBrowser.load, typeof createAnalytics().track)`
  writeFileSync(join(folder, 'server.js'), script)
  assert.equal(run(process.execPath, ['server.js']), 'function function\n')
})

for (const resolution of ['bundler', 'node16']) {
  test('its types compile, strictly, with moduleResolution ' + resolution, () => {
    const module = resolution == 'bundler' ? 'esnext' : 'node16'
    run(process.execPath, [
      require.resolve('typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable'],
      ...['--module', module, '--moduleResolution', resolution, 'app.ts'],
    ])
  })
}

test('its calls arrive from a page that esbuild has bundled', async () => {
  const { outputFiles } = await require('esbuild').build({
    absWorkingDir: folder,
    entryPoints: ['app.ts'],
    bundle: true,
    write: false,
  })
  const visitor = await visit('/', { lib: 'none' })
  await visitor.page.addScriptTag({ content: outputFiles[0].text })
  const messages = await visitor.sent(3)
  assert.deepEqual(messages.map((m) => m.event ?? m.type).sort(), ['before load', 'from npm', 'identify'])
  assert.equal(messages.find((m) => m.event == 'from npm').properties.p, 1)
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})
