// The server under test: ONYM_URL when given, else build/onym when it is there, else none (the recorder
// then answers itself, and the tests that need Onym skip by name).
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = process.env.ONYM ?? fileURLToPath(new URL('../../build/onym', import.meta.url))
export const SECRET = 'sk_browser_tests'

const configFor = (data) => `listen: 127.0.0.1:0
data: ${data}
secret_key: ${SECRET}
sources:
  - name: website
    write_key: wk_website
  - name: next
    write_key: wk_next
  - name: website2
    write_key: wk_website2
  - name: next2
    write_key: wk_next2
  - name: own
    write_key: wk_own
    own_path: m4p
  - name: tools
    write_key: wk_tools
    device_mode:
      intercom: {app_id: app1}
      google_tag:
        ids: [G-ONE, AW-2]
        user_properties: plan
        conversions: {Signed Up: AW-2/abc, __proto__: AW-2/x}
      meta_pixel: {pixel_id: 1234567}
      posthog: {api_key: phc_one}
  - name: consent
    write_key: wk_consent
    device_mode:
      google_tag: {ids: G-ONE, consent: Analytics, consent_mode: {analytics_storage: Analytics, ad_storage: Ads}}
      meta_pixel: {pixel_id: 1234567, consent: [Ads]}
  - name: signed
    write_key: wk_signed
    device_mode:
      intercom: {app_id: app1, identity_verification: true}
  - name: owntools
    write_key: wk_owntools
    own_path: x9q
    device_mode:
      google_tag: {ids: G-ONE}
  - name: bound
    write_key: wk_bound
    allowed_origins: ["https://www.rdio.test"]
    device_mode:
      google_tag: {ids: G-ONE}
`

/** It dies with this process, however that dies, and holds none of its pipes open: the runner waits for them. */
const spawnOnym = (folder, args, onLine) =>
  new Promise((resolve, reject) => {
    const server = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['ignore', 'pipe', openSync(join(folder, 'stderr'), 'w')],
      env: { ...process.env, TMPDIR: folder },
    })
    server.on('error', reject)
    server.on('exit', (code) => reject(new Error('onym ended with ' + code)))
    createInterface(server.stdout).on('line', (line) => onLine(line, () => resolve(server)))
  })

const end = async (server, folder) => {
  const ended = new Promise((resolve) => server.on('exit', resolve))
  server.kill('SIGTERM')
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3000))])
  server.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

/** What a running Onym can be asked; `where` are the arguments that name its data. */
const asking = (url, secret, where) => ({
  url,
  /** Every accepted message, in the order of the journal, repeats left out. */
  async export() {
    const { stdout } = await promisify(execFile)(program, ['export', ...where], { maxBuffer: 1 << 28 })
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  },
  /** GET under /api/v1 with the secret key. */
  async api(path) {
    const answer = await fetch(url + '/api/v1' + path, { headers: { authorization: 'Bearer ' + secret } })
    return { status: answer.status, body: await answer.json() }
  },
})

const hasProgram = () => process.env.ONYM != '' && existsSync(program)

export const startOnym = async () => {
  if (process.env.ONYM_URL) return { url: process.env.ONYM_URL, export: null, close: () => {} }
  if (!hasProgram()) return null
  const folder = mkdtempSync(join(tmpdir(), 'onym-browser-'))
  const config = join(folder, 'onym.yaml')
  writeFileSync(config, configFor(join(folder, 'data')))
  let url
  const server = await spawnOnym(folder, ['serve', '--config', config], (line, isUp) => {
    url ??= /listening on (http:\/\/\S+)/.exec(line)?.[1]
    if (url) isUp()
  })
  return { ...asking(url, SECRET, ['--config', config]), close: () => end(server, folder) }
}

/** `onym demo`, with what its terminal shows; null without build/onym. */
export const startDemo = async () => {
  if (!hasProgram()) return null
  const folder = mkdtempSync(join(tmpdir(), 'onym-browser-demo-'))
  const lines = []
  const found = {}
  const args = ['demo', '--listen', '127.0.0.1:0', '--site', '127.0.0.1:0']
  const server = await spawnOnym(folder, args, (line, isUp) => {
    lines.push(line)
    found.onym ??= /listening on (http:\/\/\S+)/.exec(line)?.[1]
    found.site ??= /the example site: (http:\/\/\S+)/.exec(line)?.[1]
    found.data ??= /--data (\S+)/.exec(line)?.[1]
    if (found.data) isUp()
  })
  const [, secret] = /secret_key: (\S+)/.exec(readFileSync(join(found.data, 'keys.yaml'), 'utf8'))
  const onym = asking(found.onym, secret, ['--data', found.data])
  return {
    url: found.site,
    onym,
    lines: () => lines,
    /** The messages that belong, once there are `count`, or those that there are after some seconds. */
    async until(belongs, count) {
      const limit = Date.now() + 30_000
      for (;;) {
        const messages = (await onym.export()).filter(belongs)
        if (messages.length >= count || Date.now() > limit) return messages
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    close: () => end(server, folder),
  }
}
