// The payload of middleware: the message at `obj`, and the reading functions that middleware written for
// analytics.js calls on it.
import type { Json, Message, Payload } from './types'

const FIELDS = 'type event properties userId anonymousId groupId context integrations'

export const makeFacade = (obj: Message): Payload => {
  const json = (path?: string) =>
    path ? path.split('.').reduce((at, key) => at?.[key], payload.obj) : payload.obj
  const payload: Json = {
    obj,
    json,
    field: json,
    proxy: json,
    traits: () => ({ ...(json('traits') ?? json('context.traits')) }),
  }
  for (const name of FIELDS.split(' ')) payload[name] = () => json(name)
  return payload as Payload
}
