// A message as the call that would make it: what an engineer compares with what stands in the site's code.
import type { Message } from './api'

const js = (value: unknown, indent = 0): string => {
  const text = JSON.stringify(value, null, 2) ?? 'undefined'
  return text.replace(/"([A-Za-z_$][\w$]*)":/g, '$1:').replaceAll('\n', '\n' + ' '.repeat(indent))
}
const has = (value: unknown) => !!value && typeof value == 'object' && Object.keys(value).length > 0

export const callCode = (message: Message): string => {
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
