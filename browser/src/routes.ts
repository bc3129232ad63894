// Automatic page calls for single-page apps (option autoPage): one for each change of path, query or hash
// route (#/…, #!…) that comes without a page load, after the app has had its turn to set the title.

/** `onChange` is told the URL that was left; `url` is the one that was counted last. */
export const watchRoutes = (onChange: (referrer: string) => void, url: string): void => {
  const read = ({ pathname, search, hash }: URL | Location) => pathname + search + (/^#[/!]/.test(hash) ? hash : '')
  const current = () => read(location)
  let seen = read(new URL(url))
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
  look()
  addEventListener('popstate', look)
  addEventListener('hashchange', look)
}
