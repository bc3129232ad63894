#!/usr/bin/env node
// The reference server of the example site: README.md in code. No dependencies; accounts live in memory.
//
//   ONYM=http://127.0.0.1:8080 WRITE_KEY=wk_website PORT=8090 node examples/rdio/server.mjs
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const FIRST_USER_ID = 12345
const BODY_BYTES_MAX = 4096
const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
}
const PAGES = {
  '/': 'index',
  ...Object.fromEntries(
    ['browse', 'signup', 'connect', 'login', 'welcome', 'account'].map((name) => ['/' + name, name]),
  ),
}
const ASSETS = ['rdio.css', 'rdio.js', 'albums.js', 'icon.svg']

const file = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url)))

const readCookies = (request) =>
  Object.fromEntries(
    (request.headers.cookie ?? '')
      .split('; ')
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), decode(pair.slice(pair.indexOf('=') + 1))]),
  )

const decode = (text) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const readForm = async (request) => {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > BODY_BYTES_MAX) throw new Error('form too large')
  }
  return Object.fromEntries(new URLSearchParams(text))
}

/** `onym` is where calls go, `writeKey` says whose they are; both are also handed to the pages. */
export const startRdio = async ({ onym, writeKey = 'wk_website', port = 0 }) => {
  const accounts = []
  const sessions = new Map()

  /** The call that the server makes itself: it knows for certain, and carries the visitor's anonymous id. */
  const identify = async (account, request) => {
    const message = {
      type: 'identify',
      messageId: 'rdio-' + randomUUID(),
      timestamp: new Date().toISOString(),
      userId: account.userId,
      anonymousId: readCookies(request).ajs_anonymous_id,
      traits: {
        name: account.name,
        email: account.email,
        plan: account.plan,
        createdAt: account.createdAt,
      },
      context: { library: { name: 'rdio-server', version: '1' }, userAgent: request.headers['user-agent'] },
    }
    const answer = await fetch(onym + '/v1/identify', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Basic ' + Buffer.from(writeKey + ':').toString('base64'),
      },
      body: JSON.stringify(message),
    }).catch((error) => ({ status: error.message }))
    if (answer.status != 200) console.error('rdio: identify of ' + account.userId + ': ' + answer.status)
  }

  const redirect = (response, location, headers = {}) =>
    response.writeHead(303, { location, ...headers }).end()

  const logIn = (response, account, location) => {
    const session = randomUUID()
    sessions.set(session, account)
    redirect(response, location, {
      'set-cookie': `rdio_session=${session}; Path=/; HttpOnly; SameSite=Lax`,
    })
  }

  const signUp = async (request, response, { name, email, plan }, via) => {
    if (!name || !email) return redirect(response, '/signup')
    if (accounts.some((account) => account.email == email)) return redirect(response, '/signup?taken')
    const account = {
      userId: String(FIRST_USER_ID + accounts.length),
      name,
      email,
      plan: plan == 'Unlimited' ? plan : 'Free',
      createdAt: new Date().toISOString(),
    }
    accounts.push(account)
    await identify(account, request)
    logIn(response, account, '/welcome?via=' + via)
  }

  const POSTS = {
    '/signup': (request, response, form) => signUp(request, response, form, 'form'),
    '/connect': (request, response, form) => signUp(request, response, form, 'faceplace'),
    '/login'(request, response, { email }) {
      const account = accounts.find((account) => account.email == email)
      if (account) logIn(response, account, '/browse?login')
      else redirect(response, '/login?unknown')
    },
    '/logout'(request, response) {
      sessions.delete(readCookies(request).rdio_session)
      redirect(response, '/', { 'set-cookie': 'rdio_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax' })
    },
    async '/account'(request, response, { plan }) {
      const account = sessions.get(readCookies(request).rdio_session)
      if (!account) return redirect(response, '/login')
      account.plan = plan == 'Unlimited' ? plan : 'Free'
      await identify(account, request)
      redirect(response, '/account?saved')
    },
  }

  const answerGet = (request, response, path) => {
    const send = (body, type) =>
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' }).end(body)
    if (PAGES[path]) return send(file(`pages/${PAGES[path]}.html`), TYPES.html)
    const asset = path.startsWith('/assets/') && path.slice('/assets/'.length)
    if (ASSETS.includes(asset)) return send(file('assets/' + asset), TYPES[asset.split('.')[1]])
    if (path == '/onym.js') {
      const snippet = file('../../build/browser/snippet.min.js')
      const [cdn, key] = [JSON.stringify(onym), JSON.stringify(writeKey)]
      return send(`${snippet};analytics._cdn=${cdn};analytics.load(${key});analytics.page();\n`, TYPES.js)
    }
    if (path == '/me') {
      const account = sessions.get(readCookies(request).rdio_session)
      response.writeHead(200, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      })
      return response.end(JSON.stringify(account ?? null))
    }
    response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page\n')
  }

  const server = createServer(async (request, response) => {
    const path = request.url.split('?')[0]
    try {
      if (request.method == 'GET') answerGet(request, response, path)
      else if (request.method == 'POST' && POSTS[path])
        await POSTS[path](request, response, await readForm(request))
      else response.writeHead(404).end()
    } catch (error) {
      console.error('rdio: ' + error.message)
      response.writeHead(400).end()
    }
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://localhost:${server.address().port}`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

if (process.argv[1] == fileURLToPath(import.meta.url)) {
  const { ONYM = 'http://127.0.0.1:8080', WRITE_KEY, PORT = '8090' } = process.env
  const rdio = await startRdio({ onym: ONYM, writeKey: WRITE_KEY, port: Number(PORT) })
  console.log('rdio is at ' + rdio.url + ', its calls go to ' + ONYM)
}
