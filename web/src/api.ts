// The API of this very host. Whoever is signed in is known by the cookie, which no script reads.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null,
  ) {
    super(message)
  }
}

/** Called when an answer says that nobody is signed in (any more). */
let onSignedOut = () => {}
export const whenSignedOut = (run: () => void) => (onSignedOut = run)

export const call = async <T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> => {
  let answer: Response
  try {
    answer = await fetch('/api/v1/' + path, {
      method,
      signal,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'unreachable', 'Onym does not answer: is it running, and is this computer connected?', null)
  }
  const text = await answer.text()
  let told: any = null
  try {
    told = text ? JSON.parse(text) : null
  } catch {
    // not Onym's: something in front of it answered
  }
  if (answer.ok) return told as T
  if (answer.status == 401 && path != 'session') onSignedOut()
  const error = told?.error
  throw new ApiError(
    answer.status,
    error?.code ?? 'unknown',
    error?.message ?? `the server answered ${answer.status}`,
    error?.field ?? null,
  )
}

/** Write keys are the administrator's: the others are not asked for them. */
let role = ''
export const setRole = (of: string) => (role = of)
export const isAdmin = () => role == 'admin'
/** May look at people, and save questions. */
export const isAnalyst = () => role == 'admin' || role == 'analyst'

export interface Session {
  role: string
  expires_at: string | null
}
export interface Warning {
  field: string | null
  message: string
}
/** What every answer to a question has. */
export interface Common {
  from: string | null
  to: string | null
  timezone: string
  warnings?: Warning[]
  rows: number
  matched: number
  complete: boolean
  behind?: { share_applied: number; ms: number; is_starting: boolean }
}
export interface FunnelStep {
  event: string | null
  people: number
  from_previous: number
  from_first: number
  median_ms: number | null
  p90_ms: number | null
  median_from_previous_ms: number | null
  p90_from_previous_ms: number | null
}
export interface Funnel extends Common {
  steps: FunnelStep[]
  groups: { value: unknown; steps: FunnelStep[] }[]
  groups_left_out: number
  window_ms: number
  order: string
}
export interface Group {
  value: unknown
  total: number | null
  values: (number | null)[]
}
export interface Trends extends Common {
  unit: string
  buckets: string[]
  series: {
    event: string
    measure: string
    property: string | null
    total: number | null
    values: (number | null)[]
    groups?: Group[]
    groups_left_out?: number
  }[]
}
export interface Total {
  people: number
  returned: (number | null)[]
  eligible: number[]
  shares: (number | null)[]
}
export interface Retention extends Common {
  unit: string
  mode: string
  periods: number
  cohorts: { start: string; people: number; returned: (number | null)[] }[]
  total: Total
  groups?: (Total & { value: unknown })[]
  observed_to?: string | null
}
export interface Paths extends Common {
  event: string
  direction: 'after' | 'before'
  people: number
  within_ms: number
  depths: {
    depth: number
    people: number
    ended: number
    events: { event: string; people: number; share: number }[]
    others: { events: number; people: number }
  }[]
  links: { depth: number; from: string | null; to: string | null; people: number }[]
}
export interface SignupGroup {
  value: unknown
  people: number
  values: number[]
}
export interface Signups extends Common {
  event: string | null
  unit: string
  buckets: string[]
  people: number
  values: number[]
  with_history: number
  with_history_share: number
  with_history_values: number[]
  first_events: SignupGroup[]
  referrers: SignupGroup[]
  campaigns: SignupGroup[]
  first_events_left_out: number
  referrers_left_out: number
  campaigns_left_out: number
}
export interface EventList {
  events: { event: string; type: string; name: string | null; count: number; last_seen: string }[]
  properties: { field: string; count: number; types: string[]; examples: unknown[] }[]
  traits: { field: string; people: number }[]
}
export interface ValueList {
  values: { value: unknown; count: number }[]
  types: string[]
}
export interface Id {
  type: string
  id: string
}
export interface Person {
  person_id: string
  user_ids: string[]
  anonymous_ids: string[]
  external_ids: Id[]
  traits: Record<string, unknown>
  first_seen: string | null
  last_seen: string | null
  events: number
}
export interface Message {
  messageId?: string
  type?: string
  event?: string
  name?: string
  userId?: string | null
  anonymousId?: string | null
  groupId?: string
  previousId?: string
  timestamp?: string
  receivedAt?: string
  projectId?: string
  properties?: Record<string, unknown>
  traits?: Record<string, unknown>
  context?: Record<string, any>
  [more: string]: unknown
}
export interface Link {
  from: Id
  to: Id
  rule: string
  time: string
  message_id: string | null
  message_type: string | null
  source: string | null
  position: number
  removed: boolean
}
export interface Cursor {
  has_more: boolean
  next: string | null
}
export interface FunnelPeople extends Common {
  total: number
  cursor: Cursor
  people: {
    person: Person
    depth: number
    group: unknown
    reason?: { code: string; step: number; time?: string | null; late_ms?: number | null } | null
    steps: { event: string | null; time: string; position: number; message?: Message | null }[]
  }[]
}
export interface Destination {
  name: string
  type: string
  state: string
  waits_until?: string | null
  position: number
  lag_bytes: number
  lag_ms: number
  unfinished: number
  under_way: number
  taken: number
  delivered: number
  skipped: number
  refused: number
  retried: number
  requests: number
  dead_letters: number
  messages_per_second: number
  last_success_at?: string | null
  last_error_at?: string | null
  last_error: string | null
  replay?: { is_under_way: boolean; left_bytes: number; unfinished: number; taken: number; delivered: number }
}
/** What a call is about, in a word or two: the event's name, the page's name or path. */
export const messageName = (message: Message): string => {
  const path = message.properties?.path ?? message.context?.page?.path
  if (message.type == 'track') return String(message.event ?? '')
  if (message.type == 'page' || message.type == 'screen') return String(message.name || path || message.name || '')
  if (message.type == 'identify') return String(message.userId ?? '')
  if (message.type == 'group') return String(message.groupId ?? '')
  if (message.type == 'alias') return `${message.previousId ?? ''} → ${message.userId ?? ''}`
  return ''
}
/** What a person is called, without asking again. */
export const personName = (person: Person): string => {
  const t = person.traits
  const name = t.name ?? [t.firstName, t.lastName].filter(Boolean).join(' ')
  return String(name || t.email || t.username || person.user_ids[0] || person.person_id)
}
