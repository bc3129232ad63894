// A collector for the tests, and a fault injector. Alone it speaks the protocol itself and remembers what it
// took; given an upstream (a real `onym serve`) it stands in front of it, passes everything on, and still
// remembers what was answered with 200. Faults are switched on and off by the tests.
import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

const root = (path) => fileURLToPath(new URL('../../' + path, import.meta.url))
const next = (name) =>
  fileURLToPath(new URL('node_modules/@segment/analytics-next/dist/umd/' + name, import.meta.url))

/** Write keys that begin so get unmodified analytics-next as their script, all others Onym's library. */
export const NEXT_KEY = 'wk_next'

const settingsFor = (key, host) => ({
  integrations: { 'Segment.io': { apiKey: key, apiHost: host + '/v1', protocol: 'http' } },
  plan: {
    track: { __default: { enabled: true } },
    identify: { __default: { enabled: true } },
    group: { __default: { enabled: true } },
  },
  metrics: { sampleRate: 0 },
  edgeFunction: {},
})

export const startRecorder = async ({ upstream } = {}) => {
  /** Every message taken, in order, repeats included: {at, path, message}. */
  const taken = []
  const requests = []
  let waiters = []
  const underWay = new Set()
  const recorder = {
    taken,
    requests,
    /** (path) => undefined | 'down' | 'lost' | {status, headers, body, delay_ms, until: a promise} */
    fault: null,
    /** (body) => undefined | 'down' | {status} */
    faultBody: null,
    /** Holds the library back: a promise that the script waits for. */
    scriptGate: null,
    cookies: [],
  }

  const cors = (request) => ({
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    'access-control-allow-methods': 'GET,POST,OPTIONS',
    'access-control-expose-headers': 'Retry-After, X-RateLimit-Reset',
    'access-control-max-age': '7200',
  })

  const take = (path, body) => {
    const parsed = JSON.parse(body)
    const messages = parsed.batch ?? [parsed]
    for (const message of messages) {
      taken.push({
        at: Date.now(),
        path,
        message: { ...message, writeKey: message.writeKey ?? parsed.writeKey },
      })
    }
    waiters = waiters.filter((look) => !look())
  }

  const readBody = async (request) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const unpack = { gzip: gunzipSync, br: brotliDecompressSync }[request.headers['content-encoding']]
    return unpack ? unpack(bytes) : bytes
  }

  const forward = (request, body) =>
    new Promise((resolve, reject) => {
      const url = new URL(request.url, upstream)
      const outgoing = httpRequest(
        url,
        { method: request.method, headers: { ...request.headers, host: url.host, 'accept-encoding': 'gzip' } },
        async (answer) => {
          resolve({ status: answer.statusCode, headers: answer.headers, body: await readBody(answer) })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  const own = (request, path, body) => {
    if (request.method == 'OPTIONS') return { status: 200, headers: cors(request), body: '' }
    const script = /^\/analytics\.js\/v1\/([^/]+)\/analytics(\.plus)?(\.min)?\.js$/.exec(path)
    if (script) {
      const file = script[1].startsWith(NEXT_KEY)
        ? next('standalone.js')
        : root(`build/browser/analytics${script[2] ?? ''}.min.js`)
      return {
        status: 200,
        headers: { 'content-type': 'text/javascript', 'cache-control': 'no-cache' },
        body: readFileSync(file),
      }
    }
    if (/^\/analytics\.js\/v1\/[^/]+\/more\.min\.js$/.test(path)) {
      const headers = { ...cors(request), 'content-type': 'text/javascript' }
      return { status: 200, headers, body: readFileSync(root('build/browser/more.min.js')) }
    }
    const bundle = /^\/analytics-next\/bundles\/([\w.-]+\.js)$/.exec(path)
    if (bundle)
      return {
        status: 200,
        headers: { 'content-type': 'text/javascript' },
        body: readFileSync(next(bundle[1])),
      }
    const settings = /^\/v1\/projects\/([^/]+)\/settings$/.exec(path)
    if (settings) {
      return {
        status: 200,
        headers: { ...cors(request), 'content-type': 'application/json' },
        body: JSON.stringify(settingsFor(settings[1], request.headers.host)),
      }
    }
    const json = { ...cors(request), 'content-type': 'application/json' }
    if (path == '/v1/cookie') {
      const { anonymousId, userId, domain } = JSON.parse(body)
      const scope = `; Path=/; Max-Age=31536000; SameSite=Lax${domain ? '; Domain=' + domain : ''}`
      const cookies = [
        ['ajs_anonymous_id', anonymousId],
        ['ajs_user_id', userId],
      ]
        .filter(([, id]) => id)
        .map(([name, id]) => `${name}=${encodeURIComponent(id)}${scope}`)
      recorder.cookies.push(...cookies)
      return { status: 200, headers: { ...json, 'set-cookie': cookies }, body: '{"success":true}' }
    }
    if (path.startsWith('/v1/')) {
      take(path, body)
      return { status: 200, headers: json, body: '{"success":true}' }
    }
    return {
      status: 404,
      headers: json,
      body: '{"code":"not_found","message":"no such path","error":"no such path"}',
    }
  }

  const passOn = async (request, path, body) => {
    // Onym serves its own library at the script's path; unmodified analytics-next is served from here.
    if (path.includes('/' + NEXT_KEY) && path.endsWith('.js')) return own(request, path, body)
    if (path.startsWith('/analytics-next/')) return own(request, path, body)
    const answer = await forward(request, body)
    if (request.method == 'POST' && answer.status == 200 && path != '/v1/cookie') take(path, body)
    if (path.endsWith('/settings') && answer.status == 200) {
      // Onym names itself as the host; in these tests the way to it leads through here.
      const document = JSON.parse(answer.body)
      Object.assign(document.integrations['Segment.io'], {
        apiHost: request.headers.host + '/v1',
        protocol: 'http',
      })
      answer.body = JSON.stringify(document)
    }
    const {
      'content-length': _,
      'transfer-encoding': __,
      'content-encoding': ___,
      ...headers
    } = answer.headers
    return { ...answer, headers }
  }

  const server = createServer(async (request, response) => {
    const path = request.url.split('?')[0]
    response.asked = request.method + ' ' + request.url
    underWay.add(response)
    response.on('close', () => underWay.delete(response))
    try {
      const fault = recorder.fault?.(path, request.method)
      if (fault == 'down') return request.socket.destroy()
      const body = await readBody(request)
      if (request.method == 'POST')
        requests.push({ at: Date.now(), path, bytes: body.length, headers: request.headers })
      if (path.startsWith('/analytics.js/')) await recorder.scriptGate
      const refusal = recorder.faultBody?.(body.toString())
      if (refusal == 'down') return request.socket.destroy()
      await fault?.until
      if (fault?.delay_ms) await new Promise((resolve) => setTimeout(resolve, fault.delay_ms).unref())
      if (fault?.status || refusal) {
        response.writeHead(fault?.status ?? refusal.status, {
          ...cors(request),
          'content-type': 'application/json',
          ...(fault ?? refusal).headers,
        })
        return response.end((fault ?? refusal).body ?? '{"code":"fault","message":"fault","error":"fault"}')
      }
      const answer = await (upstream ? passOn : own)(request, path, body)
      if (fault == 'lost') return request.socket.destroy()
      response.writeHead(answer.status, answer.headers)
      response.end(answer.body)
    } catch (error) {
      recorder.failure = error
      response.destroy()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  recorder.port = server.address().port
  recorder.url = 'http://127.0.0.1:' + recorder.port

  /** The messages, each once, as the server has them after dropping repeats, in order of first arrival. */
  recorder.messages = (belongs = () => true) => {
    const seen = new Set()
    return taken
      .map((entry) => entry.message)
      .filter((message) => !seen.has(message.messageId) && seen.add(message.messageId) && belongs(message))
  }
  /** Resolves with the messages that belong once there are `count`, or with those there are at the limit. */
  recorder.until = (belongs, count, limit_ms = 30_000) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(recorder.messages(belongs)), limit_ms)
      const look = () => {
        const found = recorder.messages(belongs)
        if (found.length < count) return false
        clearTimeout(timer)
        resolve(found)
        return true
      }
      if (!look()) waiters.push(look)
    })
  /** As if the network had gone: every connection breaks, whatever is under way on it. */
  recorder.dropConnections = () => server.closeAllConnections()
  /**
   * What a page that has just gone still had on the way has arrived when this resolves: connections are accepted in
   * their order, so those of the page were before this one, and what came over them is being answered by then.
   */
  recorder.settle = async () => {
    const end = Date.now() + 10_000
    await fetch(recorder.url + '/settle').catch(() => {})
    while (underWay.size && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
    // Not a fault of what was tested, but it should not be.
    if (underWay.size) console.log('not settled within 10 s:', [...underWay].map(({ asked }) => asked).join(', '))
  }
  recorder.close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return recorder
}
