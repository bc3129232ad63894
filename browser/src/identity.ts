// Who the visitor is: user() and group(), over the stores.
//
// The cookie is the one truth that the subdomains of a site share, so it outranks this origin's
// localStorage. When the two name different anonymous ids, another subdomain has logged the visitor out
// or somebody else in, and whatever this origin still remembers belongs to somebody who is gone.
import { uuid } from './mark'
import { attempt } from './sooner'
import type { Store, Stores } from './storage'
import type { Entity, EntityOptions, Json, LoadOptions, User } from './types'

export interface Visitor {
  user: User
  group: Entity
  /** Carries what memory learned while storage was closed (before load, before consent) into storage. */
  open(): void
  /** Removes every trace from the stores. */
  forget(): void
}

/** One text under one key, in all of the stores chosen for it. */
interface Slot {
  key: string
  get(): string | null
  set(text: string | null): void
  open(): void
}

const LOCAL = ['localStorage'] as const
const BOTH = ['cookie', 'localStorage'] as const

export const makeVisitor = (stores: Stores, options: LoadOptions, isOpen: () => boolean): Visitor => {
  const slots: Slot[] = []
  const makeSlot = (key: string, entity: EntityOptions = {}, isJson?: boolean): Slot => {
    const wanted = entity.storage?.stores ?? options.storage?.stores
    const found = (isJson ? LOCAL : BOTH).flatMap((name) =>
      entity.persist !== false && (!wanted || wanted.includes(name)) ? (stores[name] ?? []) : [],
    )
    const chosen = (): Store[] => (found.length && isOpen() ? found : [stores.memory])
    const slot: Slot = {
      key,
      get() {
        const texts = chosen().map((store) => store.get(key))
        const text = texts.find(Boolean) ?? null
        if (text) chosen().forEach((store, index) => texts[index] == text || store.set(key, text, isJson))
        return text
      },
      set: (text) => chosen().forEach((store) => store.set(key, text, isJson)),
      open() {
        const stored = slot.get()
        const text = stored ?? stores.memory.get(key)
        // Rewriting starts the cookie's days afresh. Not where the server sets it: in some browsers
        // a script's rewrite would shorten its life.
        if (text && !(stored && options.serverCookie)) slot.set(text)
      },
    }
    slots.push(slot)
    return slot
  }

  const makeEntity = (
    name: string,
    traitsName: string,
    entity: EntityOptions = {},
    renew = () => {},
  ): Entity => {
    const id = makeSlot(entity.cookie?.key ?? 'ajs_' + name + '_id', entity)
    const traits = makeSlot(entity.localStorage?.key ?? 'ajs_' + name + traitsName, entity, true)
    const self: Entity = {
      id(value) {
        settle()
        const before = id.get()
        if (value !== undefined) {
          id.set(value === null ? value : '' + value || null)
          if (before !== null && value !== null && value != before) renew()
        }
        return id.get()
      },
      traits(value) {
        settle()
        if (value !== undefined) traits.set(JSON.stringify(value ?? {}))
        return attempt<Json>(
          () => JSON.parse(traits.get()!) || {},
          () => ({}),
        ) as Json
      },
      identify(value, added) {
        const before = self.id()
        const kept = before === null || value == null || before == value ? self.traits() : {}
        if (value != null) self.id(value)
        self.traits({ ...kept, ...added })
      },
      reset() {
        id.set(null)
        traits.set(null)
        renew()
      },
      logout: () => self.reset(),
    }
    return self
  }

  const anonymous = makeSlot('ajs_anonymous_id', options.user)
  const settle = () => {
    const { cookie, localStorage } = stores
    const shared = isOpen() && cookie?.get(anonymous.key)
    const own = localStorage?.get(anonymous.key)
    if (shared && own && shared != own) {
      slots.forEach((slot) => localStorage!.set(slot.key, null))
      anonymous.set(shared)
    }
  }
  const renew = () => anonymous.set(uuid())

  return {
    user: {
      ...makeEntity('user', '_traits', options.user, renew),
      anonymousId(value) {
        settle()
        if (value !== undefined) anonymous.set(value)
        if (value !== null && !anonymous.get()) renew()
        return anonymous.get()
      },
    },
    group: makeEntity('group', '_properties', options.group),
    open() {
      settle()
      slots.forEach((slot) => slot.open())
    },
    forget: () => slots.forEach((slot) => slot.set(null)),
  }
}
