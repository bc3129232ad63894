// One library for the whole app: import it wherever something happens.
import { AnalyticsBrowser } from '@onym/browser'

export const analytics = AnalyticsBrowser.load(
  { writeKey: import.meta.env.VITE_ONYM_KEY ?? 'wk_website' },
  { apiHost: import.meta.env.VITE_ONYM_HOST ?? 'http://localhost:8080' },
)
