// A sign-up page: the provider loads the library, a component takes it by the hook.
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { AnalyticsProvider, useAnalytics } from '@onym/browser/react'

const SignUp = () => {
  const analytics = useAnalytics()
  const [name, setName] = useState()
  useEffect(() => void analytics.page('Sign-up'), [analytics])
  const signUp = () => {
    analytics.identify('12345', { name: 'Kim', plan: 'Free' })
    analytics.track('Signed Up', { plan: 'Free' })
    setName('Kim')
  }
  return name ? <p>Welcome, {name}</p> : <button onClick={signUp}>Sign up</button>
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <AnalyticsProvider
      writeKey={import.meta.env.VITE_ONYM_KEY ?? 'wk_website'}
      apiHost={import.meta.env.VITE_ONYM_HOST ?? 'http://localhost:8080'}
    >
      <SignUp />
    </AnalyticsProvider>
  </StrictMode>,
)
