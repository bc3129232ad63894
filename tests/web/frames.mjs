// How many frames a second Live draws with ten thousand rows in it, while it is scrolled and more come in. A measurement,
// no test: `make bench-web`, on a machine that does nothing else. 60 frames a second leave 16.7 ms for one; cpu_ms_a_frame
// is what the page takes of them.
import { openPage, startBrowser, startOnym } from './server.mjs'

const ROWS = 10_000
const SECONDS = 5
const A_SECOND = Number(process.env.EVENTS ?? 200)

const onym = await startOnym(0)
const browser = await startBrowser()
const { page, go, context } = await openPage(browser, onym)
await go('#/live')
await page.waitForSelector('.dot.open')
let n = 0
const send = async (many) => {
  const batch = Array.from({ length: many }, () => ({
    type: 'track',
    event: 'Song Played',
    anonymousId: 'a-' + (n % 500),
    properties: { song: 'Song ' + n++, seconds: n % 240 },
  }))
  const answer = await fetch(onym.url + '/v1/batch', {
    method: 'POST',
    body: JSON.stringify({ batch }),
    headers: { authorization: 'Basic ' + btoa('wk_website:') },
  })
  if (!answer.ok) throw new Error('not taken: ' + answer.status)
}
while (n < ROWS) await send(500)
await page.waitForFunction((rows) => document.querySelector('.feed').getAttribute('aria-rowcount') >= rows, ROWS)
// What the page itself takes of its thread, however busy the machine is otherwise.
const cdp = await context.newCDPSession(page)
await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
const spent = async () =>
  Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map((one) => [one.name, one.value]))
const before = await spent()
const timer = setInterval(() => void send(A_SECOND / 4), 250)
const told = await page.evaluate(async (seconds) => {
  const list = document.querySelector('.feed-rows')
  const times = []
  const end = performance.now() + seconds * 1000
  let down = 40
  await new Promise((done) => {
    const frame = (now) => {
      times.push(now)
      if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) down = -Math.abs(down)
      if (list.scrollTop <= 0) down = Math.abs(down)
      list.scrollTop += down
      performance.now() < end ? requestAnimationFrame(frame) : done()
    }
    requestAnimationFrame(frame)
  })
  const between = times.slice(1).map((now, at) => now - times[at])
  between.sort((a, b) => a - b)
  return {
    frames_a_second: Math.round((between.length / (times.at(-1) - times[0])) * 10_000) / 10,
    p99_ms: Math.round(between[Math.floor(between.length * 0.99)] * 10) / 10,
    frames: between.length,
    longest_ms: Math.round(between.at(-1) * 10) / 10,
    drawn_rows: document.querySelectorAll('.feed-row').length,
    heap_mib: Math.round((performance.memory?.usedJSHeapSize ?? 0) / 1048576),
  }
}, SECONDS)
clearInterval(timer)
const after = await spent()
const cpu = (name) => Math.round(((after[name] - before[name]) / told.frames) * 1e5) / 100
const total = await page.textContent('.state')
console.log({
  rows: ROWS,
  events_a_second: A_SECOND,
  ...told,
  cpu_ms_a_frame: cpu('TaskDuration'),
  script: cpu('ScriptDuration'),
  layout: cpu('LayoutDuration') + cpu('RecalcStyleDuration'),
  counter: total.replace(/\s+/g, ' ').trim(),
  sent: n,
})
await context.close()
await browser.close()
await onym.close()
