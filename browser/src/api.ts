// The object at window.analytics: every public function, and the order in which one call passes the
// stations: arguments, identity, message, plugins, queue, delivery.
// (The imports stand as the bundle has them, what is alike close together: it compresses best so.)
import { endCookies, readCookies, setCookie } from './cookie'
import { beginOf, makeVisitor } from './identity'
import { seen } from './seen'
import { isRefusedBySignal } from './consent'
import { toJson } from './json'
import { more } from './more'
import { health } from './health'
import { readCall } from './stub'
import { makeTracker, resolve } from './links'
import { openQueue, type Queue } from './queue'
import { makeTouches } from './touch'
import { COMMON } from './options'
import { addTimezone, makePage, notePage, readContext, VERSION, withoutTimezone } from './context'
import { makeCounter } from './losses'
import { makeEmitter } from './emitter'
import { readArgs, readText, type Args } from './args'
import type { Parts } from './parts'
import { makeReceipts, makeStamp } from './receipt'
import { bareContext, makeContext } from './call-context'
import type { makePipeline } from './pipeline'
import { makeTools } from './tools'
import { apiBase } from './host'
import { attempt, delay, isPromise, sooner, within } from './sooner'
import { makeDelivery, UNREADY } from './delivery'
import { makeAreaStore, openStores, type Stores } from './storage'
import { CARRY_S, carryName, pack } from './carry'
import { adoptKey, mark, markTime, pageName } from './mark'
import type {
  Analytics,
  Context,
  Json,
  LoadOptions,
  Mark,
  Message,
  MessageType,
  Noted,
  PageState,
} from './types'

/**
 * So long a new anonymous id waits for that of another subdomain, before anything is sent under it. Should that come
 * later, the two are linked (twins.ts).
 */
const SETTLE_MS = 400

/** Undefined overrides nothing. */
const override = <T extends Json>(target: T, source: Json | undefined, keys: Json | undefined = source): T => {
  for (const key in keys) if (source![key] !== undefined) target[key as keyof T] = source![key]
  return target
}

/** Does what a call does to the visitor; gives the message's own fields, and what listeners are told. */
type Handler = (
  texts: Args[0],
  data: Json,
  page: PageState,
) => [fields: Partial<Message>, ...told: unknown[]] | void

/** Makes a call as of another moment: the stub's calls come in here. */
export type Replay = (method: string, args: unknown[], at?: Mark, noted?: Noted) => unknown

/**
 * `home` is where the script came from: calls go there unless the options say otherwise. `handlers` has a key
 * for each call that makes a message or changes who the visitor is; all others set the library up.
 */
