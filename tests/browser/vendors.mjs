// The vendors' scripts in a test's browser: stand-ins as strict as the vendors' documentation (vendors/).
import { readFileSync } from 'node:fs'

const FILES = [
  [/^https:\/\/www\.googletagmanager\.com\/gtag\/js\?id=/, 'gtag'],
  [/^https:\/\/us-assets\.i\.posthog\.com\/static\/array\.js$/, 'posthog'],
  [/^https:\/\/connect\.facebook\.net\/en_US\/fbevents\.js$/, 'fbevents'],
  [/^https:\/\/widget\.intercom\.io\/widget\//, 'intercom'],
]
const ANY = /^https:\/\/([\w-]+\.)*(googletagmanager\.com|posthog\.com|facebook\.net|intercom\.io)\//

/**
 * Serves them to the context's pages, and gives the addresses asked for, in order. `how` may say 'blocked', or 'hung'
 * (no answer ever), or be a promise to wait for.
 */
export const withVendors = async (context, how) => {
  const asked = []
  await context.route(ANY, async (route) => {
    const url = route.request().url()
    asked.push(url)
    if (how == 'blocked') return route.abort()
    if (how == 'hung') return
    await how
    const [, file] = FILES.find(([pattern]) => pattern.test(url)) ?? []
    if (!file) return route.abort()
    await route.fulfill({
      contentType: 'text/javascript',
      headers: { 'access-control-allow-origin': '*' },
      body: readFileSync(new URL(`vendors/${file}.js`, import.meta.url), 'utf8'),
    })
  })
  return asked
}
