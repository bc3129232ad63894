// on, once, off, emit.
import { attempt } from './sooner'

type Listener = (...args: any[]) => void

export const makeEmitter = () => {
  let listeners: Array<[name: string, listener: Listener, isOnce?: boolean]> = []
  return {
    on(name: string, listener: Listener): any {
      listeners.push([name, listener])
      return this
    },
    once(name: string, listener: Listener): any {
      listeners.push([name, listener, true])
      return this
    },
    off(name: string, listener?: Listener): any {
      listeners = listeners.filter((entry) => entry[0] != name || (listener && entry[1] != listener))
      return this
    },
    emit(name: string, ...args: unknown[]): any {
      for (const entry of listeners.filter((entry) => entry[0] == name)) {
        if (entry[2]) listeners = listeners.filter((other) => other != entry)
        // A listener's fault is not the caller's.
        attempt<unknown>(() => entry[1](...args), console.error)
      }
      return this
    },
  }
}
