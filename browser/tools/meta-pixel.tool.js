// Meta's pixel, which does nothing by itself here: no page views at history changes, no clicks (autoConfig). eventID is the
// call's messageId: a server that tells Meta the same event gives it as event_id, and Meta counts one. Events of Segment's
// specification get Meta's names; what says who somebody is stays out, as Meta demands.
import { readShop } from './shop.tool.js'
import { addScript, has } from './vendor.tool.js'

const EVENTS = {
  'products searched': 'Search',
  'product list viewed': 'ViewContent',
  'product viewed': 'ViewContent',
  'product added': 'AddToCart',
  'product added to wishlist': 'AddToWishlist',
  'checkout started': 'InitiateCheckout',
  'payment info entered': 'AddPaymentInfo',
  'order completed': 'Purchase',
  'signed up': 'CompleteRegistration',
}
const PRIVATE = /e-?mail|phone|(first|last|full)_?name|gender|birth|address|street|zip|postal|password|^(city|state|ip)$/i

const paramsOf = (properties) => {
  const { products, worth, others } = readShop(properties)
  const { name, category, query } = { ...properties, ...others }
  const contents = products.map(({ id, price, quantity = 1 }) => ({ id, quantity, item_price: price }))
  const found = {}
  for (const key in others) if (/^(string|number|boolean)$/.test(typeof others[key]) && !PRIVATE.test(key)) found[key] = others[key]
  return {
    ...found,
    ...(name && { content_name: name }),
    ...(category && { content_category: category }),
    ...(query && { search_string: query }),
    ...(contents.length && { contents, content_ids: contents.map(({ id }) => id), content_type: 'product', num_items: contents.length }),
    ...worth,
  }
}

export default ({ pixel_id }, given, gone) => {
  let isStarted
  const start = () => {
    isStarted = true
    if (!window.fbq) {
      const fbq = (window._fbq = window.fbq = (...call) => (fbq.callMethod ? fbq.callMethod(...call) : fbq.queue.push(call)))
      Object.assign(fbq, { push: fbq, loaded: true, version: '2.0', queue: [], disablePushState: true })
      addScript('https://connect.facebook.net/en_US/fbevents.js', gone)
    }
    window.fbq('set', 'autoConfig', false, pixel_id)
    window.fbq('init', pixel_id)
  }
  return {
    call({ type, event, properties, messageId }) {
      if (!/^(page|track)$/.test(type)) return
      if (!isStarted) start()
      const isPage = type == 'page'
      const known = event?.trim().toLowerCase()
      const name = isPage ? 'PageView' : has(EVENTS, known) && EVENTS[known]
      // To this pixel alone: the page may have others of its own.
      window.fbq(name ? 'trackSingle' : 'trackSingleCustom', pixel_id, name || event.slice(0, 50), isPage ? {} : paramsOf(properties), { eventID: messageId })
    },
    consent(isGranted) {
      if (isStarted) window.fbq('consent', isGranted ? 'grant' : 'revoke')
    },
  }
}
