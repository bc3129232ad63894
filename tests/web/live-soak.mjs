// Live under load: so many events a second for so long, in a tab that looks on. Its memory and the server's must stay flat
// once ten thousand rows are there, and its counter must be exact. `make soak-live [SECONDS_LONG=600 EVENTS=2000]`.
import { readFileSync } from 'node:fs'
import { number, openPage, startBrowser, startOnym } from './server.mjs'

const SECONDS = Number(process.env.SECONDS_LONG ?? 600)
const A_SECOND = Number(process.env.EVENTS ?? 2000)
const BATCHES_A_SECOND = 10
const PATIENCE_MS = 120_000
/** Of a tab that has its rows: what it may grow from the first third to the end, and the server, in MiB. */
const TAB_MIB = 12
const SERVER_MIB = 64

const onym = await startOnym(0)
const browser = await startBrowser()
const { page, go, context, faults } = await openPage(browser, onym)
await go('#/live')
await page.waitForSelector('.dot.open')
const cdp = await context.newCDPSession(page)
await cdp.send('HeapProfiler.enable')
const tabMib = async () => {
  await cdp.send('HeapProfiler.collectGarbage')
  return (await cdp.send('Runtime.getHeapUsage')).usedSize / 1048576
}
/** What it holds itself: pages of mapped files come and go as the system likes. */
const serverMib = () => Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${onym.pid}/status`, 'utf8'))[1]) / 1024
const counted = async () => number((await page.textContent('.state .dim')).replace(/ since.*/, ''))

let sent = 0
let refused = 0
const send = async (many) => {
  const batch = Array.from({ length: many }, (_, n) => ({
    type: 'track',
    event: 'Song Played',
    anonymousId: 'a-' + ((sent + n) % 5000),
    properties: { song: 'Song ' + ((sent + n) % 100_000), seconds: n % 240 },
  }))
  const answer = await fetch(onym.url + '/v1/batch', {
    method: 'POST',
    body: JSON.stringify({ batch }),
    headers: { authorization: 'Basic ' + btoa('wk_website:') },
  })
  await answer.text()
  if (answer.ok) sent += many
  else refused++
}
const looks = []
const began = performance.now()
let lookAt = 0
for (let batch = 0; batch < SECONDS * BATCHES_A_SECOND; batch++) {
  await send(A_SECOND / BATCHES_A_SECOND)
  const late = began + ((batch + 1) * 1000) / BATCHES_A_SECOND - performance.now()
  if (late > 0) await new Promise((resolve) => setTimeout(resolve, late))
  if (performance.now() - began < lookAt) continue
  lookAt += (SECONDS * 1000) / 12
  looks.push({ sent, tab: await tabMib(), server: serverMib() })
}
const seconds = (performance.now() - began) / 1000
const end = Date.now() + PATIENCE_MS
while ((await counted()) < sent && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 200))
looks.push({ sent, tab: await tabMib(), server: serverMib() })
const shown = await counted()
const rows = Number(await page.getAttribute('.feed', 'aria-rowcount'))
const full = looks.filter((look) => look.sent >= 15_000)
const grown = (what) => full.at(-1)[what] - Math.max(...full.slice(0, Math.ceil(full.length / 3)).map((look) => look[what]))
const told = {
  seconds: Math.round(seconds),
  events_a_second: Math.round(sent / seconds),
  sent,
  refused_batches: refused,
  counter: shown,
  rows,
  tab_mib: looks.map((look) => Math.round(look.tab * 10) / 10),
  server_mib: looks.map((look) => Math.round(look.server)),
}
console.log(told)
const wrong = []
if (shown != sent) wrong.push(`the counter says ${shown}, ${sent} were sent`)
if (full.length >= 6 && grown('tab') > TAB_MIB) wrong.push(`the tab grew by ${grown('tab').toFixed(1)} MiB`)
if (full.length >= 6 && grown('server') > SERVER_MIB) wrong.push(`the server grew by ${grown('server').toFixed(0)} MiB`)
if (faults.length) wrong.push(...faults)
// What is still true of the rows: they scroll to the oldest one.
await page.evaluate(() => document.querySelector('.feed-rows').scrollTo(0, 1e9))
await page.waitForFunction(() => document.querySelectorAll('.feed-row').length > 5)
await context.close()
await browser.close()
await onym.close()
for (const one of wrong) console.error('soak-live: ' + one)
process.exit(wrong.length ? 1 : 0)
