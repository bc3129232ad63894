// Middleware and plugins: what may look at a call, change it or drop it, before it is kept for sending
// (source middleware, `before`, `enrichment`) and what else in the page hears of it (`destination`, `after`).
import { equip, makeContext, systemContext } from './call-context'
import { makeFacade } from './facade'
import { toJson } from './json'
import { attempt, chain, sooner, within } from './sooner'
import type {
  Analytics,
  Context,
  DestinationMiddleware,
  Json,
  Message,
  Plugin,
  SourceMiddleware,
} from './types'

/** A plugin that has not answered by then is done without. */
const LIMIT_MS = 1500

type Step = (context: Context) => Context | null | PromiseLike<Context | null>

/** One station of the pipeline; a source middleware is a nameless one of type `before`. */
interface Station {
  type: Plugin['type']
  run: Step
  plugin?: Plugin
}

/** Middleware as a step: the call goes on with what was passed to `next`, and is dropped without it, or by null. */
const middlewareStep =
  (run: (step: any) => unknown, about: () => Json): Step =>
  (context) => {
    let passed: Context | null = null
    const next = (payload?: { obj: Message } | null) => {
      if (payload?.obj) context.event = payload.obj
      passed = payload === null ? payload : context
    }
    return sooner(run({ payload: makeFacade(context.event), next, ...about() }), () => passed)
  }

/** `analytics` is what plugins are handed when they load; `onFailed` hears of one that could not. */
export const makePipeline = (analytics: () => Pick<Analytics, 'queue'>, onFailed?: (plugin: Plugin) => void) => {
  let stations: Station[] = []
  const destinationMiddleware: Array<[name: string, run: DestinationMiddleware]> = []

  const ofType = (type: Plugin['type']) => stations.filter((station) => station.type == type)

  /**
   * A plugin that fails costs the call only if it stands before everything; one that cancels it always does. One that takes
   * the message or its switches away has not meant to: it answers null for that.
   */
  const guard =
    (run: Step, isStrict: boolean): Step =>
    (context) => {
      const { event } = context
      const { integrations } = event
      const mend = (passed: Context | null) => {
        if (!passed) return passed
        if (!passed.event?.integrations) {
          const changed = passed.event as Message | string | undefined
          passed.event = { ...((typeof changed == 'object' && changed) || event), integrations }
        }
        // Without it each repetition would be another call.
        passed.event.messageId ||= context.id
        return passed
      }
      const failed = (error: unknown) => {
        // Any copy's: plugins bring their own.
        const isCanceled = typeof (error as any)?.retry == 'boolean'
        if (!isCanceled) console.error(error)
        return isStrict || isCanceled ? null : context
      }
      return sooner(
        attempt(() => within(run(context), LIMIT_MS, context), failed),
        mend,
      )
    }
  const guarded = (type: Plugin['type']) => ofType(type).map(({ run }) => guard(run, type == 'before'))

  const api = {
    async addSourceMiddleware(middleware: SourceMiddleware): Promise<any> {
      if (typeof middleware != 'function') throw new TypeError('not a function: ' + middleware)
      const integrations = () =>
        Object.fromEntries(['Segment.io', ...ofType('destination').map(({ plugin }) => plugin!.name)].map((name) => [name, true]))
      stations.push({
        type: 'before',
        run: middlewareStep(middleware, () => ({ integrations: integrations() })),
      })
      return analytics()
    },
    async addDestinationMiddleware(name: string, ...middleware: DestinationMiddleware[]): Promise<any> {
      middleware.forEach((run) => destinationMiddleware.push([name, run]))
      return analytics()
    },
    register: async (...plugins: Plugin[]): Promise<Context> =>
      Promise.all(
        plugins.map((plugin) => {
          let loading: unknown
          let isLate = false
          const station: Station = {
            type: plugin.type,
            plugin,
            run: (context) =>
              isLate ? context : sooner(loading, () =>
                sooner(plugin[context.event.type]?.(context), (result) => (result?.event ? result : context)),
              ),
          }
          stations.push(station)
          const drop = (error: unknown) => {
            stations = stations.filter((other) => other != station)
            console.error(error)
            onFailed?.(plugin)
          }
          // Calls wait for a plugin that loads asynchronously, and no longer than that.
          const load = () => sooner(plugin.load?.(systemContext(), analytics()), () => (loading = isLate = false))
          loading = attempt<unknown>(load, drop)
          setTimeout(() => (isLate = !!loading), LIMIT_MS)
          return within(loading, LIMIT_MS, undefined)
        }),
      ).then(systemContext),
    async deregister(...names: string[]) {
      stations = stations.filter(({ plugin }) => {
        const goes = plugin && names.includes(plugin.name)
        if (goes) attempt<unknown>(() => plugin.unload?.(systemContext(), analytics()), console.error)
        return !goes
      })
      return systemContext()
    },
  }

  /** Through the middleware that stands before the destination of that name. */
  const toDestination = (name: string, event: Message, run: Step) => {
    const middleware = destinationMiddleware
      .filter(([target]) => target == '*' || target.toLowerCase() == name.toLowerCase())
      .map(([, run]) => middlewareStep(run, () => ({ integration: name })))
    void chain(
      makeContext(event),
      [...middleware, run].map((step) => guard(step, true)),
    )
  }

  Object.defineProperty(analytics().queue, 'plugins', { get: () => stations.flatMap(({ plugin }) => plugin ?? []) })
  return {
    api,
    toDestination,
    ready: () =>
      Promise.all(stations.map(({ plugin }) => attempt(() => within(plugin?.ready?.(), LIMIT_MS, undefined), console.error))),
    /** Everything that stands before storage; null when the call is dropped. */
    before: (context: Context) => chain('toJSON' in context ? context : equip(context), [...guarded('before'), ...guarded('enrichment')]),
    /** Everything that hears of the call once it is safe. Each destination gets a copy of its own. */
    after({ event }: Context) {
      for (const { plugin, run } of ofType('destination')) {
        const { name } = plugin!
        if (event.integrations[name] ?? event.integrations.All ?? true) toDestination(name, JSON.parse(toJson(event)), run)
      }
      void chain(makeContext(event), guarded('after'))
    },
  }
}
