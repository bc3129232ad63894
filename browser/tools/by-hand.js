// A tool as a file that a site puts behind the snippet by hand, with what it needs in data-… attributes: a destination
// plugin. (Named in the source's device_mode it comes by itself, and needs none of this.)
import { isAllowed, isWanted, nameOf } from './switches.js'

/** data-app-id as app_id; those of `lists` by commas or blanks. */
export const add = (kind, lists = []) => {
  const settings = {}
  const { dataset, src } = document.currentScript
  for (const name in dataset) {
    const key = name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase())
    settings[key] = [...lists, 'consent'].includes(key) ? dataset[name].split(/[\s,]+/).filter(Boolean) : dataset[name]
  }
  let tool
  // With the first call: nothing comes before consent.
  const soon = (use) => {
    tool = (tool ?? import(src.replace(/[^/]*$/, kind.replace('_', '-') + '.tool.js')).then((file) => file.default(settings))).then((found) => {
      try {
        use(found)
      } catch (error) {
        console.error(error)
      }
      return found
    })
    tool.catch((error) => console.error('Onym: ' + kind, error))
  }
  const call = (context) => {
    const { event } = context
    if (isWanted(kind, event.integrations) && isAllowed(settings.consent, event.context.consent?.categoryPreferences))
      soon((tool) => tool.call(event))
    return context
  }
  const methods = Object.fromEntries(['identify', 'track', 'page', 'screen', 'group', 'alias'].map((name) => [name, call]))
  analytics.register({ name: nameOf(kind), type: 'destination', version: '1', isLoaded: () => true, load: () => Promise.resolve(), ...methods })
  const later = (method, ...args) => tool && soon((tool) => tool[method]?.(...args))
  analytics.on('reset', () => later('reset', analytics.user().anonymousId()))
  // Around what the library has put there by then; consent tools look it up at each call.
  analytics.ready(() => {
    const { consent } = analytics
    analytics.consent = (isGranted, ...more) => {
      later('consent', isGranted && (!more[0] || isAllowed(settings.consent, more[0])), ...more)
      return consent(isGranted, ...more)
    }
  })
}
