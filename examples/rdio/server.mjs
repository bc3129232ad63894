#!/usr/bin/env node
// The reference server of the example site: README.md in code. No dependencies; accounts live in memory.
//
//   ONYM=http://127.0.0.1:8080 WRITE_KEY=wk_website OWN_PATH=m4p PORT=8090 node examples/rdio/server.mjs
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const FIRST_USER_ID = 12345
const BODY_BYTES_MAX = 4096
/** Anybody can write what they like into a hidden field. */
const ID_LENGTH_MAX = 100
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
const ASSETS = ['rdio.css', 'rdio.js', 'albums.js', 'hard.js', 'kept.js', 'icon.svg']

const file = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url)))

/** What frame.awk does when the program is built: the title and the page take the places of two comments. */
const wholePage = (name) => {
  const text = String(file(`pages/${name}.html`))
  if (text.startsWith('<!doctype')) return text
  const end = text.indexOf('\n') + 1
  return String(file('frame.html'))
    .replace('<!-- title -->\n', () => text.slice(0, end))
    .replace('    <!-- page -->\n', () => text.slice(end))
}

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

/**
 * `onym` is where calls go, `writeKey` says whose they are, `ownPath` is the source's own path if it has one; all are also
 * handed to the pages. `secretKey` reads what was kept, for the page after a sign-up; without it that page says less.
 */
export const startRdio = async ({ onym, writeKey = 'wk_website', ownPath = '', secretKey, port = 0 }) => {
  const accounts = []
  const sessions = new Map()

  /** The calls that the server makes itself: it knows for certain who this is, and the request brings which visitor. */
  const send = async (account, request, form, ...calls) => {
    const isFine = (id) => id && id.length <= ID_LENGTH_MAX
    const anonymousId = [readCookies(request).ajs_anonymous_id, form.anonymousId].find(isFine)
    const batch = calls.map((call) => ({
      messageId: 'rdio-' + randomUUID(),
      timestamp: new Date().toISOString(),
      userId: account.userId,
      anonymousId,
      context: { library: { name: 'rdio-server', version: '1' }, userAgent: request.headers['user-agent'] },
      ...call,
    }))
    const answer = await fetch(onym + '/v1/batch', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Basic ' + Buffer.from(writeKey + ':').toString('base64'),
      },
      body: JSON.stringify({ batch }),
    }).catch((error) => ({ status: error.message }))
    if (answer.status != 200) console.error('rdio: the calls of ' + account.userId + ': ' + answer.status)
  }

  const identify = ({ name, email, plan, createdAt }) => ({
    type: 'identify',
    traits: { name, email, plan, createdAt },
  })

  /** The call that the page has stamped into its form, once more: under one messageId it is one event. */
  const repeat = ({ signUpCall, plan }) => ({
    type: 'track',
    event: 'Sign Up Submitted',
    properties: { plan },
    ...(signUpCall && { messageId: signUpCall }),
  })

  const redirect = (response, location, headers = {}) =>
    response.writeHead(303, { location, ...headers }).end()

  const logIn = (response, account, location) => {
    const session = randomUUID()
    sessions.set(session, account)
    redirect(response, location, {
      'set-cookie': `rdio_session=${session}; Path=/; HttpOnly; SameSite=Lax`,
    })
  }

  const signUp = async (request, response, form, via) => {
    const { name, email, plan, messageId = '' } = form
    if (!name || !email) return redirect(response, '/signup')
    if (accounts.some((account) => account.email == email)) return redirect(response, '/signup?taken')
    const account = {
      userId: String(FIRST_USER_ID + accounts.length),
      name,
      email,
      plan: plan == 'Unlimited' ? plan : 'Free',
      createdAt: new Date().toISOString(),
      signUpCall: via == 'form' && messageId && messageId.length <= ID_LENGTH_MAX ? messageId : null,
    }
    accounts.push(account)
    const calls = via == 'form' ? [identify(account), repeat(account)] : [identify(account)]
    await send(account, request, form, ...calls)
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
      await send(account, request, {}, identify(account))
      redirect(response, '/account?saved')
    },
  }

  /** What Onym knows of the member, from before the account, too: asked with the secret key, never by the page. */
  const sendHistory = async (request, response) => {
    const account = sessions.get(readCookies(request).rdio_session)
    const ask = (path) =>
      fetch(onym + '/api/v1/people/' + path, { headers: { authorization: 'Bearer ' + secretKey } }).then((answer) =>
        answer.ok ? answer.json() : null,
      )
    const person = account && secretKey && (await ask('resolve?user_id=' + account.userId).catch(() => null))
    const events = person && (await ask(person.person_id + '/events?limit=50').catch(() => null))
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(events ?? null))
  }

  const answerGet = (request, response, path) => {
    const answer = (body, type) =>
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' }).end(body)
    if (PAGES[path]) return answer(wholePage(PAGES[path]), TYPES.html)
    const asset = path.startsWith('/assets/') && path.slice('/assets/'.length)
    if (ASSETS.includes(asset)) return answer(file('assets/' + asset), TYPES[asset.split('.')[1]])
    if (path == '/onym.js') {
      const snippet = file('../../build/browser/snippet.min.js')
      const about = JSON.stringify({ onym, key: writeKey, own: ownPath })
      return answer(`${snippet};window.rdio=${about};\n${file('assets/start.js')}`, TYPES.js)
    }
    if (path == '/me') {
      const account = sessions.get(readCookies(request).rdio_session)
      response.writeHead(200, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      })
      return response.end(JSON.stringify(account ?? null))
    }
    if (path == '/history') return sendHistory(request, response)
    response.writeHead(404, { 'content-type': TYPES.html }).end(wholePage('missing'))
  }

  const server = createServer(async (request, response) => {
    const path = request.url.split('?')[0]
    try {
      if (request.method == 'GET') answerGet(request, response, path)
      // Where the pages send their calls while somebody has switched Onym off.
      else if (path.startsWith('/down/')) response.writeHead(503).end()
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
  const { ONYM = 'http://127.0.0.1:8080', WRITE_KEY, OWN_PATH, SECRET_KEY, PORT = '8090' } = process.env
  const options = { writeKey: WRITE_KEY, ownPath: OWN_PATH, secretKey: SECRET_KEY, port: Number(PORT) }
  const rdio = await startRdio({ onym: ONYM, ...options })
  console.log('rdio is at ' + rdio.url + ', its calls go to ' + ONYM)
}
