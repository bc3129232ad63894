// Who is behind a number. Onym lists the people of a funnel's step; every other picture's people are asked for as such
// a list, in a way that gives exactly those that were counted:
// - a bucket of trends: the people of a funnel of one step, in the bucket;
// - a sign-up: a person's *first* such event. A funnel of one step without a beginning takes each person's earliest
//   entry, and lists the latest entry first: those of the bucket come first, and one that is older ends the list;
// - a step of paths: `paths/people`, with the same question;
// - a cell of retention: those born in the cohort (in the same way, from the range's beginning on) who are also among
//   the people of the return event in that period. Both lists are read whole, so there is a limit to their length.
import { FunnelPeople, Person, call } from './api'

export interface Behind {
  title: string
  from: Source
  expected: number | null
  says?: string
}
export type Source =
  | {
      kind: 'funnel'
      body: Record<string, unknown>
      step: number
      outcome: 'converted' | 'dropped'
      group?: { value: unknown }
    }
  | { kind: 'path'; body: Record<string, unknown>; at: PathStep }
  | { kind: 'first'; body: Record<string, unknown>; event: unknown; from?: unknown; start: string; end: string }
  | {
      kind: 'returned'
      body: Record<string, unknown>
      birth: unknown
      back: unknown
      start: string
      end: string
      from: string
      to: string
      isSame: boolean
    }

/** Which people of paths: at `step` (0: the anchor), to or from an event by name, or (null) from all that are not told by name. */
export interface PathStep {
  step: number
  came_from?: string | null
  went_to?: string | null
  ended?: boolean
}

/** The first thing that kept somebody from the next step, as the API found it with the same question. */
export interface Reason {
  code: string
  step: number
  time?: string | null
  late_ms?: number | null
}

export interface Row {
  person: Person
  steps: { event: string | null; time: string; position: number }[]
  depth: number
  group?: unknown
  reason?: Reason | null
}
export interface Page {
  rows: Row[]
  total: number | null
  next: string | null
}

export const PAGE = 50
const WHOLE = 1000
/** How many pages of 1,000 are read to find who returned. */
const MOST_PAGES = 20

export class TooMany extends Error {}

/** An event with which somebody signs up where none is named: the first with a user id. */
export const SIGNED_UP = { event: '*', where: [{ field: 'userId', op: 'exists' }] }

const ask = (body: Record<string, unknown>, signal: AbortSignal) =>
  call<FunnelPeople>('POST', 'funnels/people', { events: false, ...body }, signal)

const common = (body: Record<string, unknown>) => ({
  ...(body.where ? { where: body.where } : {}),
  ...(body.timezone ? { timezone: body.timezone } : {}),
})

const isBefore = (a: string, b: string) => Date.parse(a) < Date.parse(b)

/** All whose first `event` since `from` lies in start to end. */
const firsts = async (
  body: Record<string, unknown>,
  event: unknown,
  from: unknown,
  start: string,
  end: string,
  signal: AbortSignal,
) => {
  const found: Row[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const told = await ask(
      {
        ...common(body),
        steps: [event],
        window: '1s',
        ...(from ? { from } : {}),
        to: end,
        limit: WHOLE,
        ...(cursor ? { cursor } : {}),
      },
      signal,
    )
    for (const row of told.people) {
      if (isBefore(row.steps[0].time, start)) return found
      found.push(row)
    }
    if (!told.cursor.has_more || !told.cursor.next) return found
    cursor = told.cursor.next
  }
  throw new TooMany()
}

const everybody = async (body: Record<string, unknown>, signal: AbortSignal) => {
  const found = new Map<string, Row>()
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const told = await ask({ ...body, limit: WHOLE, ...(cursor ? { cursor } : {}) }, signal)
    for (const row of told.people) found.set(row.person.person_id, row)
    if (!told.cursor.has_more || !told.cursor.next) return found
    cursor = told.cursor.next
  }
  throw new TooMany()
}

