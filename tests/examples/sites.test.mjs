// Builds each example with the address of a recorder, opens it, signs up, and looks at what arrives.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBrowser } from '../browser/browsers.mjs'
import { startRecorder } from '../browser/recorder.mjs'

const work = fileURLToPath(new URL('../../build/examples', import.meta.url))
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' }
const recorder = await startRecorder()
const chromium = await startBrowser()
after(async () => {
  await chromium.kill()
  await recorder.close()
})

const serve = async (folder, html) => {
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent(new URL(request.url, 'http://x').pathname))
    const file = [path, join(path, 'index.html'), path + '.html'].find((name) => existsSync(name) && statSync(name).isFile())
    if (!file && html) return response.writeHead(200, { 'content-type': 'text/html' }).end(html)
    if (!file) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    response.end(readFileSync(file))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.closeAllConnections() ?? server.close() }
}

const build = (site) => {
  const host = recorder.url
  const env = { VITE_ONYM_HOST: host, NEXT_PUBLIC_ONYM_HOST: host, NEXT_TELEMETRY_DISABLED: '1' }
  execFileSync('npm', ['run', 'build'], { cwd: join(work, site), env: { ...process.env, ...env }, stdio: 'pipe' })
}

/** Signs up on the page: a page view, an identify and a track of one visitor, each once, and no error. */
const signUp = async (url) => {
  const since = recorder.taken.length
  const page = await chromium.browser.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (line) => line.type() == 'error' && errors.push(line.text()))
  await page.goto(url)
  await page.click('button')
  await page.waitForSelector('text=Welcome, Kim')
  const recent = () => new Set(recorder.taken.slice(since).map((entry) => entry.message.messageId))
  const messages = await recorder.until((message) => recent().has(message.messageId), 3)
  assert.deepEqual(
    messages.map((message) => [message.type, message.name ?? message.event, message.userId, message.writeKey]),
    [
      ['page', 'Sign-up', undefined, 'wk_website'],
      ['identify', undefined, '12345', 'wk_website'],
      ['track', 'Signed Up', '12345', 'wk_website'],
    ],
  )
  assert.equal(new Set(messages.map((message) => message.anonymousId)).size, 1)
  assert.deepEqual(errors.filter((text) => !/favicon|404/.test(text)), [])
  await page.close()
}

const LIMIT = { timeout: 300_000 }
const sites = process.env.SITES.split(' ')
for (const site of sites.filter((name) => name != 'bundlers')) {
  test(`examples/${site} builds, and a sign-up in it arrives`, LIMIT, async () => {
    build(site)
    const server = await serve(join(work, site, site == 'next' ? 'out' : 'dist'))
    await signUp(server.url)
    server.close()
  })
}
if (sites.includes('bundlers')) {
  test('vite, webpack, rollup and esbuild bundle it, and a sign-up in it arrives', LIMIT, async () => {
    build('bundlers')
    for (const bundler of ['vite', 'webpack', 'rollup', 'esbuild']) {
      const html = `<!doctype html><title>${bundler}</title><button>Sign up</button>
        <script>window.ONYM_HOST = '${recorder.url}'</script><script src="/main.js"></script>`
      const server = await serve(join(work, 'bundlers/dist', bundler), html)
      await signUp(server.url)
      server.close()
    }
  })
}
