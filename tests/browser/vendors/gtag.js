// A stand-in for googletagmanager.com/gtag/js, as strict as Google's documentation of Analytics 4 and Ads: what it would
// leave out or refuse without a word is in `google.faults`, what it would have counted in `google.hits`.
;(() => {
  const google = (window.google = { hits: [], faults: [], users: {}, properties: {}, consent: {} })
  const configured = {}
  const orders = new Set()
  const fault = (...texts) => google.faults.push(texts.join(' '))
  const RESERVED = 'ad_impression app_remove app_store_refund app_store_subscription_cancel app_store_subscription_renew click error file_download first_open first_visit form_start form_submit in_app_purchase scroll session_start user_engagement view_complete video_progress video_start view_search_results query_id'.split(' ')
  const RESERVED_PARAMS = 'engagement_time_msec gclid session_id session_number'.split(' ')
  const RESERVED_USER = 'first_open_time first_visit_time last_deep_link_referrer user_id first_open_after_install session_id session_number'.split(' ')
  const PREFIX = /^(_|firebase_|ga_|google_|gtag\.)/
  const LONG = { page_location: 1000, page_referrer: 420, page_title: 300 }
  const STORAGE = /^(ad_storage|analytics_storage|ad_user_data|ad_personalization|functionality_storage|personalization_storage|security_storage)$/
  const length = (text) => [...String(text)].length
  const checkName = (what, name, most, reserved) => {
    if (!/^\p{L}[\p{L}\p{N}_]*$/u.test(name) || length(name) > most) fault(what, 'name', name)
    if (PREFIX.test(name) || reserved.includes(name)) fault(what, 'name is reserved:', name)
  }
  const checkParams = (event, params) => {
    const names = Object.keys(params).filter((name) => name != 'send_to')
    if (names.length > 25) fault(event, 'has', names.length, 'parameters')
    for (const name of names) {
      const value = params[name]
      checkName('parameter', name, 40, RESERVED_PARAMS)
      if (name == 'items') {
        if (!Array.isArray(value) || value.length > 200) fault(event, 'items')
        for (const item of value) {
          if (!item.item_id && !item.item_name) fault(event, 'item without id and name')
          for (const key in item)
            if (!/^(string|number)$/.test(typeof item[key])) fault(event, 'item.' + key, typeof item[key])
        }
      } else if (!/^(string|number|boolean)$/.test(typeof value)) fault(event, name, 'is', typeof value)
      else if (length(value) > (LONG[name] ?? 100)) fault(event, name, 'is too long')
    }
    if ('value' in params && (typeof params.value != 'number' || !/^[A-Z]{3}$/.test(params.currency))) fault(event, 'value without number or currency')
    if (event == 'purchase' && !params.transaction_id) fault('purchase without transaction_id')
  }
  const hit = (id, name, params) => {
    if (window['ga-disable-' + id] || google.consent.analytics_storage == 'denied') return
    const order = name == 'purchase' || name == 'conversion' ? [id, name, params.send_to, params.transaction_id].join() : ''
    if (order && orders.has(order)) return
    orders.add(order)
    google.hits.push({ id, name, params, user: google.users[id] ?? null })
  }
  const commands = {
    js(date) {
      if (!(date instanceof Date)) fault('js without a date')
    },
    config(id, params = {}) {
      if (!/^(G|AW|GT|DC)-\w+$/.test(id)) fault('config of', id)
      configured[id] = true
      if (params.user_id && (/@/.test(params.user_id) || length(params.user_id) > 256)) fault('user_id', params.user_id)
      if ('user_id' in params) google.users[id] = params.user_id
      if (params.send_page_view !== false) hit(id, 'page_view', { automatic: true })
    },
    set(what, values) {
      if (what != 'user_properties') return
      if (Object.keys(values).length > 25) fault('user properties')
      for (const name in values) {
        checkName('user property', name, 24, RESERVED_USER)
        if (length(values[name]) > 36) fault('user property', name, 'is too long')
      }
      Object.assign(google.properties, values)
    },
    consent(kind, values) {
      if (kind == 'default' && Object.keys(configured).length) fault('consent default after config')
      for (const type in values) if (!STORAGE.test(type) || !/^(granted|denied)$/.test(values[type])) fault('consent', type, values[type])
      Object.assign(google.consent, values)
    },
    event(name, params = {}) {
      if (name == 'conversion') {
        if (!/^AW-\w+\/\w+$/.test(params.send_to)) fault('conversion to', params.send_to)
        if (!params.transaction_id || length(params.transaction_id) > 64) fault('conversion transaction_id')
        return hit(params.send_to.split('/')[0], name, params)
      }
      if (name != 'page_view') checkName('event', name, 40, RESERVED)
      checkParams(name, params)
      for (const id of [].concat(params.send_to ?? Object.keys(configured)))
        if (configured[id]) hit(id, name, params)
        else fault(name, 'to', id, 'which is not configured')
    },
  }
  const read = (entry) => {
    if (Object.prototype.toString.call(entry) != '[object Arguments]') return
    if (!commands[entry[0]]) return fault('command', entry[0])
    commands[entry[0]](...[...entry].slice(1))
  }
  const layer = (window.dataLayer ||= [])
  const { push } = layer
  layer.forEach(read)
  layer.push = (...entries) => {
    const result = push.apply(layer, entries)
    entries.forEach(read)
    return result
  }
})()
