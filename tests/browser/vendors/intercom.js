// A stand-in for widget.intercom.io/widget/APP, after Intercom's documentation of its JavaScript API. With
// `intercomSecret` set identity verification is enforced: a user_id needs the user_hash that `intercomSecret` gives for it.
;(() => {
  const messenger = (window.messenger = { user: null, faults: [], events: [], companies: [], boots: 0, shutdowns: 0, updates: 0 })
  const fault = (...texts) => messenger.faults.push(texts.join(' '))
  let isBooted = false
  const check = ({ user_id, user_hash, created_at, company }) => {
    if (user_id && window.intercomSecret && user_hash != window.intercomSecret(user_id)) fault('not verified:', user_id)
    if (created_at != undefined && !(Number.isInteger(created_at) && created_at < 1e11)) fault('created_at', created_at)
    if (company && !company.company_id && !company.id) fault('company')
    if (company) messenger.companies.push(company)
  }
  const commands = {
    boot(settings) {
      if (!settings?.app_id) fault('boot without app_id')
      if (isBooted) fault('boot while booted')
      check(settings)
      isBooted = true
      messenger.boots++
      messenger.user = { ...settings }
    },
    update(settings = {}) {
      if (!isBooted) return fault('update before boot')
      if (settings.user_id && messenger.user.user_id && settings.user_id != messenger.user.user_id) fault('another user without shutdown')
      check({ ...messenger.user, ...settings })
      if (++messenger.updates > 20) fault('more than 20 updates in half an hour are dropped')
      Object.assign(messenger.user, settings)
    },
    shutdown() {
      isBooted = false
      messenger.shutdowns++
      messenger.user = null
    },
    trackEvent: (name, data) => messenger.events.push([name, data]),
  }
  const queue = window.Intercom?.q ?? []
  window.Intercom = (name, ...more) => (commands[name] ? commands[name](...more) : fault('method', name))
  queue.forEach((call) => window.Intercom(...call))
})()
