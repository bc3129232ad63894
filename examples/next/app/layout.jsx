import { AnalyticsProvider } from '@onym/browser/react'

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <AnalyticsProvider
          writeKey={process.env.NEXT_PUBLIC_ONYM_KEY ?? 'wk_website'}
          apiHost={process.env.NEXT_PUBLIC_ONYM_HOST ?? 'http://localhost:8080'}
        >
          {children}
        </AnalyticsProvider>
      </body>
    </html>
  )
}
