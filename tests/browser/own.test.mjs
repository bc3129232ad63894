// A script and a path of the source's own: an ad blocker that stops what it knows stops nothing of them.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { eventually, onym, recorder, test, visit } from './setup.mjs'

afterEach(() => (recorder.fault = null))
const skip = onym?.export ? false : 'needs build/onym'

/** What the public lists stop: the paths of Segment and of everything that speaks its protocol. */
const KNOWN = /\/analytics\.js\/|\/v1\/|\/analytics[.-]|\/projects\/|segment/

const blocked = async (asks) => {
  const visitor = await visit('/', { lib: 'none' })
  const paths = []
  const stopped = []
  await visitor.context.route(
    (url) => url.origin == recorder.url,
    (route) => {
      const path = new URL(route.request().url()).pathname
      paths.push(path)
      if (!KNOWN.test(path)) return route.continue()
      stopped.push(path)
      return route.abort('blockedbyclient')
    },
  )
  const since = recorder.taken.length
  const events = () => recorder.taken.slice(since).map(({ message }) => message.event ?? message.type)
  return { ...visitor, paths, stopped, events, go: (path, more) => visitor.page.goto(visitor.url(path, { key: 'wk_own', lib: 'onym', ...asks, ...more })) }
}

test('the usual path is stopped, the own one is not: every call arrives, by retry and beacon too', { skip }, async () => {
  const usual = await blocked({})
  await usual.go('/')
  await usual.run(() => void analytics.track('Lost'))
  await eventually(() => usual.stopped.length > 0, 'the script is stopped')
  assert.deepEqual(usual.events(), [])
  await usual.close()

  const visitor = await blocked({ own: 'm4p', page: '1', options: { serverCookie: true } })
  await visitor.go('/')
  await visitor.loaded()
  await eventually(() => visitor.events().includes('page'), 'the page call')
  let refusals = 2
  recorder.fault = (path) => (path == '/m4p/b' && refusals-- > 0 ? { status: 503 } : null)
  await visitor.run(() => void analytics.track('Tried Again'))
  await eventually(() => visitor.events().includes('Tried Again'), 'the retry')
  await visitor.run(() => {
    addEventListener('pagehide', () => analytics.track('On Leaving'))
    void analytics.identify('12345')
  })
  await visitor.go('/next')
  await visitor.loaded()
  for (const name of ['identify', 'On Leaving']) await eventually(() => visitor.events().includes(name), name)
  assert.deepEqual(visitor.stopped, [])
  assert.deepEqual(visitor.errors, [])
  assert.deepEqual([...new Set(visitor.paths)].sort(), ['/m4p.js', '/m4p/b', '/m4p/c', '/m4p/m.js'])
  await visitor.close()
})

test('calls made before the own script has loaded, on a page that is left, arrive', { skip }, async () => {
  const visitor = await blocked({ own: 'm4p' })
  recorder.fault = (path) => (path == '/m4p.js' ? 'down' : null)
  await visitor.go('/', { script: "analytics.track('Early')" })
  await visitor.page.goto('about:blank')
  recorder.fault = null
  await visitor.go('/next')
  await eventually(() => visitor.events().includes('Early'), 'the early call')
  assert.deepEqual(visitor.stopped, [])
  await visitor.close()
})

test('the word in the load options does what _own does; another apiHost counts', { skip }, async () => {
  const visitor = await blocked({ options: { ownPath: 'm4p', apiHost: recorder.url + '/v1' } })
  await visitor.go('/', { script: "analytics.track('By Option')" })
  await eventually(() => visitor.events().includes('By Option'), 'the call')
  assert.deepEqual(visitor.stopped, [])
  assert.deepEqual(recorder.taken.find(({ message }) => message.event == 'By Option').path, '/m4p/b')
  await visitor.close()
})