export const readPeople = async (source: Source, cursor: string | null, signal: AbortSignal): Promise<Page> => {
  if (source.kind == 'funnel') {
    const told = await ask(
      {
        ...source.body,
        step: source.step,
        outcome: source.outcome,
        limit: PAGE,
        ...(source.group ? { group: source.group.value } : {}),
        ...(cursor ? { cursor } : {}),
      },
      signal,
    )
    return { rows: told.people, total: told.total, next: told.cursor.has_more ? told.cursor.next : null }
  }
  if (source.kind == 'path') {
    const told = await call<FunnelPeople>(
      'POST',
      'paths/people',
      { ...source.body, ...source.at, page: PAGE, ...(cursor ? { cursor } : {}) },
      signal,
    )
    return { rows: told.people, total: told.total, next: told.cursor.has_more ? told.cursor.next : null }
  }
  if (source.kind == 'first') {
    const rows = await firsts(source.body, source.event, source.from, source.start, source.end, signal)
    return { rows, total: rows.length, next: null }
  }
  const born = await firsts(source.body, source.birth, source.body.from, source.start, source.end, signal)
  // In period 0 the return is another event of the same unit: two different events, the birth first.
  const back = source.isSame
    ? await everybody(
        {
          ...common(source.body),
          steps: [source.birth, source.back],
          window: '3660d',
          range: 'all',
          from: source.start,
          to: source.to,
          step: 2,
        },
        signal,
      )
    : await everybody(
        { ...common(source.body), steps: [source.back], window: '1s', from: source.from, to: source.to },
        signal,
      )
  const rows = born
    .filter((row) => back.has(row.person.person_id))
    .map((row) => ({
      ...row,
      steps: source.isSame
        ? back.get(row.person.person_id)!.steps
        : [...row.steps, ...back.get(row.person.person_id)!.steps],
    }))
  return { rows, total: rows.length, next: null }
}

/** The source of a bucket of trends. `group`: of a breakdown by a property. */
export const ofBucket = (body: Record<string, unknown>, event: any, start: string, end: string): Source => {
  const step = typeof event == 'object' ? { event: event.event, ...(event.where ? { where: event.where } : {}) } : event
  return {
    kind: 'funnel',
    body: { ...common(body), steps: [step], window: '1s', from: start, to: end },
    step: 1,
    outcome: 'converted',
  }
}

/** Where a bucket ends: where the next begins, and the last one one unit later. */
export const bucketEnd = (buckets: string[], at: number, unit: string, zone: string): string => {
  if (at + 1 < buckets.length) return buckets[at + 1]
  return unit == 'hour' ? unitLater(buckets[at], unit, 1) : periodStart(buckets[at], unit, 1, zone)
}
/** A unit later on the calendar of UTC: `periodStart` makes it the zone's. */
const unitLater = (text: string, unit: string, n: number): string => {
  const at = new Date(text)
  if (unit == 'hour') return new Date(at.getTime() + n * 3_600_000).toISOString()
  if (unit == 'day' || unit == 'week') at.setUTCDate(at.getUTCDate() + n * (unit == 'week' ? 7 : 1))
  else at.setUTCMonth(at.getUTCMonth() + n * (unit == 'quarter' ? 3 : 1))
  return at.toISOString()
}

/** A day in a zone as the instant that it begins at, by trying: no table of zones in the page. */
export const startOfDay = (day: string, zone: string): string => {
  const wanted = Date.parse(day + 'T00:00:00Z')
  let at = wanted
  for (let round = 0; round < 3; round++) at += wanted - localTime(at, zone)
  return new Date(at).toISOString()
}
const localTime = (at: number, zone: string) => {
  const parts: Record<string, string> = {}
  for (const part of new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(at)))
    parts[part.type] = part.value
  return Date.UTC(
    Number(parts.year),
    Number(parts.month) - 1,
    Number(parts.day),
    Number(parts.hour),
    Number(parts.minute),
    Number(parts.second),
  )
}

/** The n-th unit after the one that begins at `start`, in a zone with summer time. */
export const periodStart = (start: string, unit: string, n: number, zone: string): string => {
  const local = new Date(localTime(Date.parse(start), zone))
  return startOfDay(unitLater(local.toISOString(), unit, n).slice(0, 10), zone)
}
