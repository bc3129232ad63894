// The nouns of the library: what a site passes in, and what goes over the wire.

import type { AliasParams, EventParams, GroupParams, IdentifyParams, PageParams } from './calls.js'

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
  logger: { logs: object[]; log(level: LogLevel, message: string, extras?: object): void; flush(): void }
  stats: {
    metrics: object[]
    increment(metric: string, by?: number, tags?: string[]): void
    gauge(metric: string, value: number, tags?: string[]): void
    flush(): void
  }
  log(level: LogLevel, message: string, extras?: object): void
  logs(): any[]
  flush(): void
  /** Sets a value by its dotted path: `updateEvent('properties.plan', 'Free')`. */
  updateEvent(path: string, value: unknown): Message
  /** Drops the call: nothing of it is kept or sent. */
  cancel(reason?: unknown): never
  isSame(other: { id: string }): boolean
  attempts: number
  /** What failedDelivery gives. */
  failed?: object
  /** Says something where the call was dropped. */
  failedDelivery(): object | undefined
  setFailedDelivery(reason: object): void
  toJSON(): Json
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type { Callback } from './calls.js'

/** The last argument of every call: known keys go to the top level, all others into `context`. */
export interface CallOptions extends Json {
  anonymousId?: string
  userId?: string
  messageId?: string
  timestamp?: Date | string
  integrations?: Json
  context?: Json
}


export interface Plugin {
  name: string
  type: 'before' | 'enrichment' | 'destination' | 'after' | 'utility'
  version?: string
  isLoaded?: () => boolean
  alternativeNames?: string[]
  load?(context: Context, analytics: any): unknown
  ready?(): Promise<unknown>
  unload?(context: Context, analytics: any): unknown
  track?(context: Context): Context | Promise<Context> | void | Promise<void>
  identify?(context: Context): Context | Promise<Context> | void | Promise<void>
  page?(context: Context): Context | Promise<Context> | void | Promise<void>
  screen?(context: Context): Context | Promise<Context> | void | Promise<void>
  group?(context: Context): Context | Promise<Context> | void | Promise<void>
  alias?(context: Context): Context | Promise<Context> | void | Promise<void>
}

/** The message at `obj`; what `next` is given becomes the call. */
export interface Payload {
  obj: Message
  type(): MessageType
  event(): any
  properties(): any
  traits(): Json
  userId(): any
  anonymousId(): any
  groupId(): any
  context(): any
  integrations(): any
  field(name: string): any
  proxy(path: string): any
  json(path?: string): any
}
/** Must call `next(payload)`; a call whose middleware does not, or passes null, is dropped. */
export type SourceMiddleware = (step: {
  payload: Payload
  integrations: Json
  next: (payload: { obj: Message } | null) => void
}) => unknown
export type DestinationMiddleware = (step: {
  payload: Payload
  integration: string
  next: (payload: { obj: Message } | null) => void
}) => unknown

export type StoreName = 'localStorage' | 'cookie' | 'memory'

export interface EntityOptions {
  /** Nothing is remembered. */
  disable?: boolean
  persist?: boolean
  /** Ids in cookies alone. */
  localStorageFallbackDisabled?: boolean
  cookie?: { key?: string }
  localStorage?: { key?: string }
  storage?: { stores: StoreName[] }
}

