// The npm package as somebody gets it: packed, installed into an empty project, imported, compiled, bundled, run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import vm from 'node:vm'
import { fileURLToPath } from 'node:url'
import { eventually, recorder, test, visit } from './setup.mjs'

const require = createRequire(new URL('../../browser/package.json', import.meta.url))
const npm = fileURLToPath(new URL('../../build/browser/npm', import.meta.url))
const typed = fileURLToPath(new URL('npm-types.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'onym-npm-'))
const run = (program, args) => {
  try {
    return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    throw new Error(error.message + error.stdout)
  }
}
const node = (name, text) => {
  writeFileSync(join(folder, name), text)
  return run(process.execPath, [name])
}
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
  const both = (folder) =>
    [
      ...['npm.js', 'npm.js.map', 'npm.d.ts', 'react.js', 'react.js.map', 'react.d.ts', 'package.json'],
      ...['types.d.ts', 'calls.d.ts', 'cancel.d.ts'],
    ].map((name) => folder + '/' + name)
  assert.deepEqual(
    names.sort(),
    [
      ...['LICENSE', 'README.md', 'analytics.min.js', 'analytics.plus.min.js', 'more.min.js', 'package.json', 'snippet.min.js'],
      ...[...both('cjs'), ...both('esm')],
    ].sort(),
  )
  const { dependencies, license, scripts } = JSON.parse(
    readFileSync(join(folder, 'node_modules/@onym/browser/package.json'), 'utf8'),
  )
  assert.deepEqual([dependencies, license, scripts], [undefined, 'MIT', undefined])
})

