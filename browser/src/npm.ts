// The npm form: the same library, without a stub.
//
//   import { AnalyticsBrowser } from '@onym/browser'
//   const analytics = AnalyticsBrowser.load({ writeKey: 'wk_website' }, { apiHost: 'https://t.example.com' })
import { makeAnalytics } from './api'
import type { Analytics, LoadOptions } from './types.js'

export type {
  Analytics,
  CallOptions,
  Context,
  DestinationMiddleware,
  Entity,
  LoadOptions,
  Message,
  Payload,
  Plugin,
  SourceMiddleware,
  User,
} from './types.js'

/** Calls made before `load` wait in memory, in order. */
export const createAnalytics = (): Analytics => makeAnalytics()[0]

/** The shape of analytics-next's entry: `load` answers an object that has every call and can be awaited. */
export type AnalyticsBrowser = Analytics & {
  instance: Analytics
  then<R>(onLoaded: (loaded: [Analytics]) => R | PromiseLike<R>): Promise<R>
}

export const AnalyticsBrowser = {
  load(settings: { writeKey: string }, options?: LoadOptions): AnalyticsBrowser {
    const instance = createAnalytics()
    instance.load(settings.writeKey, options)
    return {
      ...instance,
      instance,
      then: (onLoaded) => Promise.resolve([instance] as [Analytics]).then(onLoaded),
    }
  },
}
