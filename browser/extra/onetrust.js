// OneTrust: OnetrustActiveGroups names the groups that are allowed, OptanonWrapper is called when they are known and when
// they change, IsAlertBoxClosed says whether the visitor has chosen.
import { tell, wanted } from './follow.js'

const categories = wanted('C0002')
const look = () => {
  const active = window.OnetrustActiveGroups || window.OptanonActiveGroups
  if (active == null || !window.OneTrust) return
  const found = {}
  for (const name of categories) found[name] = false
  for (const name of active.split(',')) if (name) found[name] = true
  tell(found, categories, OneTrust.IsAlertBoxClosed?.())
}
const theirs = window.OptanonWrapper
window.OptanonWrapper = function () {
  theirs?.apply(this, arguments)
  look()
}
addEventListener('OneTrustGroupsUpdated', look)
look()
