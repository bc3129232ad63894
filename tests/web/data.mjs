// A month of a plausible site, from a seed: visitors come by campaigns and referrers, look around, some sign up (most
// with their history linked, some counted by the server alone), come back on other days and devices, and buy. Gives the
// messages in order of time, and the truth about them that the tests hold the pages against.

const DAY = 86_400_000
const CAMPAIGNS = ['google', 'newsletter', 'podcast', 'instagram']
const REFERRERS = ['https://www.google.com/', 'https://news.ycombinator.com/item', 'https://t.co/x', '']
const SONGS = ['Thunderhead', 'Paper Boats', 'North Window', 'Low Tide', 'Ninety Six', 'Marigold']
const PLANS = ['free', 'free', 'free', 'solo', 'family']

const random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

/** `end`: the instant that the month leads up to. `visitors`: how many come. */
export const makeMonth = ({ seed = 1, end, visitors = 1200, days = 30 }) => {
  const roll = random(seed)
  const pick = (list) => list[Math.floor(roll() * list.length)]
  const messages = []
  const truth = { visitors, users: 0, withHistory: 0, signupDays: new Map() }
  let counter = 0

  const add = (at, message) => {
    if (at > end) return
    messages.push({
      messageId: `m-${seed}-${++counter}`,
      timestamp: new Date(at).toISOString(),
      ...message,
      context: { library: { name: 'analytics.js', version: '1.0.0' }, ...message.context },
    })
  }

  for (let v = 0; v < visitors; v++) {
    // More come towards the end, fewer at weekends.
    let day = Math.floor(days * Math.sqrt(roll()))
    const weekday = new Date(end - (days - day) * DAY).getUTCDay()
    if ((weekday == 0 || weekday == 6) && roll() < 0.4) day = Math.min(days - 1, day + 2)
    let at = end - (days - day) * DAY + (7 + roll() * 15) * 3_600_000 - (end % DAY)
    const anonymousId = `a-${seed}-${v.toString(36)}`
    const campaign = roll() < 0.45 ? { source: pick(CAMPAIGNS), medium: 'web' } : undefined
    const referrer = campaign ? '' : pick(REFERRERS)
    const page = (path, title, first) =>
      add(at, {
        type: 'page',
        anonymousId,
        properties: { path, title, url: 'https://www.rdio.test' + path },
        context: { page: { path, referrer: first ? referrer : '' }, ...(first && campaign ? { campaign } : {}) },
      })
    const later = (least, most) => (at += Math.round((least + roll() * (most - least)) * 1000))

    const serverOnly = roll() < 0.05
    const isUser = serverOnly || roll() < (campaign?.source == 'podcast' ? 0.5 : 0.3)
    if (!serverOnly) {
      page('/', 'rdio: every song', true)
      for (let n = Math.floor(roll() * 3); n > 0; n--) {
        later(5, 90)
        add(at, {
          type: 'track',
          event: 'Song Played',
          anonymousId,
          properties: { song: pick(SONGS), seconds: Math.round(roll() * 240) },
        })
      }
      if (roll() < 0.5) (later(4, 60), page('/pricing', 'Pricing', false))
      if (isUser || roll() < 0.25) (later(4, 90), page('/signup', 'Sign up', false))
    }
    if (!isUser || at > end) continue

    const userId = String(10_000 + seed * 100_000 + v)
    const name =
      pick(['Kim', 'Noor', 'Ada', 'Ben', 'Lena', 'Tomás', 'Yuki', 'Femi']) +
      ' ' +
      pick(['Ferro', 'Okafor', 'Lind', 'Sato', 'Vega', 'Marsh'])
    const plan = pick(PLANS)
    const traits = { name, email: `${name.split(' ')[0].toLowerCase()}.${v}@example.com`, plan }
    const ids = serverOnly ? { userId } : { userId, anonymousId }
    later(10, 200)
    if (at > end) continue
    const signup = at
    add(at, { type: 'identify', ...ids, traits })
    later(0.2, 2)
    add(at, { type: 'track', event: 'Account Created', ...ids, properties: { plan } })
    truth.users++
    if (!serverOnly) truth.withHistory++
    const key = new Date(signup).toISOString().slice(0, 10)
    truth.signupDays.set(key, (truth.signupDays.get(key) ?? 0) + 1)

    // They come back, most of them less and less; some on a phone that becomes theirs as they log in.
    const phone = roll() < 0.25 ? `p-${seed}-${v.toString(36)}` : null
    for (let d = 1; d < days; d++) {
      if (roll() > 0.55 / Math.sqrt(d)) continue
      at = signup + d * DAY + (roll() - 0.5) * 6 * 3_600_000
      const device = phone && roll() < 0.5 ? phone : anonymousId
      if (device == phone) {
        add(at, { type: 'screen', name: 'Home', anonymousId: device })
        later(2, 20)
        add(at, { type: 'identify', userId, anonymousId: device, traits: { last_device: 'phone' } })
      }
      for (let n = 1 + Math.floor(roll() * 3); n > 0; n--) {
        later(10, 300)
        add(at, {
          type: 'track',
          event: 'Song Played',
          userId,
          anonymousId: device,
          properties: { song: pick(SONGS), seconds: Math.round(roll() * 240) },
        })
      }
      if (plan != 'free' && roll() < 0.2) {
        later(5, 60)
        add(at, {
          type: 'track',
          event: 'Order Completed',
          userId,
          anonymousId: device,
          properties: { revenue: plan == 'solo' ? 9.5 : 14, currency: 'EUR' },
        })
      }
    }
  }
  messages.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0))
  return { messages, truth }
}

/** What anybody with a write key may send: names that are markup, controls, reversed text and no text at all. */
export const hostile = (at) =>
  [
    '<img src=x onerror=alert(1)>',
    'safe\u202egpj.exe',
    'zero\u200bwidth\u0000nul\u001b[31mred',
    '"><script>alert(1)</script>',
    'javascript:alert(1)',
    'https://evil.example/click',
    'x'.repeat(3000),
    "=cmd|' /C calc'!A0",
    '\u2067rtl isolate',
  ].flatMap((text, n) => [
    {
      type: 'track',
      event: text,
      messageId: 'h-t-' + n,
      anonymousId: 'hostile',
      timestamp: new Date(at + n).toISOString(),
      properties: { [text]: text },
    },
    {
      type: 'identify',
      userId: 'hostile-user',
      messageId: 'h-i-' + n,
      anonymousId: 'hostile',
      timestamp: new Date(at + n).toISOString(),
      traits: { name: text, ['trait ' + text]: text },
    },
  ])
