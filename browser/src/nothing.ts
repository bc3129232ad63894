// The library where there is no page: every function is there, does nothing, remembers nothing, since a
// server's module is shared by all of its visitors. What can be awaited ends at once.
import { makeAnalytics } from './api'
import { systemContext } from './call-context'
import type { Analytics, Json } from './types'

const nobody: Json = {
  id: () => null,
  anonymousId: () => null,
  traits: () => ({}),
  identify() {},
  reset() {},
  logout() {},
  save: () => false,
  load: () => nobody,
}

export const makeNothing = (): Analytics => {
  const [analytics, , handlers] = makeAnalytics()
  const nothing: Json = { ...analytics, initialized: false }
  for (const name in nothing) {
    if (typeof nothing[name] == 'function')
      nothing[name] = name in handlers || name == 'pageview' ? async () => systemContext() : () => nothing
  }
  const { group } = nothing
  return Object.assign(nothing, {
    user: () => nobody,
    group: (...args: unknown[]) => (args.length ? group() : nobody),
    setAnonymousId: () => null,
    reset() {},
    confirm: async () => 'refused',
    stamp: () => null,
    ready: async () => [],
    register: async () => systemContext(),
    deregister: async () => systemContext(),
  }) as unknown as Analytics
}
