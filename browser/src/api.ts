// The object at window.analytics: every public function, and the order in which one call passes the
// stations: arguments, identity, message, plugins, queue, delivery.
import { readArgs, type Args } from './args'
import { isRefusedBySignal } from './consent'
import { readContext, makePage, notePage, VERSION } from './context'
import { makeDelivery, UNREADY } from './delivery'
import { makeEmitter } from './emitter'
import { apiBase } from './host'
import { makeVisitor } from './identity'
import { makeTracker } from './links'
import { adoptKey, mark } from './mark'
import { makeContext, makePipeline } from './pipeline'
import { runQueryString } from './query'
import { openQueue, type Queue } from './queue'
import { watchRoutes } from './routes'
import { makeServerCookie } from './server-cookie'
import { attempt, isPromise, sooner } from './sooner'
import { makeAreaStore, openStores } from './storage'
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
  const pipeline = makePipeline(() => api)
  const settings = { writeKey: '', timeout: 300 }
  let options: LoadOptions = {}
  /** What the load options say of integrations, their settings left out. */
  const enabled: Json = {}
  let isLoaded = false
  /** What the visitor has said; undefined until then, and `options.consent` decides. */
  let isGranted: boolean | undefined
  let isOff = false
  let isDebug = false
  let referrer: string | undefined
  let consent: Json | undefined
  let held: Array<() => void> = []

  let visitor = makeVisitor({ memory }, {}, () => false)
  let queue: Queue
  let wake: (() => void) | undefined
  let tellServer: ReturnType<typeof makeServerCookie> | undefined
  let onLoaded: () => void
  const loaded = new Promise<void>((resolve) => (onLoaded = resolve))

  const isOpen = () => isLoaded && !isOff && (isGranted ?? options.consent !== false)

  /** Through the plugins into the queue. It is in storage when this returns, whatever the plugins do. */
  const submit = (key: string, event: Message): Promise<Context> => {
    const context = makeContext(event)
    const finish = (passed: Context | null) => {
      if (passed && passed.event.integrations['Segment.io'] !== false)
        queue.put(key, JSON.stringify(passed.event))
      else queue.remove(key)
      wake!()
      if (passed) pipeline.after(passed)
      return context
    }
    const passed = pipeline.before(context)
    if (isPromise(passed)) queue.put(key, UNREADY + JSON.stringify(event))
    return Promise.resolve(sooner(passed, finish))
  }

  const view: Handler = (texts, data, page) => {
    const [category, name] = texts[1] == null ? [undefined, texts[0]] : texts
    for (const key in page) page[key as keyof PageState] = data[key] ?? page[key as keyof PageState]
    const properties = { ...page, category, name, ...data }
    return [{ name, category, properties }, category, name, properties]
  }

  const handlers: Record<string, Handler> = {
    identify([id], data) {
      visitor.user.identify(id, data)
      const traits = visitor.user.traits()
      return [{ traits }, visitor.user.id(), traits]
    },
    track([name], data) {
      const event = name || data.event
      const properties = name ? data : (data.properties ?? {})
      if (!event) throw new Error('Event missing')
      return [{ event, properties }, event, properties]
    },
    page: view,
    screen: (texts, data) => view(texts, data, {} as PageState),
    group([id], data) {
      visitor.group.identify(id, data)
      const groupId = visitor.group.id()!
      const traits = visitor.group.traits()
      return [{ groupId, traits }, groupId, traits]
    },
    alias([to, from]) {
      const own = [visitor.user.id(), visitor.user.anonymousId()]
      const previousId = from ?? own[0] ?? own[1]!
      const fields: Partial<Message> = { userId: to!, previousId }
      // An alias between two others says nothing about this visitor, so it does not carry their id.
      if (!own.includes(previousId)) fields.anonymousId = undefined
      return [fields, to, from]
    },
    reset() {
      visitor.group.reset()
      visitor.user.reset()
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
    const { integrations, context, anonymousId, userId, timestamp, messageId, ...others } = callOptions
    if (anonymousId) visitor.user.anonymousId(anonymousId)
    const [fields, ...told] = handlers[method]!(texts, data, page) ?? []
    if (!fields) return visitor.user.anonymousId()
    const event: Message = {
      type: method as MessageType,
      messageId: messageId ?? id,
      timestamp: timestamp ?? new Date(at).toISOString(),
      anonymousId: visitor.user.anonymousId()!,
      userId: userId ?? visitor.user.id() ?? undefined,
      ...fields,
      context: {
        ...readContext(page),
        ...consent,
        ...others,
        ...context,
        page: { ...page, ...others.page, ...context?.page },
      },
      integrations: { ...enabled, ...integrations },
    }
    if (isDebug) console.log('analytics', event)
    const result = submit(key, event)
    tellServer?.(visitor.user.anonymousId(), visitor.user.id())
    emit(method, ...told, callOptions)
    return result
  }

  /** Runs a call; or holds it in memory, with its time and page, until load or consent. */
  const replay = (method: string, args: unknown[], at = mark(), noted = notePage(referrer)): any => {
    const parsed = readArgs(method, args)
    const begin = () =>
      attempt(
        () => run(method, parsed, at, makePage(noted)),
        (error) => Promise.reject(error),
      )
    const hold = (resolve: (result?: unknown) => void) =>
      isOff || isGranted === false ? resolve() : held.push(() => resolve(begin()))
    const result = isOpen() ? begin() : new Promise(hold)
    if (!isPromise(result)) return result
    // The call is safe already, so nobody who means to leave the page has to wait long, not for plugins
    // and not for consent.
    const limit = new Promise((resolve) => setTimeout(resolve, settings.timeout))
    return Promise.race([result, limit]).then((context: any) => {
      parsed[3]?.(context)
      return context
    })
  }

  /** Storage is not even looked at before this. */
  const prepare = () => {
    const base = apiBase(options, home)
    const stores = openStores(options, memory)
    visitor = makeVisitor(stores, options, isOpen)
    queue = openQueue(settings.writeKey, !options.disableClientPersistence)
    wake = makeDelivery(
      queue,
      base + '/b',
      settings.writeKey,
      isOpen,
      (key, text) => {
        submit(adoptKey(key), JSON.parse(text))
        queue.remove(key)
      },
      (id, status) => emit('error', { code: 'delivery_failure', id, status }),
    )
    if (options.serverCookie)
      tellServer = makeServerCookie(base + '/cookie', settings.writeKey, stores.domain)
  }

  /** Everything that had to wait for load and consent, in the order in which it was asked for. */
  const open = () => {
    if (isOpen()) {
      if (!wake) prepare()
      const waiting = held
      held = []
      visitor.open()
      waiting.forEach((begin) => begin())
      wake!()
    }
  }

  /** Refused or withdrawn: nothing stays in storage, and nothing that waited is ever made. */
  const forget = () => {
    held = []
    isGranted = true
    if (isOpen()) {
      if (!wake) prepare()
      visitor.forget()
      queue.list().forEach(queue.remove)
    }
    isGranted = false
  }

  const track = (...args: any[]) => api.track(...args)
  const trackLink = makeTracker(track, 'click')
  const trackForm = makeTracker(track, 'submit')

  const api = {
    VERSION,
    initialized: false,
    settings,
    user: () => visitor.user,
    pageview: (path) => api.page({ path }),

    load(writeKey, loadOptions) {
      if (isLoaded) return api
      options = loadOptions ?? {}
      for (const name in options.integrations) enabled[name] = !!options.integrations[name]
      settings.writeKey = writeKey
      const { disable } = options
      isOff = !!(typeof disable == 'function' ? disable({}) : disable) || isRefusedBySignal(options)
      isLoaded = api.initialized = true
      held.unshift(() => api.queryString(location.href))
      if (isGranted === false) forget()
      open()
      emit('initialize', settings, options)
      onLoaded()
      if (options.initialPageview) api.page()
      if (options.autoPage) {
        watchRoutes((left) => {
          referrer = left
          api.page()
        })
      }
      return api
    },

    consent(granted, categories) {
      consent = categories && { consent: { categoryPreferences: categories } }
      isGranted = granted
      if (!granted) forget()
      open()
      return api
    },

    queryString: (query) => runQueryString(query, options.useQueryString, api),
    trackLink,
    trackClick: trackLink,
    trackForm,
    trackSubmit: trackForm,

    ...emitter,
    ready: (callback) => loaded.then(pipeline.ready).then(callback),
    timeout(delay_ms) {
      settings.timeout = delay_ms
    },
    debug(isOn = true) {
      isDebug = isOn
    },
    ...pipeline.api,
  } as Partial<Analytics> as Analytics
  for (const method in handlers) {
    ;(api as any)[method] = (...args: unknown[]) =>
      method == 'group' && !args.length ? visitor.group : replay(method, args)
  }
  return [api, replay, handlers]
}
