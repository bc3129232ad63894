// Who the visitor is: user() and group(), over the stores.
//
// The cookie is the one truth that the subdomains of a site share, so it outranks this origin's
// localStorage. When the two name different anonymous ids, another subdomain has logged the visitor out
// or somebody else in, and whatever this origin still remembers belongs to somebody who is gone.
import { cookieText } from './cookie'
import { toJson } from './json'
import { uuid } from './mark'
import { attempt } from './sooner'
import type { Store, Stores } from './storage'
import type { Entity, EntityOptions, Json, LoadOptions, User } from './types'

export interface Visitor {
  user: User
  group: Entity
  /** Carries what memory learned while storage was closed (before load, before consent) into storage. */
  takeUp(): void
  /** The anonymous id; none is made where there is none yet. */
  stored(): string | null
  /** The anonymous id that this page has made, as long as it has sent nothing. */
  unsent?: string | undefined
  /** The names of the cookies in which this page or another has noted ids that turned out to be one visitor's (twins.ts). */
  twins(): string[] | null | undefined
  cookie: Store | undefined
  /** Removes every trace from the stores. */
  forget(): void
}

/** One text under one key, in all of the stores chosen for it. */
export interface Slot {
  key: string
  read(): string | null
  write(text: string | null): void
  takeUp(): void
}

/**
 * The cookie's name begins so; the id follows (one with other characters than an id of ours is not found again), and the
 * value is the id that the visitor keeps.
 */
export const TWINS = 'onym_twins_'

const LOCAL = ['localStorage'] as const
const BOTH = ['cookie', 'localStorage'] as const

/** Two that were opened further apart have seen each other's cookie. */
const TWINS_MS = 60_000

/**
 * Pages that are opened at once, for the first time, each make an anonymous id, and the last that writes its cookie has
 * the visitor. An id that was made because there was none begins with its time in hex; one of a log-out as well, but has
 * an 8 where that has a 4; one of the site's own or of another library does not. So it is known of two ids, whenever they
 * meet, that they are one visitor's; and of a call whether the visitor has logged out since.
 */
const bear = (kind = 4): string =>
  ('0' + Date.now().toString(16)).replace(/.{8}/, '$&-') + '-' + kind + uuid().slice(15)
/** When it was made, of an id of either kind. */
const timeOf = (id: string): number => parseInt(id.replace('-', ''), 16)
export const areTwins = (one: string, other: string): boolean =>
  one[14]! + other[14] == '44' && Math.abs(timeOf(one) - timeOf(other)) < TWINS_MS

/** When the visitor of that id logged out, or in as somebody else; false where neither is known. */
export const beginOf = (id: string | null): number | false => id?.[14] == '8' && timeOf(id)

export const makeVisitor = (stores: Stores, options: LoadOptions, isOpen: () => boolean): Visitor => {
  /** The id that this page has made, until it turns out not to be the visitor's. */
  let born: string | null | undefined
  const slots: Slot[] = []
  /** `traits` are those of whoever has the id. */
  const makeSlot = (
    key: string,
    entity: EntityOptions = {},
    isJson?: boolean,
    traits?: Slot,
    isNothing = entity.disable,
  ): Slot => {
    const wanted = entity.storage?.stores ?? options.storage?.stores
    const found = (isJson ? LOCAL : BOTH).flatMap((name) =>
      entity.persist !== false &&
      !entity.disable &&
      !(entity.localStorageFallbackDisabled && !isJson && name == 'localStorage') &&
      (wanted?.includes(name) ?? true) ? (stores[name] ?? []) : [],
    )
    const chosen = (): Store[] => (isNothing ? [] : found.length && isOpen() ? found : [stores.memory])
    const slot: Slot = {
      key,
      read() {
        const texts = chosen().map((store) => store.read(key))
        const text = texts.find(Boolean) ?? null
        if (text)
          chosen().forEach((store, index) => {
            if (texts[index] == text) return
            // Another subdomain, or a backend, has put somebody else here.
            if (texts[index]) traits?.write(null)
            store.write(key, text, isJson)
          })
        return text
      },
      write: (text) => chosen().forEach((store) => store.write(key, text, isJson)),
      takeUp() {
        const stored = slot.read()
        const text = stored ?? stores.memory.read(key)
        // Rewriting starts the cookie's days afresh; once a tab will do. Not where the server sets it: in some
        // browsers a script's rewrite would shorten its life.
        if (text && !(stored && (stores.isKnown || options.serverCookie))) slot.write(text)
      },
    }
    slots.push(slot)
    return slot
  }

  const makeEntity = (
    name: string,
    traitsName: string,
    entity: EntityOptions = {},
    renew?: () => void,
  ): Entity => {
    const traits = makeSlot(entity.localStorage?.key ?? 'ajs_' + name + traitsName, entity, true)
    const id = makeSlot(entity.cookie?.key ?? 'ajs_' + name + '_id', entity, false, traits)
    const self: Entity = {
      id(value) {
        settle()
        if (value !== undefined) {
          const before = id.read()
          id.write(value === null ? value : '' + value || null)
          if (before !== null && value !== null && value != before) renew?.()
        }
        return id.read()
      },
      traits(value) {
        settle()
        if (value !== undefined) traits.write(toJson(value ?? {}))
        return (attempt<Json>(() => JSON.parse(traits.read()!)) as Json) || {}
      },
      identify(value, added) {
        const before = self.id()
        const kept = before === null || value == null || before == value ? self.traits() : {}
        if (value != null) self.id(value)
        const merged = { ...kept, ...added }
        self.traits(merged)
        // What was given, never what can be read again: storage may be full, a cookie stand in front.
        return [value == null ? before : '' + value, merged]
      },
      reset() {
        id.write(null)
        traits.write(null)
        renew?.()
      },
      logout: () => self.reset(),
      // Everything is stored as it is set.
      save: () => true,
      load(): any {
        return this
      },
    }
    return self
  }

  // Of whoever is not to be remembered there is one for each page, since a call of nobody is refused.
  const anonymous = makeSlot('ajs_anonymous_id', options.user, false, undefined, false)
  const settle = () => {
    const { cookie, localStorage } = stores
    const shared = isOpen() && cookie?.read(anonymous.key)
    const own = localStorage?.read(anonymous.key)
    for (const id of [born, own])
      if (shared && id && id != shared) {
        born = null
        // A cookie each, never a list: pages of several subdomains write at once, and no lock is theirs together.
        if (areTwins(id, shared)) cookie!.write(TWINS + encodeURIComponent(id), shared)
        // Somebody has logged out.
        else if (id == own) slots.forEach((slot) => localStorage!.write(slot.key, null))
        anonymous.write(shared)
      }
  }
  const renew = () => anonymous.write(bear(8))

  const self: Visitor = {
    user: {
      ...makeEntity('user', '_traits', options.user, renew),
      anonymousId(value) {
        settle()
        if (value !== undefined) anonymous.write(value)
        const found = anonymous.read()
        if (found || value === null) return found
        anonymous.write((self.unsent = born = bear()))
        return anonymous.read()
      },
    },
    group: makeEntity('group', '_properties', options.group),
    twins: () => stores.cookie && cookieText().match(/onym_twins_[\w-]+/g),
    cookie: stores.cookie,
    takeUp() {
      settle()
      slots.forEach((slot) => slot.takeUp())
    },
    stored() {
      settle()
      return anonymous.read()
    },
    forget() {
      self.twins()?.forEach((name) => stores.cookie!.write(name, null))
      slots.forEach((slot) => slot.write(null))
    },
  }
  return self
}
