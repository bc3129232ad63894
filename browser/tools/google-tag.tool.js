// The Google tag (gtag.js), for Analytics 4 and Ads. It sends no page view of its own (send_page_view: false), and nothing
// to an id that the page has configured by itself. An order counts once, by its transaction_id.
import { clean, cut, eventOf, itemOf } from './google-names.tool.js'
import { readShop } from './shop.tool.js'
import { addScript, has } from './vendor.tool.js'

export default ({ ids, user_properties = [], conversions = {}, consent_mode }, given, gone) => {
  const layer = (window.dataLayer ||= [])
  function gtag() {
    layer.push(arguments)
  }
  let own
  let known
  let told
  const say = (isGranted, categories = {}) => {
    const now = {}
    for (const type in consent_mode) now[type] = isGranted && categories[consent_mode[type]] ? 'granted' : 'denied'
    if (told != JSON.stringify(now)) gtag('consent', told || !isGranted ? 'update' : 'default', now)
    told = JSON.stringify(now)
  }
  const start = () => {
    own = ids.filter((id) => !layer.some((entry) => entry[0] == 'config' && entry[1] == id))
    if (own.length < ids.length) console.warn('Onym: the page itself configures one of the Google tags', ids)
    if (own[0] && !document.querySelector('script[src*="/gtag/js"]')) addScript('https://www.googletagmanager.com/gtag/js?id=' + own[0], gone)
    if (own[0]) gtag('js', new Date())
  }
  return {
    call({ type, userId, event, properties = {}, traits = {}, messageId, context }) {
      if (consent_mode) say(true, context.consent?.categoryPreferences)
      if (!own) start()
      // Google's terms allow no address as a user id.
      const user = userId && !userId.includes('@') ? cut(userId, 256) : null
      if (user !== known) for (const id of own) gtag('config', id, { send_page_view: false, user_id: user })
      known = user
      const send = (name, params) => own[0] && gtag('event', name, { ...params, send_to: own })
      if (type == 'identify' && user_properties[0]) {
        const found = clean(Object.fromEntries(user_properties.map((name) => [name, traits[name]])), {}, 25, 24, 36)
        gtag('set', 'user_properties', found)
      }
      if (type == 'page') {
        const { path, search, title, url, referrer, ...others } = properties
        send('page_view', clean(others, clean({ page_title: title, page_location: url, page_referrer: referrer })))
      }
      if (type == 'track') {
        const name = eventOf(event)
        const { products, worth, others } = readShop(properties)
        const transaction_id = cut(properties.order_id || messageId, 64)
        send(name, clean(others, {
          ...(products[0] && { items: products.slice(0, 200).map(itemOf) }),
          ...worth,
          ...(/^(purchase|refund)$/.test(name) && { transaction_id }),
        }))
        if (has(conversions, event)) gtag('event', 'conversion', { send_to: conversions[event], transaction_id, ...worth })
      }
    },
    consent(isGranted, categories) {
      for (const id of own ?? []) window['ga-disable-' + id] = !isGranted
      if (consent_mode && own) say(isGranted, categories)
    },
  }
}
