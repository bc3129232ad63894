// A question as it is built by clicking: what stands in the address, what goes to the API, and what a terminal would
// be told. All pure, so that the three cannot disagree.
import { isoDay, isZone } from './format'

export type Kind = 'funnel' | 'trends' | 'retention' | 'paths' | 'signups'
export const KINDS: { kind: Kind; name: string; says: string; path: string }[] = [
  { kind: 'funnel', name: 'Funnel', says: 'How many people get how far, and how fast', path: 'funnels' },
  { kind: 'trends', name: 'Trends', says: 'How many, how much, over time', path: 'trends' },
  { kind: 'retention', name: 'Retention', says: 'Who comes back', path: 'retention' },
  { kind: 'paths', name: 'Paths', says: 'What people do after an event, or before it', path: 'paths' },
  { kind: 'signups', name: 'Sign-ups', says: 'New users, and what they did before', path: 'signups' },
]

export interface Filter {
  field: string
  op: string
  value?: unknown
}
export interface Asked {
  event: string
  where?: Filter[]
  measure?: string
  property?: string
}
export interface Question {
  kind: Kind
  events: Asked[]
  where: Filter[]
  by: string
  range: string
  from: string
  to: string
  zone: string
  unit: string
  window: string
  order: string
  periods: number
  mode: string
  direction: string
  depth: number
  within: string
  collapse: boolean
  compare: boolean
}

