// What each call may be given, and the names that Segment's package has for it, so that a typed site changes
// its import and nothing else.
import type { CallOptions, Context, Json, LoadOptions, Message, MessageType } from './types.js'

export type ID = string | null | undefined
export type JSONPrimitive = string | number | boolean | null
export type JSONValue = JSONPrimitive | JSONObject | JSONArray
export type JSONObject = { [member: string]: JSONValue }
export type JSONArray = JSONValue[]

type Text = string | null
type Dated = Date | string | number | null

interface Address {
  street?: Text
  city?: Text
  state?: Text
  postalCode?: Text
  country?: Text
  [name: string]: any
}

/** The traits that have a meaning, and any others. */
export interface UserTraits {
  id?: string | number | null
  name?: Text
  firstName?: Text
  lastName?: Text
  email?: Text
  phone?: string | number | null
  username?: Text
  title?: Text
  description?: Text
  avatar?: Text
  website?: Text
  gender?: Text
  age?: number | null
  birthday?: Dated
  createdAt?: Dated
  address?: Address | Text
  company?: { id?: string | number | null; name?: Text; [name: string]: any } | Text
  plan?: Text
  [name: string]: any
}
export interface GroupTraits {
  id?: string | number | null
  name?: Text
  email?: Text
  phone?: string | number | null
  description?: Text
  avatar?: Text
  website?: Text
  industry?: Text
  employees?: string | number | null
  createdAt?: Dated
  address?: Address | Text
  plan?: Text
  [name: string]: any
}
export type Traits = Record<string, any>
export type EventProperties = Record<string, any>
export type Integrations = { All?: boolean; [name: string]: boolean | Json | undefined }
export type Callback = (context: Context) => unknown

type Rest<Data> =
  | []
  | [callback: Callback]
  | [data: Data | null | undefined, callback?: Callback]
  | [data: Data | null | undefined, options: CallOptions | null | undefined, callback?: Callback]
type Id = string | number | null | undefined

/** A whole event as the first argument: `track({ event: 'Signed Up', properties: {} })`. */
type WholeEvent = Partial<Message> & { event: string }

export type EventParams =
  | [event: string, ...rest: Rest<EventProperties>]
  | [event: WholeEvent, callback?: Callback]
  | [event: WholeEvent, options: CallOptions | null | undefined, callback?: Callback]
export type IdentifyParams = [id: Id, ...rest: Rest<UserTraits>] | Rest<UserTraits>
export type GroupParams =
  | [id: Id, ...rest: Rest<GroupTraits>]
  | [traits: GroupTraits, callback?: Callback]
  | [traits: GroupTraits, options: CallOptions | null | undefined, callback?: Callback]
export type PageParams =
  | Rest<EventProperties>
  | [name: string | null | undefined, ...rest: Rest<EventProperties>]
  | [category: string | null | undefined, name: string | null | undefined, ...rest: Rest<EventProperties>]
export type AliasParams =
  | [to: string | number, from?: Id, options?: CallOptions | null, callback?: Callback]
  | [to: string | number, from: Id, callback: Callback]
  | [to: string | number, options: CallOptions, callback?: Callback]
  | [to: string | number, callback: Callback]

// ---- Segment's names ----

export type SegmentEvent = Partial<Omit<Message, 'type'>> & { type: MessageType }
export type Options = CallOptions
export type InitOptions = LoadOptions
export type DispatchedEvent = Context

/** What the settings document of a source says; Onym's has no more than it needs. */
export interface CDNSettings {
  integrations: { [name: string]: Json }
  plan?: Json
  [name: string]: unknown
}
export interface AnalyticsSettings {
  writeKey: string
  cdnSettings?: CDNSettings
  cdnURL?: string
}
