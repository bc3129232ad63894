// Sync when it can be, async when it must be: a call has to be in storage before it returns, so a chain
// of plugins that answer at once must not cost a turn of the event loop.

type Soon<T> = T | PromiseLike<T>

export const isFunction = (value: unknown): value is (...args: any[]) => any => typeof value == 'function'

export const isPromise = (value: any): value is PromiseLike<any> => typeof value?.then == 'function'

export const sooner = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  isPromise(value) ? value.then(next) : next(value)

export const nothing = () => {}

/** Whether it throws now or rejects later, `failed` says what becomes of it: nothing, unless told. */
export const attempt = <T>(run: () => Soon<T>, failed: (error: unknown) => T = nothing as () => T): Soon<T> => {
  try {
    const result = run()
    return isPromise(result) ? result.then(null, failed) : result
  } catch (error) {
    return failed(error)
  }
}

export const delay = <T>(delay_ms: number, value?: T): Promise<T> =>
  new Promise((resolve) => setTimeout(resolve, delay_ms, value))

/** The value, or `late` where it has not come within the limit. */
export const within = <T, L>(value: Soon<T>, limit_ms: number, late?: L): Soon<T | L> =>
  isPromise(value) ? Promise.race([value, delay(limit_ms, late as L)]) : value

/** Runs the steps one after the other on `value`; stops early when one answers null. */
export const chain = <T>(
  value: T | null,
  steps: Array<(value: T) => Soon<T | null>>,
  index = 0,
): Soon<T | null> =>
  value && index < steps.length
    ? sooner(steps[index]!(value), (next) => chain(next, steps, index + 1))
    : value
