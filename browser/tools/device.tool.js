// The tools that a source's device_mode names: each is fetched with the first call that it may have, and is given its calls
// in their order. One that fails, or never comes, costs itself alone.
import { isAllowed, isWanted, nameOf, optionOf } from './switches.js'

/** Calls that one tool may have waiting. */
const MOST = 1000

/** `settings` as the server tells them; `given` are the load option `integrations`. */
export const begin = (settings, given = {}) => {
  const items = Object.keys(settings).map((kind) => ({ kind, settings: settings[kind], waiting: 0, turn: 0 }))
  const soon = (item, use) => {
    if (item.waiting >= MOST || item.isGone) return
    item.waiting++
    const { kind, turn } = item
    item.tool ??= import(`./${kind.replace('_', '-')}.tool.js`).then((file) => file.default(item.settings, optionOf(kind, given), () => (item.isGone = true)))
    item.tool = item.tool.then((tool) => {
      item.waiting--
      try {
        // What waited as consent was withdrawn is never done.
        if (turn == item.turn) use(tool)
      } catch (error) {
        console.error('Onym: ' + kind, error)
      }
      return tool
    })
    item.tool.catch((error) => {
      if (!item.isGone) console.error('Onym: ' + kind, error)
      item.isGone = true
    })
  }
  return {
    /** `text` is the message as it was sent; `through` leads it through the destination middleware of that name. */
    call(text, through) {
      for (const item of items) {
        const event = JSON.parse(text)
        const preferences = event.context.consent?.categoryPreferences
        if (!isWanted(item.kind, event.integrations)) continue
        if (!isAllowed(item.settings.consent, preferences)) {
          if (!preferences && !item.isTold) console.warn(`Onym: ${item.kind} waits for analytics.consent(true, …) to name ` + item.settings.consent)
          item.isTold = true
          continue
        }
        const give = (context) => {
          soon(item, (tool) => tool.call(context.event))
          return context
        }
        if (through) through(nameOf(item.kind), event, give)
        else give({ event })
      }
    },
    reset(anonymousId) {
      for (const item of items) if (item.tool) soon(item, (tool) => tool.reset?.(anonymousId))
    },
    consent(isGranted, categories) {
      for (const item of items) {
        const isOn = isGranted && (!categories || isAllowed(item.settings.consent, categories))
        if (!isOn) item.turn++
        if (item.tool) soon(item, (tool) => tool.consent?.(isOn, categories))
      }
    },
  }
}
