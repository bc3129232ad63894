// What comes in live, kept for drawing: the newest rows, a true count of all, and how many come a second. Nothing here
// draws; whoever does asks for `changed` at its own pace. Nothing is left out in silence: what the server skipped is a
// row of its own, and what fell off the end is counted.
import type { Message, Person } from './api'

export interface LiveRow {
  key: string
  position: number
  fate: string
  reason?: string
  field?: string
  text?: string
  source: string | null
  received_at: string
  message: Message | string
  person: Person | null
  count?: number
  plan?: Broken
}
/** What of a message breaks the tracking plan, as it was judged when it came. */
export interface Broken {
  version?: string
  rung?: string
  violations?: { code: string; path?: (string | number)[]; found?: string; wants?: string; rung?: string }[]
  more?: boolean
}
/** Messages that are not told here; `count` null: not counted. */
export interface Gap {
  from: number
  to: number
  count: number | null
  why?: string
}
export interface GapRow {
  key: string
  gap: Gap
}
export type FeedRow = LiveRow | GapRow
export const isGap = (row: FeedRow): row is GapRow => 'gap' in row

export const KEPT_ROWS = 10_000
const SPARE_ROWS = 1000
const RATE_MS = 5000

export class Feed {
  rows: FeedRow[] = []
  total = 0
  fallen = 0
  /** Rows since the last `take`, the oldest first. */
  private arrived: FeedRow[] = []
  private times: { at: number; n: number }[] = []
  private passed = 0
  private serial = 0

  add(data: any, now: number) {
    const n = typeof data.count == 'number' && data.fate == 'suppressed' ? data.count : 1
    this.total += n
    this.note(now, n)
    this.push({ ...data, key: `${data.position}-${++this.serial}` })
  }
  addGap(gap: Gap) {
    this.push({ key: `gap-${gap.from}-${++this.serial}`, gap })
  }
  private push(row: FeedRow) {
    this.arrived.push(row)
    if (this.arrived.length < KEPT_ROWS + SPARE_ROWS) return
    this.arrived.splice(0, SPARE_ROWS)
    this.passed += SPARE_ROWS
  }
  /** A message said whose an id is: earlier rows of it are that person's now. Gives how many are shown. */
  claim(data: { anonymous_id?: string | null; user_id?: string | null; person: Person | null }): number {
    const { person } = data
    if (!person) return 0
    const isOf = (message: Message) =>
      data.anonymous_id ? message.anonymousId === data.anonymous_id : !!data.user_id && message.userId === data.user_id
    let n = 0
    for (const list of [this.arrived, this.rows])
      list.forEach((row, at) => {
        if (isGap(row) || typeof row.message == 'string' || !row.message || !row.person || !isOf(row.message)) return
        if (row.person.person_id == person.person_id) return
        list[at] = { ...row, person }
        n++
      })
    return n
  }
  /** How many rows have come since the last `take`, those that are not kept any more among them. */
  get waiting() {
    return this.arrived.length + this.passed
  }
  /** Takes in what has arrived; says whether anything did. */
  take(): boolean {
    if (!this.arrived.length) return false
    const all = this.arrived.reverse().concat(this.rows)
    this.arrived = []
    this.fallen += this.passed + Math.max(0, all.length - KEPT_ROWS)
    this.passed = 0
    this.rows = all.slice(0, KEPT_ROWS)
    return true
  }
  private note(now: number, n: number) {
    const last = this.times[this.times.length - 1]
    if (last && now - last.at < 250) last.n += n
    else this.times.push({ at: now, n })
  }
  /** Messages a second, over the last five. */
  rate(now: number) {
    this.times = this.times.filter((one) => now - one.at < RATE_MS)
    return this.times.reduce((sum, one) => sum + one.n, 0) / (RATE_MS / 1000)
  }
}

/** Where a stream goes on that broke off after the event of this id: behind the record at a position, or, with a second
 * number, before it. */
export const resumeFrom = (id: string): string => {
  const found = /^(\d+)(-\d+)?$/.exec(id)
  return found ? (found[2] ? found[1] : String(Number(found[1]) + 1)) : 'now'
}

/** Which rows are in view: first and behind the last. */
export const inView = (scroll: number, height: number, row: number, count: number, spare = 8): [number, number] => [
  Math.max(0, Math.floor(scroll / row) - spare),
  Math.min(count, Math.ceil((scroll + height) / row) + spare),
]

const pathOf = (path: (string | number)[] | undefined) => (path ?? []).join('.')
/** In a few words: the first thing that breaks the plan, and how many more there are. */
export const brokenWords = (plan: Broken): string => {
  const [first, ...others] = plan.violations ?? []
  if (!first) return 'broken'
  const more = others.length ? ` +${others.length}${plan.more ? ' or more' : ''}` : ''
  return [first.code?.replaceAll('_', ' '), pathOf(first.path)].filter(Boolean).join(' ') + more
}
/** Each in a sentence. */
export const brokenLines = (plan: Broken): string[] => [
  ...(plan.violations ?? []).map((one) =>
    [
      pathOf(one.path),
      one.code?.replaceAll('_', ' ') ?? 'breaks the plan',
      one.found && `found ${one.found}`,
      one.wants && `the plan wants ${one.wants}`,
      one.rung && `(${one.rung})`,
    ]
      .filter(Boolean)
      .join(', ')
      .replace(/, \(/, ' ('),
  ),
  ...(plan.more ? ['and more, which are not told'] : []),
]
