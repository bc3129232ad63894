// Google Consent Mode v2: gtag('consent', 'default' or 'update', {analytics_storage: 'granted' or 'denied', …}) in the data
// layer. A default of denied is not the visitor's word yet, and a default for some regions is not known to be this one's.
import { tell, wanted } from './follow.js'

const categories = wanted('analytics_storage')
const found = {}
const layer = (window.dataLayer ||= [])
const read = (entry) => {
  const [word, kind, values] = entry?.[0] == 'consent' ? entry : []
  if (!word || !values || (kind == 'default' ? values.region : kind != 'update')) return
  for (const name in values)
    if (/^(granted|denied)$/.test(values[name])) found[name] = values[name] == 'granted'
  tell(found, categories, kind == 'update')
}
const { push } = layer
layer.push = function (...entries) {
  const result = push.apply(layer, entries)
  entries.forEach(read)
  return result
}
;[...layer].forEach(read)
