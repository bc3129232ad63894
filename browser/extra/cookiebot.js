// Cookiebot: window.Cookiebot.consent has the categories, hasResponse says whether the visitor has chosen, events tell of
// changes.
import { tell, wanted } from './follow.js'

const categories = wanted('statistics')
const look = () => {
  const { consent, hasResponse } = window.Cookiebot || {}
  if (!consent) return
  const found = {}
  for (const name of ['necessary', 'preferences', 'statistics', 'marketing']) found[name] = !!consent[name]
  tell(found, categories, hasResponse)
}
for (const name of ['ConsentReady', 'Accept', 'Decline']) addEventListener('CookiebotOn' + name, look)
look()
