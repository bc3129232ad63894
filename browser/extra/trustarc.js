// TrustArc: truste.cma tells the levels that are allowed (1 required, 2 functional, 3 advertising), or its cookies do where
// its script has not loaded yet; the preference manager posts a message when the visitor has chosen.
import { tell, wanted } from './follow.js'

const categories = wanted('2')
const read = () => {
  try {
    const { consentDecision, source } = truste.cma.callApi('getGDPRConsentDecision', location.hostname)
    return [consentDecision, source == 'asserted']
  } catch {
    // Other cookies may hold what cannot be decoded.
    const [, levels] = /(?:^|; )notice_gdpr_prefs=((?:\d|,|%2C)+)/i.exec(document.cookie) || []
    // The cookie counts from 0.
    return levels && [levels.split(/,|%2C/i).map((level) => +level + 1), true]
  }
}
const look = () => {
  const [levels, isDecided] = read() || []
  if (!levels) return
  const found = {}
  for (const name of ['1', '2', '3', ...categories]) found[name] = [].concat(levels).some((level) => level == name)
  tell(found, categories, isDecided)
}
addEventListener('message', ({ data }) => {
  try {
    const { source, message } = typeof data == 'string' ? JSON.parse(data) : data
    // Its own listener writes the choice down first.
    if (source == 'preference_manager' && message == 'submit_preferences') setTimeout(look, 50)
  } catch {}
})
addEventListener('load', look)
look()
