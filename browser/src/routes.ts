// Automatic page calls for single-page apps (option autoPage): one for each change of path or query that
// comes without a page load, after the app has had its turn to set the title.

/** `onChange` is told the URL that was left. */
export const watchRoutes = (onChange: (referrer: string) => void): void => {
  const current = () => location.pathname + location.search
  let seen = current()
  let url = location.href
  const look = () =>
    setTimeout(() => {
      if (current() != seen) {
        seen = current()
        onChange(url)
      }
      url = location.href
    })
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (...args) {
      original.apply(this, args)
      look()
    }
  }
  addEventListener('popstate', look)
}
