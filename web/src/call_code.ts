// A message as the call that would make it: what an engineer compares with what stands in the site's code, or runs.
import type { Message } from './api'
import { shellWord } from './question'

export type Language = 'browser' | 'node' | 'python' | 'curl'
export const CALLS: [Language, string][] = [
  ['browser', 'Browser'],
  ['node', 'Node'],
  ['python', 'Python'],
  ['curl', 'curl'],
]

const js = (value: unknown): string =>
  (JSON.stringify(value, null, 2) ?? 'undefined').replace(/"([A-Za-z_$][\w$]*)":/g, '$1:')
const has = (value: unknown) => !!value && typeof value == 'object' && Object.keys(value).length > 0

/** JSON as Python writes it: only words differ, and texts are left alone. */
const python = (value: unknown): string =>
  (JSON.stringify(value, null, 4) ?? 'None').replace(
    /"(?:[^"\\]|\\.)*"|\b(true|false|null)\b/g,
    (all, word) => ({ true: 'True', false: 'False', null: 'None' })[word as string] ?? all,
  )

const browserCode = (message: Message): string => {
  const { type, properties, traits } = message
  const list: string[] = []
  if (type == 'track') list.push(js(message.event ?? ''), ...(has(properties) ? [js(properties)] : []))
  else if (type == 'page' || type == 'screen') {
    if (message.category) list.push(js(message.category))
    if (message.name || has(properties)) list.push(js(message.name ?? ''))
    if (has(properties)) list.push(js(properties))
  } else if (type == 'identify') {
    if (message.userId) list.push(js(message.userId))
    if (has(traits)) list.push(js(traits))
  } else if (type == 'group') list.push(js(message.groupId ?? ''), ...(has(traits) ? [js(traits)] : []))
  else if (type == 'alias') list.push(js(message.userId ?? ''), ...(message.previousId ? [js(message.previousId)] : []))
  else return js(message)
  return `analytics.${type}(${list.join(', ')})`
}

const PARTS = ['userId', 'anonymousId', 'previousId', 'groupId', 'event', 'category', 'name', 'properties', 'traits']
const NAMES: Record<string, string> = {
  userId: 'user_id',
  anonymousId: 'anonymous_id',
  previousId: 'previous_id',
  groupId: 'group_id',
}
const parts = (message: Message): [string, unknown][] =>
  PARTS.filter((name) => message[name] != null && (typeof message[name] != 'object' || has(message[name]))).map(
    (name) => [name, message[name]],
  )

/** What Onym and the libraries fill in themselves is left out: sent again as it is, it would be taken for the same. */
const again = (message: Message): Record<string, unknown> => {
  const { messageId, receivedAt, sentAt, originalTimestamp, projectId, ...rest } = message
  return rest
}

/** `host` and `key` where the call names them. */
export const callCode = (message: Message, language: Language = 'browser', host = '', key = 'WRITE_KEY'): string => {
  const { type } = message
  const isCall = /^(track|page|screen|identify|group|alias)$/.test(String(type))
  if (language == 'curl') {
    const body = isCall ? again(message) : { batch: [again(message)] }
    const url = shellWord(`${host}/v1/${isCall ? type : 'batch'}`)
    return `curl ${url} -u ${shellWord(key + ':')} -H 'Content-Type: application/json' \\\n     -d ${shellWord(JSON.stringify(body))}`
  }
  if (!isCall) return js(message)
  if (language == 'node') return `analytics.${type}(${js(Object.fromEntries(parts(message)))})`
  if (language == 'python')
    return `analytics.${type}(${parts(message)
      .map(([name, value]) => `${NAMES[name] ?? name}=${python(value)}`)
      .join(', ')})`
  return browserCode(message)
}
