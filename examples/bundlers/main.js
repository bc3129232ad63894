// The same few lines through four bundlers: `npm run build`, then any dist/*/main.js in a page with a button.
import { AnalyticsBrowser } from '@onym/browser'

const analytics = AnalyticsBrowser.load(
  { writeKey: window.ONYM_KEY ?? 'wk_website' },
  { apiHost: window.ONYM_HOST ?? 'http://localhost:8080' },
)
analytics.page('Sign-up')
document.querySelector('button').onclick = () => {
  analytics.identify('12345', { name: 'Kim', plan: 'Free' })
  analytics.track('Signed Up', { plan: 'Free' })
  document.querySelector('button').outerHTML = '<p>Welcome, Kim</p>'
}
