// Intercom's Messenger: started with the first call that consent lets through, told who the user is by identify, shut down
// at reset, when consent is withdrawn, and before somebody else's. The signature (user_hash, or intercom_user_jwt) is made
// by the site's own server and comes with the page; the secret is never here.
import { addScript } from './vendor.tool.js'

const SIGNED = ['user_hash', 'intercom_user_jwt']

export default ({ app_id, api_base, events, identity_verification }, given, gone) => {
  // How the Messenger looks is for everybody; the rest of what the page was given is of one user.
  const { user_hash, intercom_user_jwt, user_id, email, ...look } = Object(given)
  let isBooted
  let user
  let url
  let moves = 0
  let signed = {}
  const messenger = (...args) => {
    if (!window.Intercom) {
      const queue = (window.Intercom = (...call) => queue.c(call))
      queue.q = []
      queue.c = (call) => queue.q.push(call)
      addScript('https://widget.intercom.io/widget/' + app_id, gone)
    }
    window.Intercom(...args)
  }
  const shut = () => {
    if (isBooted) messenger('shutdown')
    isBooted = user = undefined
    signed = {}
  }
  /** What the page was given is of who was there when it was made. */
  const leave = () => {
    shut()
    given = undefined
  }
  const tell = (settings) => {
    if (isBooted) return messenger('update', settings)
    messenger('boot', { ...look, app_id, ...(api_base && { api_base }), ...settings })
    isBooted = true
  }
  return {
    call({ type, userId, groupId, traits = {}, properties, event, context, integrations }) {
      if (user && userId && user != userId) leave()
      const settings = {}
      for (const from of [given, context.Intercom, context.integrations?.Intercom, integrations?.Intercom])
        for (const name of SIGNED) if (from?.[name]) signed[name] = from[name]
      // Unsigned it would be refused, and a visitor who is known would begin a conversation as a stranger.
      if (userId && identity_verification && !Object.keys(signed).length) return
      if (userId && (user != userId || type == 'identify')) Object.assign(settings, { user_id: userId }, signed)
      if (userId) user = userId
      if (type == 'identify') {
        for (const name of ['email', 'name', 'phone']) if (traits[name]) settings[name] = traits[name]
        const created_at = Math.floor(new Date(traits.createdAt ?? NaN) / 1000)
        if (created_at) settings.created_at = created_at
      }
      if (type == 'group' && groupId) settings.company = { company_id: groupId, ...(traits.name && { name: traits.name }) }
      // Intercom drops what is over 20 updates in half an hour: routes may not use up those of users.
      const isMoved = type == 'page' && url && url != properties.url && ++moves < 10
      if (type == 'page') url = properties.url
      if (!isBooted || isMoved || Object.keys(settings).length) tell(settings)
      if (events && type == 'track') messenger('trackEvent', event, properties)
    },
    reset: leave,
    consent: (isGranted) => isGranted || shut(),
  }
}
