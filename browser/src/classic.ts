// What the snippets of ten years, and code written for older analytics.js, look for on the object at
// window.analytics, so that a snippet that runs again after the library has loaded (pasted twice, a tag
// manager, Turbo, htmx) finds it at home and leaves it alone, or at least cannot bend it.
import type { Replay } from './api'
import { readCall, type Stub, type StubCall } from './stub'
import type { Analytics } from './types'

/**
 * Gives `push`, which runs a call as a stub writes it: [method, ...arguments]. It runs the library's own
 * functions, never those that stand on the object: a stub that was put there calls `push` again.
 */
export const addClassic = (analytics: Analytics, replay: Replay, handlers: object, stub: Stub) => {
  const own: any = { ...analytics }
  const push = (call: StubCall): unknown => {
    const [method, ...args] = call
    return method in handlers && (method != 'group' || args.length)
      ? replay(...readCall(call))
      : own[method]?.(...args)
  }
  const initialize = async () => analytics
  const noConflict = () => analytics
  Object.assign(analytics, {
    push,
    noConflict,
    addIntegrationMiddleware: noConflict,
    initialize,
    init: initialize,
    use(factory: (analytics: Analytics) => void) {
      factory(analytics)
      return analytics
    },
    normalize: (message: object) => message,
    plugins: {},
    invoked: true,
  })
  // A snippet without a guard makes its stubs by the factory that it sets here a line before.
  Object.defineProperty(analytics, 'factory', { get: () => (method: string) => own[method], set() {} })
  // Functions kept from before the library had loaded still go to the array.
  stub.push = push as any
  return push
}
