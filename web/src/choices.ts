// What pickers offer, asked of Onym when a picker is first opened.
import { EventList, ValueList, call } from './api'
import type { Choice } from './picker'

const FRESH_MS = 30_000
const held = new Map<string, { at: number; choices: Promise<Choice[]> }>()
const hold = (key: string, make: () => Promise<Choice[]>) => {
  const old = held.get(key)
  if (old && Date.now() - old.at < FRESH_MS) return old.choices
  const choices = make()
  held.set(key, { at: Date.now(), choices })
  choices.catch(() => held.delete(key))
  return choices
}

const list = () => call<EventList>('POST', 'events', { limit: 500 })
const values = (field: string, limit: number) => call<ValueList>('POST', 'events', { field, limit })

/** Events by how often they came; pages by their paths, since most have no name. */
export const eventChoices = () =>
  hold('events', async () => {
    const [all, paths] = await Promise.all([list(), values('properties.path', 100).catch(() => ({ values: [] }))])
    const found: Choice[] = all.events
      .filter((one) => !/^(page|screen)=$/.test(one.event))
      .map((one) => ({ value: one.event, count: one.count, group: one.type }))
    for (const { value, count } of paths.values)
      if (typeof value == 'string' && value && !found.some((one) => one.value == 'page:' + value))
        found.push({ value: 'page:' + value, count, group: 'page' })
    found.sort((a, b) => (b.count ?? 0) - (a.count ?? 0))
    const any = (value: string, label: string) => ({ value, label: `${label} (${value})`, group: 'any' })
    return [...found, any('page:*', 'Any page'), any('screen:*', 'Any screen'), any('*', 'Anything')]
  })

export const fieldChoices = (numbersOnly = false) =>
  hold('fields' + numbersOnly, async () => {
    const all = await list()
    const found: Choice[] = all.properties
      .filter((one) => !numbersOnly || one.types.includes('number'))
      .map((one) => ({ value: one.field, count: one.count }))
    if (numbersOnly) return found
    const more = ['userId', 'groupId', 'name', 'type', 'library', 'source']
      .filter((field) => !found.some((one) => one.value == field))
      .map((value) => ({ value }))
    return [...found, ...all.traits.map((one) => ({ value: one.field, count: one.people, group: 'trait' })), ...more]
  })

export const valueChoices = (field: string) =>
  hold('values ' + field, async () => {
    if (!field) return []
    const all = await values(field, 200)
    return all.values.map(({ value, count }) => ({
      value: typeof value == 'string' ? value : JSON.stringify(value),
      count,
      group: typeof value == 'string' ? undefined : typeof value,
    }))
  })