test('its source maps lead to the sources, which are in them', () => {
  for (const name of ['esm/npm.js', 'cjs/npm.js', 'esm/react.js']) {
    const path = join(folder, 'node_modules/@onym/browser', name)
    assert.match(readFileSync(path, 'utf8'), /\n\/\/# sourceMappingURL=\w+\.js\.map\n$/)
    const { sources, sourcesContent } = JSON.parse(readFileSync(path + '.map', 'utf8'))
    assert.equal(sources.length, sourcesContent.filter(Boolean).length)
  }
})

/** What a site may do at module level and while it renders, on a server. */
const everything = `
  const browser = new AnalyticsBrowser()
  const early = [browser.identify('u1', { a: 1 }), browser.user(), browser.group()]
  const analytics = AnalyticsBrowser.load({ writeKey: 'k' }, { apiHost: 'https://t.example.com' })
  AnalyticsBrowser.load({ writeKey: '' }, {})
  browser.load({ writeKey: 'k' }, { apiHost: 'https://t.example.com' })
  const told = []
  for (const one of [browser, analytics, createAnalytics()]) {
    for (const name of ['identify', 'track', 'page', 'screen', 'group', 'alias', 'reset', 'setAnonymousId', 'on', 'once',
      'off', 'emit', 'ready', 'debug', 'timeout', 'register', 'deregister', 'addSourceMiddleware', 'consent',
      'addDestinationMiddleware', 'trackLink', 'trackForm', 'trackClick', 'trackSubmit', 'pageview', 'queryString']) {
      if (typeof one[name] != 'function') throw new Error(name + ' is missing')
      const answer = one[name]('a', 'b')
      if (['track', 'page', 'register', 'ready'].includes(name)) told.push(answer)
    }
    one.user().id('somebody')
    if (one.user().id() !== null || one.user().anonymousId() !== null) throw new Error('a server remembers')
  }
  const end = Promise.all([...early, ...told]).then(() => analytics).then(([loaded]) => typeof loaded.track)
`

for (const [form, name, load] of [
  ['an ES module', 'server.mjs', "import { AnalyticsBrowser, createAnalytics } from '@onym/browser'"],
  ['CommonJS', 'server.cjs', "const { AnalyticsBrowser, createAnalytics } = require('@onym/browser')"],
]) {
  test(`on a server that renders pages, as ${form}: imports, loads and calls do nothing and end at once`, () => {
    const script = `${load}
      globalThis.fetch = () => { throw new Error('sent') }
      ${everything}
      end.then((type) => console.log(type))`
    assert.equal(node(name, script), 'function\n')
  })
}

test('on an edge runtime: no window, process, crypto, navigator or timers', async () => {
  const path = join(folder, 'node_modules/@onym/browser/cjs/npm.js')
  const module = { exports: {} }
  const run = (text, globals) => vm.runInNewContext(text, globals)
  run(readFileSync(path, 'utf8'), { module, exports: module.exports })
  assert.equal(await run(everything + ';end', { ...module.exports }), 'function')
  // A worker has `self` and `crypto`, but no page.
  const worker = { module, exports: module.exports, self: {}, navigator: {}, location: { href: 'https://x/' } }
  run(readFileSync(path, 'utf8'), worker)
  assert.equal(await run(everything + ';end', { ...module.exports }), 'function')
})

test('react.js is under 600 bytes gzipped', () => {
  const text = readFileSync(join(folder, 'node_modules/@onym/browser/esm/react.js'), 'utf8')
  const { code } = require('esbuild').transformSync(text, { minify: true, format: 'esm' })
  const { length } = require('pako').gzip(code, { level: 9 })
  assert.ok(length <= 600, `${length} bytes`)
})

for (const [resolution, module, name] of [
  ['bundler', 'esnext', 'app.ts'],
  ['node16', 'node16', 'app.ts'],
  ['node16', 'node16', 'app.cts'],
  ['node10', 'commonjs', 'app.ts'],
]) {
  test(`its types compile, strictly, with moduleResolution ${resolution}, ${name}`, () => {
    writeFileSync(join(folder, name), app(recorder.url))
    writeFileSync(join(folder, name.replace('app', 'typed')), readFileSync(typed, 'utf8'))
    run(process.execPath, [
      require.resolve('typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'],
      ...['--lib', 'es2022,dom,dom.iterable', '--ignoreDeprecations', '5.0'],
      ...['--module', module, '--moduleResolution', resolution, name, name.replace('app', 'typed')],
    ])
  })
}

/** Opens a page with the script that esbuild makes of the text. */
const bundled = async (name, text, build = {}) => {
  writeFileSync(join(folder, name), text)
  const { outputFiles } = await require('esbuild').build({
    absWorkingDir: folder,
    entryPoints: [name],
    bundle: true,
    write: false,
    ...build,
  })
  const visitor = await visit('/', { lib: 'none' })
  visitor.lines = []
  visitor.page.on('console', (line) => visitor.lines.push(line.text()))
  await visitor.page.addScriptTag({ content: outputFiles[0].text })
  return visitor
}

test('its calls arrive from a page that esbuild has bundled', async () => {
  const visitor = await bundled('app.ts', app(recorder.url))
  const messages = await visitor.sent(3)
  assert.deepEqual(messages.map((m) => m.event ?? m.type).sort(), ['before load', 'from npm', 'identify'])
  assert.equal(messages.find((m) => m.event == 'from npm').properties.p, 1)
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('as in Segment’s README: new, calls, load later; then, catch, finally; user and group that can be awaited', async () => {
  const visitor = await bundled(
    'readme.js',
    `import { AnalyticsBrowser } from '@onym/browser'
    const analytics = new AnalyticsBrowser()
    const { track } = analytics
    window.seen = []
    const see = (name) => (value) => (seen.push([name, value]), value)
    analytics.identify('hello world')
    track('taken off the object')
    analytics.user().then((user) => see('user')(user.id()))
    analytics.group().then((group) => see('group')(group.id()))
    analytics.ready().then(() => see('ready')(analytics.initialized))
    see('before')([analytics.initialized, typeof analytics.instance])
    window.start = () => {
      analytics.load({ writeKey: 'wk_website' }, { apiHost: '${recorder.url}' })
      analytics.load({ writeKey: 'wk_other' }, { apiHost: '${recorder.url}' })
      analytics
        .then(([loaded, context]) => see('then')([loaded.user().id(), typeof context.event, loaded == analytics.instance]))
        .catch(see('caught'))
        .finally(() => seen.push(['finally']))
      analytics.group('g1')
      analytics.track('after load').then((context) => see('sent')(context.event.event))
    }`,
  )
  assert.deepEqual(await visitor.run(() => [...document.cookie.matchAll(/ajs/g)].length), 0)
  await visitor.run(() => start())
  const messages = await visitor.sent(4)
  assert.deepEqual(
    messages.map((m) => [m.event ?? m.type, m.userId, m.writeKey]),
    [
      ['identify', 'hello world', 'wk_website'],
      ['taken off the object', 'hello world', 'wk_website'],
      ['group', 'hello world', 'wk_website'],
      ['after load', 'hello world', 'wk_website'],
    ],
  )
  assert.deepEqual(await visitor.run(() => seen.sort()), [
    ['before', [false, 'undefined']],
    ['finally'],
    ['group', 'g1'],
    ['ready', true],
    ['sent', 'after load'],
    ['then', ['hello world', 'object', true]],
    ['user', 'hello world'],
  ])
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

for (const [problem, load] of [
  ['writeKey', `AnalyticsBrowser.load({ writeKey: undefined }, { apiHost: '${'https://t.example.com'}' })`],
  ['apiHost', `AnalyticsBrowser.load({ writeKey: 'k' })`],
  ['apiHost', `AnalyticsBrowser.load({ writeKey: 'k' }, { integrations: {} })`],
  ['writeKey', `AnalyticsBrowser.load()`],
]) {
  test(`load without ${problem} says so in the console, and to who awaits; the page goes on: ${load}`, async () => {
    const visitor = await bundled(
      'wrong.js',
      `import { AnalyticsBrowser } from '@onym/browser'
      const analytics = ${load}
      analytics.track('into the void')
      analytics.catch((error) => (window.told = error.message))
      analytics.user().id()
      window.end = 1`,
    )
    assert.equal(await visitor.run(() => end), 1)
    assert.match(await visitor.run(() => told), new RegExp(`Onym: .*${problem}`))
    assert.equal(visitor.lines.filter((line) => line.includes(problem)).length, 1)
    assert.deepEqual(visitor.errors, [])
    assert.deepEqual(await visitor.waiting(), [])
    await visitor.close()
  })
}

for (const [name, load] of [
  ['options', (host) => `{ writeKey: 'wk_website' }, { apiHost: '${host}' }`],
  ['settings', (host) => `{ writeKey: 'wk_website', apiHost: '${host}' }`],
  ['cdnURL, as Segment’s proxies', (host) => `{ writeKey: 'wk_website', cdnURL: '${host}' }`],
  [
    'Segment.io',
    (host) =>
      `{ writeKey: 'wk_website' }, { integrations: { 'Segment.io': { apiHost: '${new URL(host).host}/v1', protocol: 'http' } } }`,
  ],
]) {
  test('the host from ' + name, async () => {
    const visitor = await bundled(
      'host.js',
      `import { AnalyticsBrowser } from '@onym/browser'
      AnalyticsBrowser.load(${load(recorder.url)}).track('arrived')`,
    )
    assert.equal((await visitor.sent(1))[0].event, 'arrived')
    await visitor.close()
  })
}

test('a mistyped key in the npm form: the console says so, once a tab', async () => {
  const text = (key) => `import { AnalyticsBrowser } from '@onym/browser'
    AnalyticsBrowser.load({ writeKey: '${key}' }, { apiHost: '${recorder.url}' }).track('a')`
  const wrong = await bundled('mistyped.js', text('wk_webiste'))
  await eventually(() => wrong.lines.some((line) => /nothing is counted here.*wk_webiste/.test(line)), 'the line')
  await wrong.close()
  const right = await bundled('right.js', text('wk_website'))
  await right.sent(1)
  await eventually(() => right.run(() => !!sessionStorage['onym:known']), 'asked')
  assert.deepEqual(right.lines, [])
  await right.close()
  const silent = await bundled(
    'silent.js',
    `import { AnalyticsBrowser } from '@onym/browser'
    AnalyticsBrowser.load({ writeKey: 'wk_webiste' }, { apiHost: '${recorder.url}', consent: false }).track('a')`,
  )
  assert.deepEqual(await silent.run(() => new Promise((end) => setTimeout(() => end(Object.keys(sessionStorage)), 300))), [])
  assert.deepEqual(silent.lines, [])
  await silent.close()
})
