// The real program, with the dashboard in it, and a month of a made-up site; and the browser that looks at it.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { hostile, makeMonth } from './data.mjs'

export const PROGRAM = process.env.ONYM ?? fileURLToPath(new URL('../../build/onym', import.meta.url))
export const SECRET = 'sk_dashboard_tests_only'
export const READER = 'rk_dashboard_tests_only'
export const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

const config = (folder, sink) => `listen: 127.0.0.1:0
data: ${folder}/data
secret_key: ${SECRET}
keys:
  - {name: numbers, key: ${READER}}
plan: ${folder}/plan.yaml
sources:
  - {name: website, write_key: wk_website}
  - {name: backend, write_key: wk_backend}
destinations:
  - {name: hook, type: webhook, settings: {url: "http://127.0.0.1:9/", allow_private: true}}
  - {name: sink, type: webhook, settings: {url: "${sink}", allow_private: true}}
`

/** Speaks of one event alone, so that all others fit. */
const PLAN = `version: "7"
unplanned_events: allow
unplanned_properties: allow
events:
  Planned: {properties: {n: {type: number}}}
`

/** `visitors` 0: nothing has ever come but what `lines` (of JSON) has. It dies with this process, however that dies. */
export const startOnym = async (visitors, lines = []) => {
  const folder = mkdtempSync(join(tmpdir(), 'onym-web-'))
  const configuration = join(folder, 'onym.yaml')
  // Takes what it gets, but for events named so that it must not.
  const vendor = createServer((request, answer) => {
    let body = ''
    request.on('data', (piece) => (body += piece))
    request.on('end', () => {
      const refused = /"event":"Refused (\d+)/.exec(body)
      answer.writeHead(refused ? 400 : 200).end(refused ? 'no room for number ' + refused[1] : 'ok')
    })
  })
  await new Promise((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  writeFileSync(join(folder, 'plan.yaml'), PLAN)
  writeFileSync(configuration, config(folder, `http://127.0.0.1:${vendor.address().port}/`))
  const end = Date.now()
  const { messages, truth } = makeMonth({ end, visitors })
  if (visitors || lines.length) {
    const file = join(folder, 'month.ndjson')
    const told = visitors ? [...messages, ...hostile(end - 7_200_000)].map((one) => JSON.stringify(one)) : []
    writeFileSync(file, [...told, ...lines].join('\n') + '\n')
    const imported = spawnSync(PROGRAM, ['import', '--config', configuration, '--source', 'website', file], {
      encoding: 'utf8',
    })
    // 1: a line was rejected; one event of the hostile ones has a longer name than is accepted.
    if (imported.status != (visitors ? 1 : 0)) throw new Error('not imported: ' + imported.stderr)
  }
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', PROGRAM, 'serve', '--config', configuration], {
    stdio: ['ignore', 'pipe', openSync(join(folder, 'stderr'), 'w')],
    env: { ...process.env, TMPDIR: folder },
  })
  const url = await new Promise((resolve, reject) => {
    server.on('error', reject)
    server.on('exit', (code) => reject(new Error('onym ended with ' + code)))
    createInterface(server.stdout).on('line', (line) => {
      const found = /listening on (http:\/\/\S+)/.exec(line)?.[1]
      if (found) resolve(found)
    })
  })
  const ask = async (path, body) => {
    const answer = await fetch(`${url}/api/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: 'Bearer ' + SECRET, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  await ask('trends?wait=30s', { series: ['*'] })
  return {
    url,
    truth,
    ask,
    configuration,
    pid: server.pid,
    /** A row of /metrics. */
    metric: async (name) => {
      const text = await (await fetch(url + '/metrics')).text()
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    },
    send: async (message, key = 'wk_website') => {
      const answer = await fetch(`${url}/v1/batch`, {
        method: 'POST',
        body: JSON.stringify({ batch: [message] }),
        headers: { authorization: 'Basic ' + btoa(key + ':'), 'content-type': 'application/json' },
      })
      if (!answer.ok) throw new Error('not taken: ' + answer.status)
    },
    /** Runs a command as somebody would who pasted it into a terminal. */
    shell: async (command) =>
      (
        await promisify(execFile)('sh', ['-c', command], {
          env: { PATH: `${join(PROGRAM, '..')}:${process.env.PATH}` },
        })
      ).stdout,
    close: async () => {
      const ended = new Promise((resolve) => server.on('exit', resolve))
      server.kill('SIGTERM')
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000))])
      server.kill('SIGKILL')
      vendor.close()
      vendor.closeAllConnections()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const startBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

/** A page that notes what must never happen: requests to other hosts, errors in the console, dialogs. */
export const openPage = async (browser, onym, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, timezoneId: 'UTC', ...options })
  if (options.isSignedIn !== false) {
    const data = options.key ? { key: options.key } : { link: (await onym.ask('session/link', {})).link }
    const answer = await context.request.post(onym.url + '/api/v1/session', {
      data,
      headers: { 'sec-fetch-site': 'same-origin', origin: onym.url },
    })
    if (!answer.ok()) throw new Error('no session: ' + (await answer.text()))
  }
  const page = await context.newPage()
  const faults = []
  page.on('request', (request) => {
    if (!request.url().startsWith(onym.url + '/') && !/^(data|blob):/.test(request.url()))
      faults.push('another host: ' + request.url())
  })
  page.on('console', (message) => {
    // A browser notes each answer of 401 itself: it is how a page finds out that nobody is signed in.
    if (message.type() == 'error' && !/status of 401/.test(message.text())) faults.push('console: ' + message.text())
  })
  page.on('pageerror', (error) => faults.push('error: ' + error.message))
  page.on('dialog', (dialog) => {
    faults.push('dialog: ' + dialog.message())
    void dialog.dismiss()
  })
  return {
    page,
    faults,
    context,
    /** Goes to a place of the dashboard, and waits until nothing is being asked. */
    async go(hash) {
      await page.goto(onym.url + '/' + hash)
      await drawn(page)
      await settled(page)
    },
  }
}

/** A change of the address has been drawn, and what it asks has been asked: that takes the page some frames. */
const drawn = (page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
    await new Promise((resolve) => setTimeout(resolve))
  })

/** No answer is awaited any more. */
export const settled = async (page) => {
  await page.waitForSelector('main:not([aria-busy=true])')
  await page.waitForFunction(() => document.querySelector('main') && !document.querySelector('[aria-busy=true]'))
}

export const number = (text) => Number(text.replace(/[^\d.-]/g, ''))
