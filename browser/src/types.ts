// The nouns of the library: what a site passes in, and what goes over the wire.

export type Json = Record<string, any>
export type Id = string | null | undefined
export type MessageType = 'identify' | 'track' | 'page' | 'screen' | 'group' | 'alias'

/** One call, as it is sent. The ids are those of the moment of the call, for good. */
export interface Message {
  type: MessageType
  messageId: string
  timestamp: string | Date
  anonymousId?: string
  userId?: string
  previousId?: string
  groupId?: string
  event?: string
  name?: string
  category?: string
  properties?: Json
  traits?: Json
  context: Json
  integrations: Json
}

/** What plugins and callbacks are handed. */
export interface Context {
  id: string
  event: Message
  /** Sets a value by its dotted path: `updateEvent('properties.plan', 'Free')`. */
  updateEvent(path: string, value: unknown): Message
  /** Drops the call: nothing of it is kept or sent. */
  cancel(reason?: unknown): never
}

export type Callback = (context: Context) => void

/** The last argument of every call: known keys go to the top level, all others into `context`. */
export interface CallOptions extends Json {
  anonymousId?: string
  userId?: string
  messageId?: string
  timestamp?: Date | string
  integrations?: Json
  context?: Json
}

type Step = (context: Context) => Context | Promise<Context> | void

export interface Plugin {
  name: string
  type: 'before' | 'enrichment' | 'destination' | 'after' | 'utility'
  version?: string
  isLoaded?: () => boolean
  load?: (context: undefined, analytics: any) => unknown
  ready?: () => Promise<unknown>
  unload?: () => unknown
  track?: Step
  identify?: Step
  page?: Step
  screen?: Step
  group?: Step
  alias?: Step
}

export interface Payload {
  obj: Message
}
/** Must call `next(payload)`; a call whose middleware does not, or passes null, is dropped. */
export type SourceMiddleware = (step: {
  payload: Payload
  integrations: Json
  next: (payload: Payload | null) => void
}) => unknown
export type DestinationMiddleware = (step: {
  payload: Payload
  integration: string
  next: (payload: Payload | null) => void
}) => unknown

export type StoreName = 'localStorage' | 'cookie' | 'memory'

export interface EntityOptions {
  persist?: boolean
  cookie?: { key?: string }
  localStorage?: { key?: string }
  storage?: { stores: StoreName[] }
}

/** The second argument of `analytics.load`. Every key is optional; README.md says what each does. */
export interface LoadOptions {
  apiHost?: string
  integrations?: Json
  cookie?: { domain?: string; maxage?: number; path?: string; sameSite?: string; secure?: boolean }
  storage?: { stores: StoreName[] }
  user?: EntityOptions
  group?: EntityOptions
  disableClientPersistence?: boolean
  disable?: boolean | ((settings: Json) => boolean)
  initialPageview?: boolean
  useQueryString?: boolean | { aid?: RegExp; uid?: RegExp }
  autoPage?: boolean
  consent?: boolean
  respectDNT?: boolean
  respectGPC?: boolean
  serverCookie?: boolean
}

export interface PageState {
  path: string
  referrer: string
  search: string
  title: string
  url: string
}

/**
 * What the page said of itself when a call was made (a single-page app may have moved on since), in the
 * letters of Segment's snippet: canonical, path, URL, search, title, referrer. Onym's own snippet adds the
 * time and the id of the call.
 */
export interface Noted {
  __t?: 'bpc'
  c?: string | null | undefined
  p: string
  u: string
  s: string
  t: string
  r: string
  d?: number
  i?: string
}

/** When a call was made, its messageId, and the key that it is stored under; keys sort as calls do. */
export type Mark = [at_ms: number, id: string, key: string]

/** Texts, objects and a callback in any omission that analytics.js allows; see README.md, "The calls". */
type Call = (...args: any[]) => Promise<Context>
type Target = Element | Iterable<Element> | ArrayLike<Element> | null | undefined
type Tracker = (
  targets: Target,
  event: string | ((element: any) => string),
  properties?: Json | ((element: any) => Json),
  options?: CallOptions,
) => void

/** user() and group(): what the browser remembers. Each function without an argument reads. */
export interface Entity {
  id(id?: Id | number): string | null
  traits(traits?: Json | null): Json
  identify(id?: Id | number, traits?: Json | null): void
  reset(): void
  logout(): void
}
export interface User extends Entity {
  anonymousId(id?: Id): string | null
}

/** The object at window.analytics. */
export interface Analytics {
  readonly VERSION: string
  initialized: boolean
  settings: { writeKey: string; timeout: number }

  load(writeKey: string, options?: LoadOptions): Analytics
  ready(callback?: () => void): Promise<unknown>

  identify: Call
  track: Call
  page: Call
  screen: Call
  alias: Call
  pageview(path: string): Promise<Context>
  group(): Entity
  group(...args: [any, ...any[]]): Promise<Context>
  user(): User
  reset(): void
  setAnonymousId(id?: Id): string | null

  trackLink: Tracker
  trackClick: Tracker
  trackForm: Tracker
  trackSubmit: Tracker
  queryString(query: string): void

  /** Grants or withdraws consent; `categories` go out with every call. Withdrawal forgets everything. */
  consent(granted: boolean, categories?: Record<string, boolean>): Analytics

  on(name: string, listener: (...args: any[]) => void): void
  once(name: string, listener: (...args: any[]) => void): void
  off(name: string, listener?: (...args: any[]) => void): void
  emit(name: string, ...args: unknown[]): void
  /** How long a callback waits for asynchronous plugins; 300 ms unless told. */
  timeout(delay_ms: number): void
  debug(isOn?: boolean): void

  addSourceMiddleware(middleware: SourceMiddleware): void
  addDestinationMiddleware(name: string, ...middleware: DestinationMiddleware[]): void
  register(...plugins: Plugin[]): Promise<unknown>
  deregister(...names: string[]): void
}
