// On the server this does nothing; in the browser it is one library for the whole app.
import { AnalyticsBrowser } from '@onym/browser'

export const analytics = AnalyticsBrowser.load(
  { writeKey: import.meta.env.VITE_ONYM_KEY ?? 'wk_website' },
  { apiHost: import.meta.env.VITE_ONYM_HOST ?? 'http://localhost:8080' },
)
