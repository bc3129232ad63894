// The welcome page's account of itself: what Onym has of the visitor who became this member, what still waits in the
// browser, and whether anything that the pages have numbered is missing.
const one = (selector) => document.querySelector(selector)
const LOOK_MS = 700
/** A call under way is no call that waits. */
const WAIT_MS = 3000
const NOTED = 'rdio:waited'

/** The calls that the library keeps in this browser, since nobody has taken them yet. */
const readWaiting = () =>
  Object.keys(localStorage)
    .filter((key) => key.startsWith(`onym:${encodeURIComponent(window.rdio.key)}:`))
    .sort()
    .map((key) => JSON.parse(localStorage[key].replace(/^~/, '')))

/** Notes which calls have been seen waiting where nothing is answered: later they are in the history like any other. */
const noteWaiting = (waiting, isDown) => {
  const noted = new Set(JSON.parse(sessionStorage[NOTED] ?? '[]'))
  if (isDown) for (const { messageId } of waiting) noted.add(messageId)
  sessionStorage[NOTED] = JSON.stringify([...noted])
  return noted
}

const waited_ms = (event) => Date.parse(event.receivedAt) - Date.parse(event.timestamp)
const isServers = ({ context }) => context?.library?.name == 'rdio-server'

/**
 * Each page numbers its calls, and says how many earlier pages of this browser made. The number of the call that the
 * server has repeated is not in the history where the server's copy came first.
 */
const countMissing = (events, signUpCall) => {
  const made = new Map()
  const seen = new Map()
  for (const { context } of events) {
    const { visit, n, left = [] } = context?.onym ?? {}
    if (!visit) continue
    seen.set(visit, (seen.get(visit) ?? 0) + 1)
    for (const [page, count] of [[visit, n], ...left]) made.set(page, Math.max(made.get(page) ?? 0, count))
  }
  const isRepeated = events.some((event) => event.messageId == signUpCall && isServers(event))
  const gaps = [...made].reduce((sum, [page, count]) => sum + Math.max(count - (seen.get(page) ?? 0), 0), 0)
  return Math.max(gaps - isRepeated, 0)
}

const tell = ({ type, event, name, properties, context }) => {
  const what = event ?? name ?? properties?.path ?? context?.page?.path ?? ''
  const verb = { page: 'saw', identify: 'identified', track: '' }[type] ?? type
  return [verb, type == 'identify' ? '' : what, properties?.song && `“${properties.song}”`].filter(Boolean).join(' ')
}

const makeRow = (event, badges) => {
  const row = document.createElement('li')
  const time = document.createElement('time')
  time.dateTime = event.timestamp
  time.textContent = new Date(event.timestamp).toLocaleTimeString()
  const text = document.createElement('span')
  text.textContent = tell(event)
  const place = document.createElement('span')
  for (const [words, kind] of badges) {
    const badge = document.createElement('em')
    badge.className = kind
    badge.textContent = words
    place.append(badge, ' ')
  }
  row.append(time, text, place)
  return row
}

const draw = (member, events, unsent, noted, isDown) => {
  const isLate = (event) => !isServers(event) && (noted.has(event.messageId) || waited_ms(event) > WAIT_MS)
  const isHere = ({ messageId }) => events.some((event) => event.messageId == messageId)
  const onTheWay = unsent.filter((event) => !isHere(event))
  const waiting = onTheWay.filter((event) => isDown || Date.now() - Date.parse(event.timestamp) > WAIT_MS)
  const all = [...events, ...waiting]
  const before = all.filter(({ userId }) => !userId)
  const late = events.filter(isLate)
  const sums = {
    before: before.length,
    after: all.length - before.length,
    waited: waiting.length + late.length,
    missing: countMissing([...events, ...onTheWay], member.signUpCall),
  }
  for (const name in sums) one(`[data-sum=${name}]`).textContent = sums[name]
  const longest_s = Math.max(0, ...late.map((event) => Math.round(waited_ms(event) / 1000)))
  one('.history p').textContent = waiting.length
    ? `${waiting.length} of them still wait in this browser, safe from reloads and redirects.`
    : onTheWay.length
      ? 'The last ones are on their way.'
      : late.length
        ? `All have arrived. ${late.length} of them waited in this browser, ${longest_s} s at most.`
        : 'All have arrived, each at once.'
  const rows = all
    .sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))
    .map((event) => {
      const badges = []
      if (!event.userId) badges.push(['anonymous', ''])
      if (event.messageId == member.signUpCall) badges.push(['by page and server, kept once', 'good'])
      else if (isServers(event)) badges.push(['from the server', ''])
      if (!event.receivedAt) badges.push(['waits here', 'late'])
      else if (isLate(event)) badges.push([`waited ${Math.round(waited_ms(event) / 1000)} s`, 'late'])
      return makeRow(event, badges)
    })
  one('.history ol').replaceChildren(...rows)
  one('.history').hidden = false
}

/** Looks again as long as something is on its way. */
export const showKept = async (member, isDown) => {
  await new Promise((resolve) => analytics.ready(resolve))
  for (let isWaiting = true; isWaiting; ) {
    // First what waits: a call that arrives in between is then in both, and not in neither.
    const unsent = readWaiting()
    isWaiting = unsent.length > 0
    const answer = await fetch('/history').then(
      (response) => response.json(),
      () => null,
    )
    if (!answer) return
    draw(member, answer.events, unsent, noteWaiting(unsent, isDown), isDown)
    if (isWaiting) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
