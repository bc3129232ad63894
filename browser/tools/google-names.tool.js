// Names and lengths that Google's documentation allows, and its names for events of Segment's ecommerce specification.
import { has } from './vendor.tool.js'

const EVENTS = {
  products_searched: 'search',
  product_list_viewed: 'view_item_list',
  product_clicked: 'select_item',
  product_viewed: 'view_item',
  product_added: 'add_to_cart',
  product_removed: 'remove_from_cart',
  product_added_to_wishlist: 'add_to_wishlist',
  promotion_viewed: 'view_promotion',
  promotion_clicked: 'select_promotion',
  cart_viewed: 'view_cart',
  checkout_started: 'begin_checkout',
  payment_info_entered: 'add_payment_info',
  order_completed: 'purchase',
  order_refunded: 'refund',
  signed_up: 'sign_up',
  signed_in: 'login',
}
const RENAMED = { order_id: 'transaction_id', query: 'search_term', list_id: 'item_list_id', creative: 'creative_name', payment_method: 'payment_type' }
/** Where such a name begins, or all of it. */
const RESERVED =
  /^($|[^\p{L}]|firebase_|ga_|google_|gtag_|(ad_impression|app_(remove|store_.*)|click|error|file_download|first_(open|visit).*|form_(start|submit)|in_app_purchase|page_view|query_id|scroll|session_.*|user_(engagement|id)|last_deep.*|view_(complete|search_results)|video_(progress|start)|gclid|engagement_.*|send_to|items)$)/iu
const LENGTHS = { page_title: 300, page_referrer: 420, page_location: 1000 }

export const cut = (value, most) => (typeof value == 'string' ? [...value].slice(0, most).join('') : value)

export const nameOf = (text, most = 40) => {
  const name = text.trim().replace(/[^\p{L}\p{N}]+/gu, '_')
  return cut(RESERVED.test(name) ? 'e_' + name : name, most)
}
export const eventOf = (text) => {
  const known = text.trim().toLowerCase().replace(/ +/g, '_')
  return has(EVENTS, known) ? EVENTS[known] : nameOf(text)
}

/** What is text, number or boolean joins what was `found`: `count` in all, with names and values of at most so many characters. */
export const clean = (data, found = {}, count = 25, most = 40, length = 100) => {
  for (const key in data) {
    const value = data[key]
    const name = has(RENAMED, key) ? RENAMED[key] : nameOf(key, most)
    if (/^(string|number|boolean)$/.test(typeof value) && value === value && value !== '' && Object.keys(found).length < count)
      found[name] ??= cut(value, LENGTHS[name] ?? length)
  }
  return found
}

export const itemOf = ({ id, name, brand, category, variant, position, price, quantity, coupon }) =>
  clean({ item_id: id, item_name: name, item_brand: brand, item_category: category, item_variant: variant, index: position == null || isNaN(position) ? null : +position, price, quantity, coupon })
