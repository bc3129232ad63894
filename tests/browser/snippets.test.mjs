// Snippets as sites have them: those that Segment published over ten years, RudderStack's pattern, and what people
// make of them; pasted once, twice, and run again after the library has loaded, as tag managers, Turbo and htmx do.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { eventually, recorder, site, test, visit } from './setup.mjs'

const require = createRequire(import.meta.url)
const KEY = 'wk_website'

const segment = (version, form) => {
  const { host } = new URL(recorder.url)
  return require(version == '5.2' ? '@segment/snippet' : 'snippet-' + version)
    [form]({ apiKey: KEY, host, useHostForBundles: false, page: true })
    .replaceAll('https://' + host, 'http://' + host)
}

const LOADER = `function (key) {
  var script = document.createElement('script')
  script.async = true
  script.src = '${recorder.url}/analytics.js/v1/' + key + '/analytics.min.js'
  document.head.appendChild(script)
}`
const METHODS = "['identify', 'track', 'page', 'group', 'alias', 'ready', 'on', 'once', 'off', 'reset']"

/** No guard at all, or one of its own: each shape that puts stubs over whatever stands at window.analytics. */
const unguarded = {
  'of 2014, by window.analytics.push': `
    window.analytics = window.analytics || []
    window.analytics.methods = ${METHODS}
    window.analytics.factory = function (method) {
      return function () {
        var args = Array.prototype.slice.call(arguments)
        args.unshift(method)
        window.analytics.push(args)
        return window.analytics
      }
    }
    window.analytics.methods.forEach(function (method) {
      window.analytics[method] = window.analytics.factory(method)
    })
    window.analytics.load = ${LOADER}
    window.analytics.load('${KEY}')
    window.analytics.page()`,
  'that passes on to window.analytics[method], strict': `
    'use strict';
    (() => {
      const analytics = (window.analytics = window.analytics || [])
      analytics.methods = ${METHODS}
      analytics.factory = (method) => (...args) => {
        if (window.analytics.initialized) return window.analytics[method].apply(window.analytics, args)
        analytics.push([method, ...args])
        return analytics
      }
      for (const method of analytics.methods) analytics[method] = analytics.factory(method)
      analytics.load = ${LOADER}
      analytics._writeKey = '${KEY}'
      analytics.load('${KEY}')
      analytics.page()
    })()`,
  'without a factory, by push': `
    var analytics = (window.analytics = window.analytics || []);
    ${METHODS}.forEach(function (method) {
      analytics[method] = function () {
        analytics.push([method].concat([].slice.call(arguments)))
      }
    })
    analytics.load = ${LOADER}
    analytics.load('${KEY}')
    analytics.page()`,
}

const onymSnippet = readFileSync(
  fileURLToPath(new URL('../../build/browser/snippet.min.js', import.meta.url)),
  'utf8',
)
const onym = (key = KEY) => `${onymSnippet}
  analytics._cdn = '${recorder.url}'
  analytics.load('${key}')
  analytics.page()`

const guarded = { 'Onym’s': onym() }
for (const version of ['4.0', '4.1', '4.13', '4.15', '4.16', '5.0', '5.2']) {
  guarded['Segment’s ' + version] = segment(version, 'max')
  guarded[`Segment’s ${version}, minified`] = segment(version, 'min')
}

/** Runs a script as a tag manager does. */
const runAgain = (visitor, script, isLast = true) =>
  visitor.run(
    ([text]) => {
      const element = document.createElement('script')
      element.textContent = text
      document.body.appendChild(element)
    },
    [script, isLast],
  )
