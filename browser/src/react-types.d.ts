// The little of React that react.ts uses, so that building the library needs no React.
declare module 'react' {
  interface Context<T> {
    Provider: unknown
    value?: T
  }
  export function createContext<T>(value: T): Context<T>
  export function createElement(type: unknown, props: object, ...children: unknown[]): any
  export function useContext<T>(context: Context<T>): T
  export function useEffect(effect: () => void, on?: unknown[]): void
  export function useState<T>(make: () => T): [T, unknown]
}
