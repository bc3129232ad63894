// The npm form: the same library, without a stub, in the shape of @segment/analytics-next.
//
//   import { AnalyticsBrowser } from '@onym/browser'
//   const analytics = AnalyticsBrowser.load({ writeKey: 'wk_website' }, { apiHost: 'https://t.example.com' })
import { makeAnalytics } from './api'
import { checkKey } from './check'
import { addClassic } from './classic'
import { systemContext } from './call-context'
import { provideMore } from './more'
import parts from './parts'
import { makeNothing } from './nothing'
import { provideTools } from './tools'
import type { Analytics, Context, Entity, Json, LoadOptions, Plugin, User } from './types.js'
import type { AnalyticsSettings, GroupParams } from './calls.js'

export type * from './calls.js'
export type {
  Analytics,
  CallOptions,
  Context,
  DestinationMiddleware,
  Entity,
  EntityOptions,
  LoadOptions,
  Message,
  Payload,
  Plugin,
  Receipt,
  SourceMiddleware,
  Stamp,
  StoreName,
  User,
} from './types.js'
export type {
  DestinationMiddleware as DestinationMiddlewareFunction,
  Entity as Group,
  EntityOptions as UserOptions,
  SourceMiddleware as MiddlewareFunction,
} from './types.js'
export { ContextCancelation, type CancelationOptions } from './cancel.js'

provideMore(() => parts)
// From the site's Onym as it runs: no bundler can know the file.
provideTools((base, writeKey) => {
  const file = /\/v1$/.test(base) ? base.replace(/\/v1$/, `/analytics.js/v1/${encodeURIComponent(writeKey)}/tools.js`) : base + '/t.js'
  return import(/* webpackIgnore: true */ /* @vite-ignore */ file)
})

/** Where there is no page (Node.js, edge runtimes, workers) nothing is made, kept or sent. */
const hasPage = typeof window == 'object' && typeof document == 'object'

type SegmentHost = { integrations: { 'Segment.io': { apiHost: string } } }
/** The options of `load`, in which the address of your Onym must stand. */
export type HostedOptions = LoadOptions & ({ apiHost: string } | SegmentHost)
export interface AnalyticsBrowserSettings extends AnalyticsSettings {
  /** Registered before the first call is made. */
  plugins?: Plugin[]
  /** Here or in the options. */
  apiHost?: string
}
type Hosted = { apiHost: string } | { cdnURL: string }

const EXAMPLE = "AnalyticsBrowser.load({ writeKey: 'wk_website' }, { apiHost: 'https://t.example.com' })"
const complain = (problem: string): Error => new Error(`Onym: ${problem}, so nothing is sent. ${EXAMPLE}`)

/** The options with the host in them, or what is missing. */
const settle = (settings: Partial<AnalyticsBrowserSettings>, options: LoadOptions): LoadOptions | Error => {
  const segment = options.integrations?.['Segment.io']?.apiHost
  const apiHost = options.apiHost ?? settings.apiHost ?? (segment ? undefined : settings.cdnURL)
  if (!settings.writeKey) return complain('load got no writeKey')
  if (!apiHost && !segment) return complain('load got no apiHost')
  const { cdnSettings } = settings
  return { ...options, ...(apiHost && { apiHost }), ...(cdnSettings && { cdnSettings }) }
}

/** Calls made before `load` wait in memory, in order. `load` needs `apiHost`. */
export const createAnalytics = (): Analytics => {
  if (!hasPage) return makeNothing()
  const [analytics, replay, handlers] = makeAnalytics()
  addClassic(analytics, replay, handlers, [])
  const { load } = analytics
  analytics.load = (writeKey, options = {}) => {
    const settled = settle({ writeKey }, { deviceMode: false, ...options })
    if (settled instanceof Error) console.error(settled.message)
    else checkKey(writeKey, settled)
    return load(writeKey, settled instanceof Error ? { disable: true } : settled)
  }
  return analytics
}

/** What is both there at once and can be awaited, as analytics-next has it. */
type Soon<T> = T & Promise<T>
type Loaded = [analytics: Analytics] & { 1: Context }

export interface AnalyticsBrowser extends Omit<Analytics, 'load' | 'group' | 'user' | 'initialized'> {
  user(): Soon<User>
  group(): Soon<Entity>
  group(...args: GroupParams): Promise<Context>
}

/** Has every call, before and after `load`, and can be awaited: `const [analytics] = await AnalyticsBrowser.load(…)`. */
export class AnalyticsBrowser implements PromiseLike<Loaded> {
  /** The library itself, from `load` on. */
  instance?: Analytics
  ctx?: Context
  private readonly _analytics = createAnalytics()
  private readonly _loaded: Promise<Loaded>
  private _settle!: (loaded: Loaded | Promise<never>) => void

  constructor() {
    const analytics = this._analytics as any
    this._loaded = new Promise((resolve) => (this._settle = resolve))
    // A load that failed is in the console; whoever awaits hears of it, too.
    this._loaded.catch(() => {})
    /** The functions of what `read` gives at that moment: it is another one before load. */
    const both = (read: () => Json) => {
      const soon: any = this._loaded.then(read)
      soon.catch(() => {})
      for (const name in read()) soon[name] = (...args: unknown[]) => read()[name](...args)
      return soon
    }
    for (const name in analytics) {
      if (!(name in this) && typeof analytics[name] == 'function')
        (this as any)[name] = (...args: unknown[]) => analytics[name](...args)
    }
    const more = {
      user: () => both(() => analytics.user()),
      group: (...args: unknown[]) => (args.length ? analytics.group(...args) : both(() => analytics.group())),
    }
    Object.assign(this, more)
  }

  static load(settings: AnalyticsBrowserSettings & Hosted, options?: LoadOptions): AnalyticsBrowser
  static load(settings: AnalyticsBrowserSettings, options: HostedOptions): AnalyticsBrowser
  static load(settings: AnalyticsBrowserSettings, options: any = {}): AnalyticsBrowser {
    return new AnalyticsBrowser().load(settings, options)
  }

  /** The library alone. */
  static async standalone(writeKey: string, options: HostedOptions): Promise<Analytics> {
    return (await AnalyticsBrowser.load({ writeKey }, options))[0]
  }

  /** Does nothing the second time, as in React's strict mode, and where there is no page. */
  load(settings: AnalyticsBrowserSettings & Hosted, options?: LoadOptions): this
  load(settings: AnalyticsBrowserSettings, options: HostedOptions): this
  load(settings: AnalyticsBrowserSettings, options: any = {}): this {
    if (this._analytics.initialized || this.instance) return this
    const settled = settle(settings ?? {}, options ?? {})
    if (settings?.plugins) void this._analytics.register(...settings.plugins)
    const loaded = this._analytics.load(settings?.writeKey, settled instanceof Error ? {} : settled)
    if (hasPage && settled instanceof Error) {
      this._settle(Promise.reject(settled))
      return this
    }
    this.instance = loaded
    this.ctx = systemContext()
    this._settle([this.instance, this.ctx] as unknown as Loaded)
    return this
  }

  get initialized(): boolean {
    return this._analytics.initialized
  }

  then<A = Loaded, B = never>(
    onLoaded?: ((loaded: Loaded) => A | PromiseLike<A>) | null,
    onFailed?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this._loaded.then(onLoaded, onFailed)
  }
  catch<B = never>(onFailed?: ((error: any) => B | PromiseLike<B>) | null): Promise<Loaded | B> {
    return this._loaded.catch(onFailed)
  }
  finally(onEnd?: (() => void) | null): Promise<Loaded> {
    return this._loaded.finally(onEnd)
  }
}