/** The calls of a page, once its marker has come: events and types, in order. */
const calls = async (visitor) => {
  await visitor.run(() => analytics.track('marker'))
  const end = Date.now() + 30_000
  for (;;) {
    const messages = await visitor.sent(1)
    const names = messages.map((message) => message.event ?? message.type)
    if (names.includes('marker')) return names
    assert.ok(Date.now() < end, 'the marker came')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const tag = (script) => `<script>${script}</script>`
const open = async (head, more = '') => {
  const visitor = await visit('/', { lib: 'none', head: head + more })
  visitor.warnings = []
  visitor.page.on('console', (line) => visitor.warnings.push(line.text()))
  await visitor.loaded()
  return visitor
}

for (const [name, script] of Object.entries(guarded)) {
  test(`${name}: pasted twice, and run again after load: one page view, and calls go on`, async () => {
    const visitor = await open(tag(script) + tag(script))
    await visitor.run(() => analytics.track('one'))
    await runAgain(visitor, script)
    await runAgain(visitor, script)
    await visitor.run(() => {
      analytics.track('two')
      analytics.identify('u1')
      window.kept = analytics.track
    })
    assert.deepEqual(await calls(visitor), ['page', 'one', 'two', 'identify', 'marker'])
    assert.equal(await visitor.run(() => analytics.user().id()), 'u1')
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
}

for (const [name, script] of Object.entries(unguarded)) {
  test(`a snippet ${name}: run again, its calls still arrive, once each`, async () => {
    const visitor = await open(tag(script))
    await runAgain(visitor, script)
    await visitor.run(() => {
      analytics.track('two')
      analytics.identify('u1', { plan: 'Free' })
      analytics.ready(() => analytics.track('ready'))
    })
    const found = await calls(visitor)
    assert.deepEqual(
      found.filter((name) => name != 'ready'),
      // Nothing in it asks whether it has run: its second page view is what it says.
      ['page', 'page', 'two', 'identify', 'marker'],
    )
    assert.equal(await visitor.run(() => analytics.user().id()), 'u1')
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  })
}

/** What the snippets of ten years make a stub of: a site may call each of them before the library has loaded, and after. */
const CLASSIC = 'trackSubmit trackClick trackLink trackForm pageview identify group track ready alias page once off on'
const STUBBED = {
  'Segment 3.0': CLASSIC,
  'Segment 3.1 and 4.0': CLASSIC + ' reset',
  'Segment 4.1': CLASSIC + ' reset debug',
  'Segment 4.13 to 5.0':
    CLASSIC + ' reset debug addSourceMiddleware addIntegrationMiddleware setAnonymousId addDestinationMiddleware',
  'Segment 5.2': CLASSIC + ' reset debug addSourceMiddleware addIntegrationMiddleware setAnonymousId addDestinationMiddleware screen register',
  'analytics.js documents': 'queryString timeout deregister',
  // Theirs stand at window.rudderanalytics and window.jitsu; what they share with analytics.js is here under its name.
  'RudderStack 1': 'page track identify alias group ready reset setAnonymousId',
  'RudderStack 3': 'load ready page track identify alias group reset setAnonymousId consent',
  'Jitsu': 'track identify page group',
}
test('whatever a published snippet has a stub of is there before the load and after', async () => {
  const names = [...new Set(Object.values(STUBBED).join(' ').split(' '))]
  for (const asks of [{}, { plus: '1' }]) {
    let open
    recorder.scriptGate = new Promise((resolve) => (open = resolve))
    const visitor = await visit('/', asks, { waits: false })
    const call = (names) => {
      const link = document.createElement('a')
      const form = document.createElement('form')
      const args = {
        trackSubmit: [form, 'S'], trackForm: [form, 'S'], trackClick: [link, 'L'], trackLink: [link, 'L'], ready: [() => {}],
        once: ['x', () => {}], on: ['x', () => {}], off: ['x'], addSourceMiddleware: [({ payload, next }) => next(payload)],
        addDestinationMiddleware: ['x', ({ payload, next }) => next(payload)], addIntegrationMiddleware: [() => {}], debug: [false],
        register: [], deregister: ['x'], consent: [true], timeout: [300], queryString: ['?ajs_event=asked'], load: ['wk_website'], pageview: ['/v'],
      }
      const faults = []
      for (const name of names) {
        try {
          analytics[name](...(args[name] ?? [name]))
        } catch (error) {
          faults.push(name + ': ' + error.message)
        }
      }
      return faults
    }
    await visitor.page.waitForFunction(() => window.analytics)
    assert.deepEqual(await visitor.run(call, names.filter((name) => name != 'load')), [])
    open()
    recorder.scriptGate = null
    await visitor.loaded()
    assert.deepEqual(await visitor.run(call, names), [])
    await visitor.run(() => analytics.track('marker'))
    let found
    await eventually(async () => {
      found = (await visitor.sent(1)).map((message) => message.event ?? message.type)
      return found.includes('marker')
    }, 'the marker')
    for (const name of ['identify', 'group', 'track', 'alias', 'page', 'screen', 'asked'])
      assert.equal(found.filter((other) => other == name).length, name == 'page' ? 4 : 2, name + ' in ' + found)
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  }
})

test('beside the snippets of others, under their names: no error, and each keeps its own', async () => {
  const others = `
    window.rudderanalytics = []
    for (const method of ['setDefaultInstanceKey', 'load', 'ready', 'page', 'track', 'identify', 'reset', 'startSession', 'consent'])
      rudderanalytics[method] = (...args) => (Array.isArray(rudderanalytics) ? rudderanalytics.push([method, ...args]) : rudderanalytics[method](...args))
    rudderanalytics.load('theirs', 'https://theirs.test')
    rudderanalytics.page()
    window.jitsu = window.jitsu || function () { (window.jitsuQ = window.jitsuQ || []).push(arguments) }
    jitsu('track', 'page_view')`
  for (const [first, second] of [[others, onym()], [onym(), others]]) {
    const visitor = await open(tag(first) + tag(second))
    assert.deepEqual(await calls(visitor), ['page', 'marker'])
    assert.deepEqual(await visitor.run(() => [rudderanalytics.length, jitsuQ.length]), [2, 1])
    assert.deepEqual(visitor.errors, [])
    await visitor.close()
  }
})

test('Onym’s snippet twice, with two keys: the first one has the page, and the console names both', async () => {
  const visitor = await visit('/', { lib: 'none' })
  const warnings = []
  visitor.page.on('console', (line) => warnings.push(line.text()))
  await visitor.page.setContent(tag(onym()) + tag(onym('wk_other')))
  await visitor.loaded()
  await runAgain(visitor, onym('wk_third'))
  assert.deepEqual(await calls(visitor), ['page', 'marker'])
  const messages = await visitor.sent(2)
  assert.deepEqual([...new Set(messages.map((message) => message.writeKey))], [KEY])
  assert.equal(warnings.length, 2)
  for (const key of ['wk_other', 'wk_third']) {
    assert.ok(
      warnings.some((line) => line.includes(KEY) && line.includes(key) && line.includes('twice')),
      warnings.join(),
    )
  }
  await visitor.close()
})

test('after a second snippet the page’s own load and page are its own again', async () => {
  const visitor = await open(tag(onym()))
  await runAgain(visitor, onym() + '\nanalytics.page("mine")')
  await visitor.run(() => analytics.page('also mine'))
  assert.deepEqual(await calls(visitor), ['page', 'page', 'page', 'marker'])
  await visitor.close()
})

test('functions kept from a stub of 4.0, which knows nothing of the library, find it', async () => {
  const visitor = await open(
    tag(segment('4.0', 'max') + ';window.kept = analytics.track; window.stub = analytics'),
  )
  await visitor.run(() => {
    kept('through the old array')
    stub.identify('u2')
  })
  assert.deepEqual(await calls(visitor), ['page', 'through the old array', 'identify', 'marker'])
  await visitor.close()
})

test('push runs a call; a wrapper that the site put over a function stays and is heard', async () => {
  const visitor = await open(tag(segment('5.2', 'min')))
  const heard = await visitor.run(() => {
    const heard = []
    const { track } = analytics
    analytics.track = (...args) => {
      heard.push(args[0])
      return track.apply(analytics, args)
    }
    analytics.push(['track', 'pushed', { a: 1 }])
    analytics.push(['nonsense', 1])
    analytics.push(['group'])
    analytics.track('wrapped')
    return heard
  })
  assert.deepEqual(heard, ['wrapped'])
  await calls(visitor)
  const messages = await visitor.sent(4)
  assert.deepEqual(
    messages.map((message) => message.event ?? message.type),
    ['page', 'pushed', 'wrapped', 'marker'],
  )
  assert.deepEqual(messages[1].properties, { a: 1 })
  await visitor.close()
})
