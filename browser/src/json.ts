// JSON for whatever a site passes in. What JSON cannot write (cycles, DOM nodes, getters and toJSON that throw,
// revoked proxies, too many levels) costs itself alone, not the call. Written here rather than by JSON.stringify,
// since old libraries (Prototype.js) put a toJSON on every array, text, number and boolean.

/** The server takes 64 levels in a message. */
const DEPTH_MAX = 60
/** A component or a window reaches everything in the page. */
const VALUES_MAX = 20_000

/** `onFault` is told the path of each value that is left out. */
export const toJson = (whole: unknown, onFault?: (path: string) => void): string => {
  const above: object[] = []
  let left = VALUES_MAX
  const write = (holder: any, key: string, path: string): string | undefined => {
    const length = above.length
    try {
      let value = holder[key]
      // One that all objects have is no object's own.
      if (
        value === Object(value) &&
        !Array.isArray(value) &&
        value.toJSON != ({} as any).toJSON &&
        typeof value.toJSON == 'function'
      )
        value = value.toJSON(key)
      if (typeof value == 'bigint') value = String(value)
      if (typeof value != 'object' || value === null) return JSON.stringify(value)
      if (left-- < 1 || length == DEPTH_MAX || above.includes(value) || value.nodeType > 0 || value === value.window)
        throw 0
      if (/t (String|Number|Boolean)]/.test({}.toString.call(value))) return JSON.stringify(value.valueOf())
      above.push(value)
      const isArray = Array.isArray(value)
      const parts: string[] = []
      for (const name of isArray ? value.keys() : Object.keys(value)) {
        const text = write(value, name as string, path + name + '.')
        if (isArray) parts.push(text ?? 'null')
        else if (text !== undefined) parts.push(JSON.stringify(name) + ':' + text)
      }
      return isArray ? '[' + parts + ']' : '{' + parts + '}'
    } catch {
      onFault?.(path.slice(0, -1))
      return undefined
    } finally {
      above.length = length
    }
  }
  return write([whole], '0', '') ?? 'null'
}