export const RANGES: [string, string][] = [
  ['1d', 'Today'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', '12 months'],
  ['all', 'All time'],
  ['dates', 'Dates…'],
]
export const UNITS = ['hour', 'day', 'week', 'month', 'quarter']
export const OPS: [string, string][] = [
  ['=', 'is'],
  ['!=', 'is not'],
  ['contains', 'contains'],
  ['not contains', 'does not contain'],
  ['>', '>'],
  ['>=', '≥'],
  ['<', '<'],
  ['<=', '≤'],
  ['exists', 'is there'],
  ['not exists', 'is not there'],
]
export const needsValue = (op: string) => !op.endsWith('exists')
export const MEASURES: [string, string][] = [
  ['count', 'events'],
  ['people', 'people'],
  ['sum', 'sum of'],
  ['avg', 'average of'],
  ['median', 'median of'],
  ['p90', 'p90 of'],
  ['min', 'least'],
  ['max', 'greatest'],
]
export const needsProperty = (measure: string | undefined) => !!measure && measure != 'count' && measure != 'people'

export const empty = (kind: Kind, zone: string): Question => ({
  kind,
  events: [],
  where: [],
  by: '',
  range: '30d',
  from: '',
  to: '',
  zone,
  unit: kind == 'retention' ? 'week' : 'day',
  window: '7d',
  order: 'in_order',
  periods: 8,
  mode: 'n_day',
  direction: 'after',
  depth: 3,
  within: '1d',
  collapse: true,
  compare: false,
})

// ---- the address ----

const TEXTS = ['by', 'range', 'from', 'to', 'unit', 'window', 'order', 'mode', 'direction', 'within'] as const

const writeEvent = (asked: Asked) =>
  asked.where?.length || asked.measure || asked.property || asked.event.startsWith('{')
    ? JSON.stringify(asked)
    : asked.event

const isFilter = (x: any): x is Filter => !!x && typeof x.field == 'string' && typeof x.op == 'string'
const readEvent = (text: string): Asked => {
  if (!text.startsWith('{')) return { event: text }
  try {
    const x = JSON.parse(text)
    if (typeof x.event != 'string') return { event: text }
    const asked: Asked = { event: x.event }
    if (Array.isArray(x.where)) asked.where = x.where.filter(isFilter)
    if (typeof x.measure == 'string') asked.measure = x.measure
    if (typeof x.property == 'string') asked.property = x.property
    return asked
  } catch {
    return { event: text }
  }
}

/** Only what differs from an empty question, so that addresses stay short. */
export const toParams = (q: Question, zone: string): URLSearchParams => {
  const params = new URLSearchParams()
  const base = empty(q.kind, zone)
  for (const asked of q.events) params.append('e', writeEvent(asked))
  for (const filter of q.where) params.append('w', JSON.stringify(filter))
  for (const name of TEXTS) if (q[name] != base[name]) params.set(name, q[name])
  if (q.zone != zone) params.set('tz', q.zone)
  if (q.periods != base.periods) params.set('periods', String(q.periods))
  if (q.depth != base.depth) params.set('depth', String(q.depth))
  if (q.collapse != base.collapse) params.set('collapse', q.collapse ? '1' : '0')
  if (q.compare) params.set('compare', '1')
  return params
}

const within = (text: string | null, least: number, most: number, otherwise: number) => {
  const n = Number(text)
  return text && Number.isInteger(n) && n >= least && n <= most ? n : otherwise
}

export const fromParams = (kind: Kind, params: URLSearchParams, zone: string): Question => {
  const q = empty(kind, zone)
  q.events = params.getAll('e').slice(0, 20).map(readEvent)
  for (const text of params.getAll('w')) {
    try {
      const filter = JSON.parse(text)
      if (isFilter(filter)) q.where.push(filter)
    } catch {
      // a filter that is cut off is left out
    }
  }
  for (const name of TEXTS) q[name] = params.get(name) ?? q[name]
  const asked = params.get('tz')
  if (asked && isZone(asked)) q.zone = asked
  q.periods = within(params.get('periods'), 1, 366, q.periods)
  q.depth = within(params.get('depth'), 1, 10, q.depth)
  if (params.has('collapse')) q.collapse = params.get('collapse') == '1'
  q.compare = params.get('compare') == '1'
  return q
}

// ---- the API ----

const DAY = 86_400_000

/** The day `days` later: 2026-01-31 and 1 give 2026-02-01. */
export const dayAfter = (day: string, days: number) =>
  new Date(Date.parse(day + 'T00:00:00Z') + days * DAY).toISOString().slice(0, 10)

/** Dates of the zone; `to` is outside. "7 days" are today and the six before. */
export const rangeOf = (q: Question, now: number): { from?: string; to?: string } => {
  if (q.range == 'dates') return { ...(q.from && { from: q.from }), ...(q.to && { to: dayAfter(q.to, 1) }) }
  const days = Number(/^(\d+)d$/.exec(q.range)?.[1])
  if (!days) return {}
  const today = isoDay(new Date(now), q.zone)
  return { from: dayAfter(today, 1 - days), to: dayAfter(today, 1) }
}

/** The range of the same length right before. */
export const rangeBefore = (range: { from?: string; to?: string }): { from: string; to: string } | null => {
  if (!range.from || !range.to) return null
  const days = Math.round((Date.parse(range.to) - Date.parse(range.from)) / DAY)
  return days > 0 ? { from: dayAfter(range.from, -days), to: range.from } : null
}

export const eventBody = (asked: Asked): unknown => {
  const { event, where, measure, property } = asked
  const more: Record<string, unknown> = {}
  if (where?.length) more.where = where
  if (measure && measure != 'count') more.measure = measure
  if (needsProperty(measure) && property) more.property = property
  return Object.keys(more).length ? { event, ...more } : event
}

/** What keeps the question from being asked, in words; null where nothing does. */
export const missing = (q: Question): string | null => {
  const named = q.events.filter((asked) => asked.event)
  if (q.kind == 'funnel' && named.length < 1)
    return 'Choose the events that people go through, one step after the other.'
  if (q.kind == 'trends' && named.length < 1) return 'Choose an event to count.'
  if (q.kind == 'retention' && named.length < 1) return 'Choose the event with which people begin.'
  if (q.kind == 'paths' && named.length < 1) return 'Choose the event that the paths lead from, or to.'
  if (q.kind == 'trends' && named.some((asked) => needsProperty(asked.measure) && !asked.property))
    return 'Choose the property to take it of.'
  if (unfinished(q)) return 'Choose a value for each filter.'
  return null
}
const unfinished = (q: Question) =>
  [...q.where, ...q.events.flatMap((asked) => asked.where ?? [])].some(
    (f) => !f.field || (needsValue(f.op) && f.value === undefined),
  )

export const toBody = (q: Question, now: number): Record<string, unknown> => {
  const events = q.events.filter((asked) => asked.event).map(eventBody)
  const body: Record<string, unknown> = {}
  if (q.kind == 'funnel') Object.assign(body, { steps: events, window: q.window, order: q.order })
  if (q.kind == 'trends') Object.assign(body, { series: events.slice(0, 16), unit: q.unit })
  if (q.kind == 'retention')
    Object.assign(body, { birth: events[0], return: events[1] ?? '*', unit: q.unit, periods: q.periods, mode: q.mode })
  if (q.kind == 'paths')
    Object.assign(body, {
      event: events[0],
      direction: q.direction,
      depth: q.depth,
      within: q.within,
      collapse: q.collapse,
      limit: 8,
    })
  if (q.kind == 'signups') Object.assign(body, { ...(events[0] ? { event: events[0] } : {}), unit: q.unit })
  if (q.by && (q.kind == 'funnel' || q.kind == 'trends' || q.kind == 'retention')) body.by = q.by
  if (q.by && q.kind != 'paths' && q.kind != 'signups') body.limit = q.kind == 'funnel' ? 12 : 8
  if (q.where.length) body.where = q.where
  return { ...body, ...rangeOf(q, now), timezone: q.zone }
}

export const apiPath = (kind: Kind) => KINDS.find((row) => row.kind == kind)!.path

// ---- for a terminal ----

/** A word for a POSIX shell. */
export const shellWord = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** The command that asks exactly this: of few words where its options can say it, else `onym ask`. */
export const toCommand = (kind: Kind, body: Record<string, any>): string => {
  const whole = `onym ask /api/v1/${apiPath(kind)} ${shellWord(JSON.stringify(body))}`
  const words = ['onym', kind]
  let isPlain = true
  const add = (asked: unknown) => {
    if (typeof asked == 'string' && /^[-{]/.test(asked)) isPlain = false // it would be taken for an option, or for JSON
    words.push(shellWord(typeof asked == 'string' ? asked : JSON.stringify(asked)))
  }
  const option = (name: string, value: unknown, otherwise?: unknown) => {
    if (value !== undefined && value !== otherwise) words.push('--' + name, shellWord(String(value)))
  }
  if (body.where) return whole
  if (kind == 'funnel') {
    body.steps.forEach(add)
    option('window', body.window, '7d')
    option('order', body.order, 'in_order')
  } else if (kind == 'trends') {
    if (body.series.some((one: any) => typeof one == 'object' && (one.measure || one.property))) return whole
    body.series.forEach(add)
    option('unit', body.unit, 'day')
  } else if (kind == 'retention') {
    add(body.birth)
    add(body.return)
    option('unit', body.unit, 'day')
    option('periods', body.periods, 12)
    option('mode', body.mode, 'n_day')
  } else if (kind == 'paths') {
    add(body.event)
    if (body.direction == 'before') words.push('--before')
    option('depth', body.depth, 3)
    option('within', body.within, '1d')
    if (body.collapse) words.push('--collapse')
  } else {
    if (body.event) add(body.event)
    option('unit', body.unit, 'day')
  }
  if (!isPlain) return whole
  option('by', body.by)
  option('limit', body.limit, kind == 'paths' ? 10 : undefined)
  option('from', body.from)
  option('to', body.to)
  option('timezone', body.timezone, 'UTC')
  return words.join(' ')
}

export const toCurl = (path: string, body: unknown, origin: string) =>
  `curl -s -H "Authorization: Bearer $ONYM_SECRET_KEY" ${shellWord(`${origin}/api/v1/${path}`)} \\\n     -d ${shellWord(JSON.stringify(body))}`

// ---- for a spreadsheet ----

/** A text that a spreadsheet would run as a formula, and that is no number, gets a ' in front, as `onym … --csv` does. */
export const csvCell = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  let text = typeof value == 'string' ? value : JSON.stringify(value)
  if (typeof value == 'string' && /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text)) text = "'" + text
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
export const toCsv = (rows: unknown[][]) => rows.map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n'
