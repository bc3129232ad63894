// The pages that the tests visit: any path answers a page with the chosen library's snippet, and what the
// query asks for. Served beside the collector, from another port, as a real site is.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const segmentSnippet = require('@segment/snippet')
const onymSnippet = () =>
  readFileSync(fileURLToPath(new URL('../../build/browser/snippet.min.js', import.meta.url)), 'utf8')

/** Segment's own snippet, unmodified but for the scheme: it renders https only, and loopback has none. */
const renderNext = (key, collector, page) => {
  const host = new URL(collector).host
  return segmentSnippet
    .min({ apiKey: key, host, useHostForBundles: true, page })
    .replaceAll('https://' + host, 'http://' + host)
}

const renderOnym = (key, collector, page, options, own, plus) =>
  `${onymSnippet()};analytics._cdn=${JSON.stringify(collector)};` +
  (plus ? 'analytics._plus=true;' : '') +
  (own ? `analytics._own=${JSON.stringify(own)};` : '') +
  `analytics.load(${JSON.stringify(key)},${JSON.stringify(options)});` +
  (page ? 'analytics.page();' : '')

/** Segment's snippet with Onym's library behind it: what a site that switches has. */
const renderSwitched = (key, collector, page) => renderNext(key, collector, page)

export const startSite = async (collector) => {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://site')
    if (url.pathname == '/made') {
      response.end()
      return site.onMade?.()
    }
    if (url.pathname == '/worker.js') {
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' })
      return response.end(site.worker ?? '')
    }
    if (request.method == 'POST') {
      request
        .resume()
        .on('end', () => response.writeHead(303, { location: url.searchParams.get('to') ?? '/' }).end())
      return
    }
    const read = (name, otherwise) => url.searchParams.get('_' + name) ?? otherwise
    const key = read('key', 'wk_website')
    const page = read('page') == '1'
    const options = JSON.parse(read('options', '{}'))
    const render = { onym: renderOnym, next: renderNext, switched: renderSwitched, none: () => '' }[
      read('lib', 'onym')
    ]
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      ...JSON.parse(read('headers', '{}')),
    })
    response.end(`<!doctype html><html><head><meta charset="utf-8"><title>${url.pathname}</title>
${read('head', '')}
<script nonce="n1">${render(key, collector, page, options, read('own'), read('plus'))}</script>
<script nonce="n1">${read('script', '')}</script></head>
<body><h1>${url.pathname}</h1>${read('body', '')}</body></html>`)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  const site = {
    port,
    /** Called when a page posts to /made, to say that its calls have returned. */
    onMade: null,
    /** The text of the site's service worker, at /worker.js. */
    worker: null,
    /** A page's address; `asks` are the parameters above. */
    page(path, asks = {}, host = 'localhost') {
      const url = new URL(path, `http://${host}:${port}`)
      for (const [name, value] of Object.entries(asks)) {
        url.searchParams.set('_' + name, typeof value == 'string' ? value : JSON.stringify(value))
      }
      return url.href
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
  return site
}
