// Middleware and plugins: what may look at a call, change it or drop it, before it is kept for sending
// (source middleware, `before`, `enrichment`) and what else in the page hears of it (`destination`, `after`).
import { attempt, chain, sooner } from './sooner'
import type {
  Context,
  DestinationMiddleware,
  Json,
  Message,
  Payload,
  Plugin,
  SourceMiddleware,
} from './types'

type Step = (context: Context) => Context | null | PromiseLike<Context | null>

/** One station of the pipeline; a source middleware is a nameless one of type `before`. */
interface Station {
  type: Plugin['type']
  run: Step
  plugin?: Plugin
}

export const makeContext = (event: Message): Context => ({
  id: event.messageId,
  event,
  updateEvent(path, value) {
    const keys = path.split('.')
    const last = keys.pop()!
    let target: any = this.event
    for (const key of keys) target = target[key] ??= {}
    target[last] = value
    return this.event
  },
  cancel() {
    throw 0
  },
})

/** Middleware as a step: the call goes on with what was passed to `next`, and is dropped without it. */
const middlewareStep =
  (run: (step: any) => unknown, about: () => Json): Step =>
  (context) => {
    let passed: Payload | null = null
    const next = (payload: Payload | null) => {
      passed = payload
    }
    return sooner(run({ payload: { obj: context.event }, next, ...about() }), () => {
      if (passed) context.event = passed.obj
      return passed && context
    })
  }

/** `analytics` is what plugins are handed when they load. */
export const makePipeline = (analytics: () => unknown) => {
  let stations: Station[] = []
  const destinationMiddleware: Array<[name: string, run: DestinationMiddleware]> = []

  const ofType = (type: Plugin['type']) => stations.filter((station) => station.type == type)

  /** A plugin that fails costs the call only if it stands before everything; `cancel` always does. */
  const guard =
    (run: Step, isStrict: boolean): Step =>
    (context) =>
      attempt(
        () => run(context),
        (error) => {
          if (error) console.error(error)
          return isStrict || !error ? null : context
        },
      )
  const guarded = (type: Plugin['type']) => ofType(type).map(({ run }) => guard(run, type == 'before'))

  const api = {
    addSourceMiddleware(middleware: SourceMiddleware) {
      const integrations = () =>
        Object.fromEntries(ofType('destination').map(({ plugin }) => [plugin!.name, true]))
      stations.push({
        type: 'before',
        run: middlewareStep(middleware, () => ({ integrations: integrations() })),
      })
    },
    addDestinationMiddleware(name: string, ...middleware: DestinationMiddleware[]) {
      middleware.forEach((run) => destinationMiddleware.push([name, run]))
    },
    register: (...plugins: Plugin[]): Promise<unknown> =>
      Promise.all(
        plugins.map((plugin) => {
          let loading: unknown
          const station: Station = {
            type: plugin.type,
            plugin,
            run: (context) =>
              sooner(loading, () =>
                sooner(plugin[context.event.type]?.(context), (result) => result || context),
              ),
          }
          stations.push(station)
          const drop = (error: unknown) => {
            stations = stations.filter((other) => other != station)
            console.error(error)
          }
          // Calls wait for a plugin that loads asynchronously, and no longer than that.
          const load = () => sooner(plugin.load?.(undefined, analytics()), () => (loading = 0))
          return (loading = attempt<unknown>(load, drop))
        }),
      ),
    deregister(...names: string[]) {
      stations = stations.filter(({ plugin }) => {
        const goes = plugin && names.includes(plugin.name)
        if (goes) plugin.unload?.()
        return !goes
      })
    },
  }

  return {
    api,
    ready: () => Promise.all(stations.map(({ plugin }) => plugin?.ready?.())),
    /** Everything that stands before storage; null when the call is dropped. */
    before: (context: Context) => chain(context, [...guarded('before'), ...guarded('enrichment')]),
    /** Everything that hears of the call once it is safe. Each destination gets a copy of its own. */
    after({ event }: Context) {
      for (const { plugin, run } of ofType('destination')) {
        const { name } = plugin!
        const middleware = destinationMiddleware
          .filter(([target]) => target == '*' || target.toLowerCase() == name.toLowerCase())
          .map(([, run]) => middlewareStep(run, () => ({ integration: name })))
        if (event.integrations[name] ?? event.integrations.All ?? true) {
          void chain(
            makeContext(JSON.parse(JSON.stringify(event))),
            [...middleware, run].map((step) => guard(step, true)),
          )
        }
      }
      void chain(makeContext(event), guarded('after'))
    },
  }
}
