// What plugins and callbacks are handed of a call: the message, and the tools that plugins written for
// analytics-next use on it. The tools are in the second file, with the plugins: what `bareContext` has of them does nothing.
import { nothing } from './sooner'
import type { Context, Message } from './types'

export const bareContext = (event: Message): Context => {
  const self: any = {
    id: event.messageId,
    event,
    failedDelivery: () => self.failed,
    ...(!PLUS && {
      log: nothing,
      logger: { log: nothing },
      stats: { increment: nothing, gauge: nothing },
    }),
  }
  return self
}

/** Gives the context its tools. */
export const equip = (self: Context): Context => {
  const logs: object[] = []
  const metrics: object[] = []
  const flush = () => {
    logs.length = metrics.length = 0
  }
  const log = (level: string, message: string, extras?: object) => {
    logs.push({ level, message, extras, time: new Date() })
  }
  const count =
    (type: string) =>
    (metric: string, value = 1, tags: string[] = []) => {
      metrics.push({ metric, value, tags, type, timestamp: Date.now() })
    }
  const tools: Partial<Context> = {
    attempts: 0,
    isSame: ({ id }) => id == self.id,
    log,
    logs: () => logs,
    flush,
    logger: { logs, log, flush },
    stats: { metrics, flush, increment: count('counter'), gauge: count('gauge') },
    updateEvent(path, value) {
      const keys = path.split('.')
      let target: any = self.event
      // What a site has switched off stays off.
      if (keys[0] != 'integrations' || target.integrations?.[keys[1]!] !== false) {
        const last = keys.pop()!
        for (const key of keys) target = target[key] ??= {}
        target[last] = value
      }
      return self.event
    },
    cancel(reason) {
      throw reason ?? { retry: true, type: 'plugin Error', reason: 'Context Cancel' }
    },
    setFailedDelivery(reason) {
      self.failed = reason
    },
    toJSON: () => ({ id: self.id, event: self.event, logs, metrics }),
  }
  return Object.assign(self, tools)
}

export const makeContext = (event: Message): Context => equip(bareContext(event))

/** A context that belongs to no call. */
export const systemContext = (): Context =>
  makeContext({ type: 'track', event: 'system', context: {}, integrations: {} } as unknown as Message)
