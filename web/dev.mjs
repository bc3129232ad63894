// Serves ../build/web while you work on it, builds again when a file of src/ changes, and hands /api on to a running
// Onym with its secret key, so that nobody has to sign in:
//     node dev.mjs --onym http://127.0.0.1:8080 --key "$(onym keys --secret …)" [--port 5173]
// On this machine only: whoever reaches the port has the key.
import { execFileSync } from 'node:child_process'
import { readFileSync, watch } from 'node:fs'
import { createServer, request } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: {
    onym: { type: 'string', default: 'http://127.0.0.1:8080' },
    key: { type: 'string', default: '' },
    port: { type: 'string', default: '5173' },
  },
})
const build = () => {
  try {
    execFileSync(process.execPath, [join(here, 'build.mjs')], { stdio: 'inherit' })
  } catch {
    console.error('not built: see above')
  }
}
build()
let waiting
for (const name of ['src', 'app.css', 'index.html'])
  watch(join(here, name), { recursive: name == 'src' }, () => {
    clearTimeout(waiting)
    waiting = setTimeout(build, 50)
  })

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript', css: 'text/css' }
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

createServer((asked, answer) => {
  const path = asked.url.split('?')[0]
  if (path.startsWith('/api/') || path.startsWith('/v1/')) {
    if (path == '/api/v1/session') {
      answer.writeHead(200, { 'content-type': 'application/json' })
      answer.end('{"role":"admin","expires_at":"2099-01-01T00:00:00.000Z"}')
      return
    }
    const headers = { ...asked.headers, ...(path.startsWith('/api/') ? { authorization: 'Bearer ' + values.key } : {}) }
    for (const name of ['origin', 'referer', 'sec-fetch-site', 'cookie', 'host']) delete headers[name]
    const passed = request(values.onym + asked.url, { method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers)
      got.pipe(answer)
    })
    passed.on('error', (error) => answer.writeHead(502).end(String(error)))
    answer.on('close', () => passed.destroy())
    asked.pipe(passed)
    return
  }
  const name = path == '/' ? 'index.html' : path.startsWith('/ui/') ? path.slice(4) : ''
  try {
    if (!/^[a-z]+\.[a-z]+$/.test(name)) throw new Error('no such file')
    const bytes = readFileSync(join(here, '../build/web', name))
    answer.writeHead(200, {
      'content-type': TYPES[name.split('.').pop()],
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
    })
    answer.end(bytes)
  } catch {
    answer.writeHead(404).end('not found')
  }
}).listen(Number(values.port), '127.0.0.1', () => console.log(`the dashboard: http://127.0.0.1:${values.port}`))
