// The server under test: ONYM_URL when given, else build/onym when it is there, else none (the recorder
// then answers itself, and the tests that need Onym skip by name).
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = process.env.ONYM ?? fileURLToPath(new URL('../../build/onym', import.meta.url))
const SECRET = 'sk_browser_tests'

const configFor = (data) => `listen: 127.0.0.1:0
data: ${data}
secret_key: ${SECRET}
sources:
  - name: website
    write_key: wk_website
  - name: next
    write_key: wk_next
`

export const startOnym = async () => {
  if (process.env.ONYM_URL) return { url: process.env.ONYM_URL, export: null, close: () => {} }
  if (process.env.ONYM == '' || !existsSync(program)) return null
  const folder = mkdtempSync(join(tmpdir(), 'onym-browser-'))
  const config = join(folder, 'onym.yaml')
  writeFileSync(config, configFor(join(folder, 'data')))
  // It dies with this process, however that dies, and holds none of its pipes open: the runner waits for them.
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', program, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', openSync(join(folder, 'stderr'), 'w')],
  })
  const url = await new Promise((resolve, reject) => {
    server.on('error', reject)
    server.on('exit', (code) => reject(new Error('onym serve ended with ' + code)))
    createInterface(server.stdout).on('line', (line) => {
      const found = /listening on (http:\/\/\S+)/.exec(line)
      if (found) resolve(found[1])
    })
  })
  const run = promisify(execFile)
  return {
    url,
    secret: SECRET,
    /** Every accepted message, in the order of the journal, repeats left out. */
    async export() {
      const { stdout } = await run(program, ['export', '--config', config], { maxBuffer: 1 << 28 })
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    },
    /** GET under /api/v1 with the secret key. */
    async api(path) {
      const answer = await fetch(url + '/api/v1' + path, { headers: { authorization: 'Bearer ' + SECRET } })
      return { status: answer.status, body: await answer.json() }
    },
    async close() {
      const ended = new Promise((resolve) => server.on('exit', resolve))
      server.removeAllListeners('exit').on('exit', () => {})
      server.kill('SIGTERM')
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3000))])
      server.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
