// Where a call may go: what it says of integrations, by any name that a tool goes under, and which categories the visitor
// has allowed.
const NAMES = {
  google_tag: ['Google Tag', 'Google Analytics 4 Web', 'Google Analytics 4', 'gtag'],
  intercom: ['Intercom'],
  meta_pixel: ['Facebook Pixel', 'Meta Pixel'],
  posthog: ['PostHog'],
}
const bare = (name) => name.toLowerCase().replace(/[^a-z\d]/g, '')

/** The name of its plugin; middleware goes by it. */
export const nameOf = (kind) => NAMES[kind][0]

const isOf = (kind) => {
  const own = [kind, ...NAMES[kind]].map(bare)
  return (name) => own.includes(bare(name))
}

/** What the load options say of it beyond yes and no. */
export const optionOf = (kind, integrations) => integrations[Object.keys(integrations).find(isOf(kind))]

/** Turned off under one of its names it is off; named it is on; else All decides. */
export const isWanted = (kind, integrations = {}) => {
  const said = Object.keys(integrations).filter(isOf(kind))
  return said.length ? said.every((name) => integrations[name] !== false) : integrations.All !== false
}

export const isAllowed = (categories, preferences) => !categories || categories.every((name) => preferences?.[name] === true)
