// In the page: runs one row of parity.test.mjs against analytics-next or Onym's library, both from npm, without any
// network, and gives what the row saw and what was sent, in a form that both share.
import { AnalyticsBrowser as Next } from '@segment/analytics-next'
import { AnalyticsBrowser as Onym } from '@onym/browser'

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
let count = 0

const clear = () => {
  localStorage.clear()
  sessionStorage.clear()
  for (const cookie of document.cookie.split('; '))
    document.cookie = cookie.split('=')[0] + '=; path=/; max-age=0'
  document.querySelectorAll('[data-row], link[rel=canonical]').forEach((element) => element.remove())
  history.replaceState({}, '', '/')
}

const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

/** What both libraries must agree on in a message; ids that the library made up by their role. */
const project = (message, first) => {
  const { page, campaign, traits, ...others } = message.context ?? {}
  const own = {}
  for (const name of Object.keys(others)) {
    const isOurs = /^(library|userAgent|userAgentData|locale|timezone|screen|health|onym|metrics)$/.test(name)
    if (!isOurs) own[name] = others[name]
  }
  const id = (value) => (value === first ? 'the first' : /^[0-9a-f-]{36}$/.test(value) ? 'another' : value)
  const { type, event, properties, integrations } = message
  // next writes null for nobody and no category, Onym nothing.
  const [name, category, userId, groupId] = ['name', 'category', 'userId', 'groupId'].map((key) => message[key] ?? undefined)
  return plain({
    ...{ type, event, name, category, userId, groupId, properties, integrations, traits: message.traits },
    ...{ anonymousId: id(message.anonymousId), previousId: id(message.previousId) },
    context: { page, campaign, traits, ...own },
    timestamp: /^20\d\d-/.test(message.timestamp) ? 'a time' : message.timestamp,
  })
}

window.runRow = async (library, source, { before = '', options = {}, settings = {} }) => {
  clear()
  new Function(before)()
  const sent = []
  const writeKey = 'k' + count++
  const answer = () => new Response('{"success":true}', { headers: { 'content-type': 'application/json' } })
  window.fetch = async (url, init) => {
    if (!init?.body) return answer()
    const body = JSON.parse(init.body)
    // A call of the row before, sent again, or next's metrics: not this row's.
    const isOwn = (message) => message.type && (message.writeKey ?? body.writeKey) == writeKey
    sent.push(...(body.batch ?? [body]).filter(isOwn))
    return answer()
  }
  navigator.sendBeacon = (url, body) => void window.fetch(url, { body }) ?? true
  const cdnSettings = { integrations: { 'Segment.io': { apiKey: writeKey } } }
  const analytics = new (library == 'next' ? Next : Onym)()
  const load = () => analytics.load({ writeKey, cdnSettings, ...settings }, { apiHost: 'https://t.example.com', ...options })
  const seen = {}
  const tools = { analytics, load, sleep, seen, answer }
  let first
  let value
  try {
    const run = new Function('tools', `return (${source})(tools)`)
    if (/\bload\b/.test(source.slice(0, source.indexOf('=>')))) {
      value = await Promise.race([run(tools), sleep(3000)])
      first = analytics.instance?.user().anonymousId()
    } else {
      const [loaded] = await load()
      first = loaded.user().anonymousId()
      tools.analytics = loaded
      value = await Promise.race([run(tools), sleep(3000)])
    }
  } catch (error) {
    seen.thrown = true
  }
  // Quiet for 60 ms; where nothing came at all, for longer, since the machine may be busy.
  let length = -1
  for (let quiet = 0; quiet < (sent.length ? 3 : 15); quiet = sent.length == length ? quiet + 1 : 0) {
    length = sent.length
    await sleep(20)
  }
  return { seen: plain(seen), value: plain(value), sent: sent.map((message) => project(message, first)) }
}