/** The second argument of `analytics.load`. Every key is optional; README.md says what each does. */
export interface LoadOptions {
  apiHost?: string
  /** The source's `own_path`: all calls go below it, and ad blockers know no word of it. */
  ownPath?: string
  integrations?: Json
  cookie?: { domain?: string; maxage?: number; path?: string; sameSite?: string; secure?: boolean }
  storage?: { stores: StoreName[] }
  user?: EntityOptions
  group?: EntityOptions
  disableClientPersistence?: boolean
  disable?: boolean | ((settings: Json) => boolean | Promise<boolean>)
  initialPageview?: boolean
  useQueryString?: boolean | { aid?: RegExp; uid?: RegExp }
  autoPage?: boolean
  consent?: boolean
  respectDNT?: boolean
  respectGPC?: boolean
  serverCookie?: boolean
  /** Libraries whose ids a visitor keeps who has none here yet, in this order. */
  /** Numbers the calls of a page, so that GET /api/v1/losses can tell which never came. */
  losses?: boolean
  /** false: no tool of the source's device_mode is loaded. npm: true loads them. */
  deviceMode?: boolean
  /** Stamps what brought the visitor, and the session, into each call. */
  attribution?: boolean
  takeOver?: Array<'rudderstack' | 'jitsu'>
  /** In place of the settings document that analytics-next fetches; plugins read it at `settings.cdnSettings`. */
  cdnSettings?: Json
  updateCDNSettings?: (settings: any) => Json
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
  /** Gives the id and the traits that there are now. */
  identify(id?: Id | number, traits?: Json | null): [id: string | null, traits: Json]
  reset(): void
  logout(): void
  save(): boolean
  load(): any
}
export interface User extends Entity {
  anonymousId(id?: Id): string | null
}

/** What became of a call: on the server's disk; in the queue, to be sent later; never to be sent, or turned down. */
export type Receipt = 'delivered' | 'kept' | 'refused'
/** What `stamp` has put into the form's hidden fields. */
export interface Stamp {
  anonymousId: string
  messageId: string
}

/** The object at window.analytics. */
export interface Analytics {
  readonly VERSION: string
  initialized: boolean
  settings: { writeKey: string; timeout: number; cdnSettings?: Json }
  readonly queue: { readonly plugins: Plugin[]; [name: string]: any }

  load(writeKey: string, options?: LoadOptions): Analytics
  ready(callback?: () => void): Promise<unknown>

  identify(...args: IdentifyParams): Promise<Context>
  track(...args: EventParams): Promise<Context>
  page(...args: PageParams): Promise<Context>
  screen(...args: PageParams): Promise<Context>
  alias(...args: AliasParams): Promise<Context>
  pageview(path: string): Promise<Context>
  group(): Entity
  group(...args: GroupParams): Promise<Context>
  user(): User
  reset(): void
  setAnonymousId(id?: Id): string | null

  trackLink: Tracker
  trackClick: Tracker
  trackForm: Tracker
  trackSubmit: Tracker
  /** As `track`; answers what became of it, `within` milliseconds (300) at the latest, and never throws. */
  confirm(event: string, properties?: Json | null, options?: (CallOptions & { within?: number }) | null): Promise<Receipt>
  /**
   * Hidden fields `anonymousId` and `messageId` for the form, so that the server can make the same call. With `event`,
   * submitting it makes the page's own call, under that messageId. Null where nothing may be said of the visitor.
   */
  stamp(
    form: HTMLFormElement | null | undefined,
    event?: string,
    properties?: Json | ((form: HTMLFormElement) => Json),
    options?: CallOptions,
  ): Stamp | null
  queryString(query: string): Promise<Context[]>

  /** Grants or withdraws consent; `categories` go out with every call. Withdrawal forgets everything. */
  consent(granted: boolean, categories?: Record<string, boolean>): Analytics

  on(name: string, listener: (...args: any[]) => void): this
  once(name: string, listener: (...args: any[]) => void): this
  off(name: string, listener?: (...args: any[]) => void): this
  emit(name: string, ...args: unknown[]): this
  /** How long a callback waits for asynchronous plugins; 300 ms unless told. */
  timeout(delay_ms: number): void
  debug(isOn?: boolean): this

  addSourceMiddleware(middleware: SourceMiddleware): Promise<this>
  addDestinationMiddleware(name: string, ...middleware: DestinationMiddleware[]): Promise<this>
  register(...plugins: Plugin[]): Promise<Context>
  deregister(...names: string[]): Promise<Context>
}
