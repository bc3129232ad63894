// What the consent presets share: the site's wish (which categories), and a decision told to the library when it changes.
// Calls wait from here on, as with the load option consent: false, until the visitor's choice is known.

const { dataset } = document.currentScript

/** What the element's data-categories names, by commas or blanks. */
export const wanted = (otherwise) => (dataset.categories || otherwise).split(/[\s,]+/)

if (window.analytics && !analytics.initialized) analytics._loadOptions = { ...analytics._loadOptions, consent: false }

let last
/** `found`: category -> is it allowed. Without the wanted ones it is a refusal only where `isDecided`, else not known yet. */
export const tell = (found, categories, isDecided) => {
  const isGranted = categories.every((name) => found[name])
  const text = JSON.stringify([isGranted, found])
  if (text == last || (!isGranted && !isDecided && !last)) return
  last = text
  analytics.consent(isGranted, found)
}
