// What Segment's ecommerce specification says of products and money, for tools that ask for it in other words.

/** A number, of "19.90" too; undefined where it is none. */
export const numberOf = (value) => {
  const number = value == null || value === '' ? NaN : +value
  return Number.isFinite(number) ? number : undefined
}

/** Products as they are bought, the worth of it all, and the properties that are left. A call can be of one product alone. */
export const readShop = ({ products, value, revenue, total, currency, ...others }) => {
  const { product_id, sku, price, quantity } = others
  const isOne = !products && (product_id ?? sku) != null
  const worth = numberOf(value ?? revenue ?? total ?? (isOne && price != null ? price * (quantity ?? 1) : undefined))
  return {
    products: (isOne ? [others] : Array.isArray(products) ? products : [])
      .filter((product) => product && typeof product == 'object')
      .map((product) => ({ ...product, id: product.product_id ?? product.sku, price: numberOf(product.price), quantity: numberOf(product.quantity) })),
    // No vendor takes a value without a currency; Segment's specification reads one without as US dollars.
    worth: worth == null ? {} : { value: worth, currency: currency || 'USD' },
    others: isOne ? {} : others,
  }
}