export const makeAnalytics = (home?: string): [api: Analytics, replay: Replay, handlers: object] => {
  const emitter = makeEmitter()
  const { emit } = emitter
  const memory = makeAreaStore({})
  let pipeline: ReturnType<typeof makePipeline> | undefined
  /** While the pipeline is on its way, what was called meanwhile waits for it, marked as not ready. */
  let plugging: unknown
  /** A source middleware may be there to take personal data out: without it nothing of this page is sent. */
  let mustFilter = false
  const plugins: any = {}
  for (const name of ['addSourceMiddleware', 'addDestinationMiddleware', 'register', 'deregister'] as const)
    plugins[name] = (...args: any[]) => {
      if (!PLUS) mustFilter ||= name == 'addSourceMiddleware'
      let result: unknown
      const installed = more(({ makePipeline }) => {
        pipeline ??= makePipeline(
          () => api,
          (plugin) => emit('initialization_failure', plugin),
        )
        // After all that waits.
        if (!PLUS) setTimeout(() => (plugging = undefined))
        result = (pipeline.api[name] as any)(...args)
      })
      if (!PLUS && !pipeline) plugging ??= installed
      return Promise.resolve(sooner(installed, () => result))
    }
  const settings: Analytics['settings'] = { writeKey: '', timeout: 300 }
  let options: LoadOptions = {}
  /** What the load options say of integrations, their settings left out. */
  const enabled: Json = {}
  let isLoaded = false
  /** What the visitor has said; undefined until then, and `options.consent` decides. */
  let isGranted: boolean | undefined
  let isOff: unknown
  let isDebug = false
  let referrer: string | undefined
  let consent: Json | undefined
  let held: Array<() => void> = []
  /** Calls wait while what decides whose they are is on its way. */
  let isHeld = false
  let arrived: unknown
  let stores: Stores
  let base: string
  /** The stub's calls by their ids: each is made once, wherever it was kept. */
  const made = new Set<string>()
  /** The last call that waited when storage was opened. */
  let last: string | undefined
  /** The cookie's domain, where calls can go along to another subdomain. */
  let carryDomain: string | undefined

  let visitor = makeVisitor({ memory }, {}, () => false)
  /** When whoever is here now came instead of somebody else, as far as that is known. */
  let since: number
  /** The call that is being made is of before that: whose it was lives in memory, apart from who is here now. */
  let isPast = false
  let queue: Queue
  let wake: (() => void) | undefined
  let onLoaded: () => void
  let touches: ReturnType<typeof makeTouches> | undefined
  let counter: ReturnType<typeof makeCounter> | undefined
  let tools: ReturnType<typeof makeTools> | undefined
  const loaded = new Promise<void>((resolve) => (onLoaded = resolve))

  const isOpen = () =>
    // A page that the browser loads in case the visitor goes there may never be shown.
    isLoaded && !isOff && (isGranted ?? options.consent !== false) && !seen('prerendering')

  const json = (value: unknown, id?: string) => toJson(value, (path) => emit('error', { code: 'not_json', id, path }))
  const write = (event: Message) => withoutTimezone(() => json(event, event.messageId))

  /** Through the plugins into the queue. It is in storage when this returns, whatever the plugins do. */
  const submit = (key: string, event: Message): Context | PromiseLike<Context> => {
    const context = PLUS ? makeContext(event) : bareContext(event)
    const finish = (passed: Context | null) => {
      let text: string | undefined
      if (passed && passed.event.integrations['Segment.io'] !== false) {
        if (PLUS) counter?.number(passed.event)
        if (TOOLS) text = write(passed.event)
        queue.put(key, TOOLS ? text! : write(passed.event))
      } else queue.drop(key)
      wake!()
      if (TOOLS && passed) tools?.call(text ?? write(passed.event), pipeline?.toDestination)
      if (passed) pipeline?.after(passed)
      else context.failed = {}
      return context
    }
    const filter = () => pipeline!.before(context)
    // Until it comes it stays in storage, not ready, for this page or one to which it does.
    const pass = () => (pipeline ? filter() : !PLUS && mustFilter ? new Promise(more).then(filter) : context)
    const passed = PLUS ? pass() : sooner(plugging, pass)
    if (isPromise(passed)) queue.put(key, UNREADY + write(event))
    return within(sooner(passed, finish), settings.timeout, context)
  }

  const view: Handler = (texts, data, page) => {
    const [category, name] = texts[1] == null ? [undefined, texts[0]] : texts
    override(page, data, page)
    const properties = { ...data, ...page, category: category ?? data.category, name: (name ?? data.name) || undefined }
    return [{ name, category, properties }, category, name, properties]
  }

  const handlers: Record<string, Handler> = {
    identify([id], data) {
      const [userId, traits] = visitor.user.identify(id, data)
      return [{ ...(id && { userId: id }), traits }, userId, traits]
    },
    track([name], data) {
      const event = name || data.event
      const properties = name ? data : (data.properties ?? {})
      if (!event) throw new Error('Event missing')
      return [{ event, properties }, event, properties]
    },
    page: view,
    screen(texts, data) {
      const told = view(texts, data, {} as PageState) as any
      told[0].properties = told[3] = data
      return told
    },
    group([id], data) {
      const [groupId, traits] = visitor.group.identify(id, data)
      return [{ groupId: groupId!, traits }, groupId, traits]
    },
    alias([to, from]) {
      const anonymousId = visitor.user.anonymousId()!
      const own = visitor.user.id() ?? anonymousId
      const previousId = from ?? own
      const fields = { userId: to ?? own, previousId }
      // An alias between two others says nothing about this visitor, so it does not carry their id.
      const isOwn = previousId == own || previousId == anonymousId
      return [isOwn ? fields : { ...fields, anonymousId: undefined }, to, from]
    },
    reset() {
      if (PLUS && !isPast) touches?.reset()
      visitor.group.reset()
      visitor.user.reset()
      if (TOOLS) tools?.reset(visitor.user.anonymousId())
      emit('reset')
    },
    setAnonymousId([id]) {
      visitor.user.anonymousId(id)
    },
  }

  /** Makes the message of a call, with the ids of this moment, and submits it. */
  const run = (
    method: string,
    [texts, data, callOptions]: Args,
    [at, id, key]: Mark,
    page: PageState,
  ): unknown => {
    const { integrations, context, anonymousId: given, userId, timestamp, messageId, ...others } = callOptions
    const anonymousId = readText(given)
    if (anonymousId) visitor.user.anonymousId(anonymousId)
    const [fields, ...told] = handlers[method]!(texts, data, page) ?? []
    if (!fields) return visitor.user.anonymousId()
    const shown = override(override({ ...page }, context?.page), others.page)
    const event: Message = {
      type: method as MessageType,
      messageId: readText(messageId) ?? id,
      timestamp: timestamp ?? new Date(at).toISOString(),
      // Before the user id: a visitor who logs out on another subdomain between the two leaves a call of nobody, not one of
      // the user under the next visitor's anonymous id.
      anonymousId: anonymousId ?? visitor.user.anonymousId()!,
      userId: readText(userId) ?? visitor.user.id() ?? undefined,
      ...fields,
      context: addTimezone({
        ...readContext(shown),
        ...health(),
        ...(PLUS && !isPast && touches?.context(anonymousId ?? visitor.user.anonymousId()!)),
        ...consent,
        ...context,
        ...others,
        page: shown,
      }),
      integrations: { ...enabled, ...integrations },
    }
    if (isDebug) console.log('analytics', event)
    // The clock was put back since that call was made: this one stands behind it all the same.
    const result = submit(key < last! ? mark(markTime(last!) + 1)[2] : key, event)
    emit(method, ...told, callOptions)
    return result
  }

  /** Now; or when load and consent have opened storage; or never, once they have said no. */
  const later = (begin: () => unknown): any => {
    const hold = (resolve: (result?: unknown) => void) =>
      isOff || isGranted === false ? resolve() : held.push(() => resolve(begin()))
    return isOpen() && !isHeld ? begin() : new Promise(hold)
  }

  /** What was held is made, in its order; all of it when the page goes. */
  const release = (isLeaving?: boolean) => {
    isHeld = false
    while (held.length && (isLeaving || !isHeld)) held.shift()!()
    wake!()
  }

  /** Does what a link says; first takes over, where they are new here, the ids that the visitor has elsewhere. */
  const arrive = (link: string, isNew?: boolean): unknown => {
    let made: unknown
    /** Whose calls have gone on without it. */
    let other: string | null | undefined
    isHeld = true
    const use = (parts: Parts) => {
      isHeld = false
      made = parts.arrive(link, api, options, isNew && stores, visitor, other)
    }
    return sooner(more(use), () => {
      release()
      if (!PLUS) other = visitor.user.anonymousId()
      return made ?? []
    })
  }

  /** Runs a call; or holds it in memory, with its time and page, until load or consent. */
  const replay = (method: string, args: unknown[], at = mark(), noted = notePage(referrer)): any => {
    if (made.has(noted.i!)) return Promise.resolve()
    if (noted.i) made.add(noted.i)
    const parsed = readArgs(method, args)
    // What was called while nobody looked happens when the page is shown.
    const isEarly = seen('prerendering')
    const make = () => run(method, parsed, at, makePage(noted))
    const begin = () => {
      if (isEarly) at = mark()
      // A page was left with it, and since then the visitor has logged out on another subdomain. (Where the clock was put
      // back, nobody knows.)
      isPast = at[0] < since && since < Date.now()
      const result = attempt(
        // A getter that throws: once more, with what JSON can write of it.
        () =>
          attempt(make, () => {
            for (const at of [1, 2] as const) parsed[at] = JSON.parse(json(parsed[at]))
            return make()
          }),
        (error) => Promise.reject(error),
      )
      isPast = false
      if (options.serverCookie)
        void more(({ tellServer }) => tellServer(base, options, settings.writeKey, stores.domain, visitor.user))
      return result
    }
    const result = later(begin)
    // What only changes who the visitor is answers with an id.
    if (!result?.event && !isPromise(result)) return result
    // The call is safe already, so nobody who means to leave the page has to wait long, not for plugins
    // and not for consent.
    return Promise.resolve(within(result, settings.timeout)).then((context: any) => {
      attempt<unknown>(() => parsed[3]?.(context), console.error)
      return context
    })
  }

  /** What is unsent as the page goes is written down for the other subdomains. */
  const carry = () => {
    if (isHeld) release(true)
    // Each by itself: one that is gone from storage, or has lost its context to a middleware, keeps no other here.
    const unsent = (carryDomain ? queue.list() : []).slice(-200).map((key) =>
      attempt<any>(() => {
        const event = JSON.parse(queue.get(key)!.replace(/^~/, ''))
        // The other page has the same browser.
        for (const name in readContext({} as PageState)) if (name != 'campaign') delete event.context[name]
        return [key, event]
      }),
    )
    const packed = pack(
      unsent,
      (call) => call && (/^(page|screen)$/.test(call[1].type) ? undefined : +(call[1].type == 'track')),
    )
    if (packed) setCookie(carryName(settings.writeKey), packed, { maxage: CARRY_S / 86400 }, carryDomain)
  }
  /** Of what another subdomain has sent along: a call as its snippet noted it, or [key, message] of its library. */
  const takeOver = (carried: any) => {
    const [key, event] = carried
    // Keys begin with their time, methods with a letter.
    if (key > '9') replay(...readCall(carried))
    else if (!queue.get(key)) {
      event.context = { ...readContext(event.context.page), ...event.context }
      queue.put(adoptKey(key), json(event))
    }
  }

  /** Storage is not even looked at before this. Says whether ids of other libraries may be taken over. */
  const prepare = () => {
    base = apiBase(options, home)
    if (TOOLS && options.deviceMode !== false) tools = makeTools(base, settings.writeKey, options.integrations)
    stores = openStores(options, memory)
    visitor = makeVisitor(stores, options, () => isOpen() && !isPast)
    since = beginOf(visitor.stored()) as number
    carryDomain = stores.cookie && options.storage?.stores?.includes('cookie') != false ? stores.domain : ''
    queue = openQueue(settings.writeKey, !options.disableClientPersistence)
    last = queue.list().pop()
    wake = makeDelivery(
      queue,
      base + '/b',
      settings.writeKey,
      isOpen,
      (key, text) => {
        submit(adoptKey(key), JSON.parse(text))
        queue.drop(key)
      },
      emit,
      async (isLeaving) => {
        if (isLeaving) return carry()
        if (visitor.unsent && carryDomain) await delay(SETTLE_MS)
        visitor.user.anonymousId()
        if (visitor.twins())
          await more(({ joinTwins }) => joinTwins(visitor, queue, api))
        visitor.unsent = undefined
      },
      // Where analytics-next has them.
      () =>
        attempt<any>(() =>
          resolve<any, void>((options as any).integrations['Segment.io'].deliveryStrategy.config.headers, undefined),
        ),
      (key, receipt) => {
        const text = queue.get(key)
        if (text) receipts!.end(JSON.parse(text).messageId, receipt)
      },
    )
    if (PLUS) {
      touches?.takeUp(stores)
      if (options.losses) counter = makeCounter(settings.writeKey, pageName(), !options.disableClientPersistence)
    }
    const isNew = options.takeOver && !visitor.stored()
    visitor.takeUp()
    return isNew
  }

  /** Everything that had to wait for load and consent, in the order in which it was asked for. */
  const open = () => {
    if (isOpen()) {
      const isFirst = !wake
      const isNew = isFirst && prepare()
      for (const value of readCookies(carryName(settings.writeKey))) {
        endCookies(carryName(settings.writeKey))
        attempt<unknown>(() => JSON.parse(value).forEach(takeOver))
      }
      if (isNew || (isFirst && /[?&#]ajs_/.test(location.href))) arrived = arrive(location.href, isNew)
      else if (!isHeld) release()
    }
  }

  /** Refused or withdrawn: nothing stays in storage, and nothing that waited is ever made. */
  const forget = () => {
    held = []
    isGranted = true
    if (isOpen()) {
      if (!wake) prepare()
      visitor.forget()
      if (PLUS) {
        touches?.forget()
        counter?.forget()
      }
      queue.list().forEach(queue.drop)
      endCookies(carryName(settings.writeKey))
    }
    isGranted = false
  }

  const track = (...args: any[]) => (api as any).track(...args)
  const trackLink = makeTracker(track, 'click')
  const trackForm = makeTracker(track, 'submit')
  const receipts = PLUS ? makeReceipts(track, () => !!isOff || isGranted === false) : undefined

  const api = {
    VERSION,
    initialized: false,
    settings,
    queue: {
      plugins: [],
      ...plugins,
      ...emitter,
    },
    user: () => visitor.user,
    pageview: (path) => api.page({ path }),

    load(writeKey, loadOptions) {
      if (api.initialized) return api
      options = loadOptions ?? {}
      for (const name in options.integrations) enabled[name] = !!options.integrations[name]
      settings.writeKey = writeKey
      // The page may have moved on when consent comes.
      if (PLUS && options.attribution) touches = makeTouches(options)
      const found = options.cdnSettings ?? { integrations: { 'Segment.io': { apiKey: writeKey } } }
      if (PLUS || Object.keys(options).some((name) => !COMMON.test(name)))
        void more(({ warnOfOptions }) => warnOfOptions(options, PLUS, TOOLS))
      // Nothing is sent unless Onym itself is named.
      if (enabled.All === false) enabled['Segment.io'] ??= false
      api.initialized = true
      const start = (isDisabled: unknown) => {
        isOff = isDisabled || isRefusedBySignal(options)
        isLoaded = true
        if (isGranted === false) forget()
        // The document's event passes the window on its way down.
        addEventListener('prerenderingchange', open, true)
        open()
        emit('initialize', settings, options)
        onLoaded()
        if (options.initialPageview) api.page()
        if (options.autoPage) {
          const left = (url: string) => {
            referrer = url
            api.page()
          }
          const { href } = location
          void more(({ watchRoutes }) => watchRoutes(left, href))
        }
      }
      const decide = () =>
        sooner(options.updateCDNSettings?.(found) ?? found, (updated) => {
          settings.cdnSettings = updated
          return resolve<any, any>(options.disable, updated)
        })
      // Whoever was to say whether to track and failed has not said yes.
      const failed = (error: unknown) => {
        console.error(error)
        return true
      }
      void sooner(attempt<unknown>(decide, failed), start)
      return api
    },

    consent(granted, categories) {
      consent = categories && { consent: { categoryPreferences: categories } }
      isGranted = granted
      if (TOOLS) tools?.consent(granted, categories)
      if (!granted) forget()
      open()
      return api
    },

    // Who is identified already is known once storage is open.
    queryString: (query) => later(() => arrive(query)),
    trackLink,
    trackClick: trackLink,
    trackForm,
    trackSubmit: trackForm,
    ...(PLUS && {
      confirm: receipts!.confirm,
      stamp: makeStamp(track, () => (isOpen() ? visitor.user.anonymousId() : null)),
    }),

    ...emitter,
    ready: (callback) => loaded.then(() => arrived).then(() => plugging).then(() => pipeline?.ready()).then(callback),
    timeout(delay_ms) {
      settings.timeout = delay_ms
    },
    debug(isOn = true) {
      isDebug = isOn
      return api
    },
    ...plugins,
  } as Partial<Analytics> as Analytics
  for (const method in handlers) {
    ;(api as any)[method] = (...args: unknown[]) =>
      method == 'group' && !args.length ? visitor.group : replay(method, args)
  }
  return [api, replay, handlers]
}
