'use client'
import { useAnalytics } from '@onym/browser/react'
import { useEffect, useState } from 'react'

export default function SignUp() {
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
