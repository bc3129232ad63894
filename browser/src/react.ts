'use client'
// For React: <AnalyticsProvider> makes and loads the library once, in the browser only; useAnalytics gives it.
//
//   <AnalyticsProvider writeKey="wk_website" apiHost="https://t.example.com">…</AnalyticsProvider>
//   const analytics = useAnalytics()
import { createContext, createElement, useContext, useEffect, useState } from 'react'
import { AnalyticsBrowser } from './npm.js'
import type { LoadOptions } from './types.js'

const Loaded = createContext<AnalyticsBrowser | null>(null)

export interface AnalyticsProviderProps {
  /** One that you have made and will load yourself; then the others are not looked at. */
  analytics?: AnalyticsBrowser
  writeKey?: string
  apiHost?: string
  options?: LoadOptions
  children?: any
}

export const AnalyticsProvider = ({ analytics, writeKey, apiHost, options, children }: AnalyticsProviderProps) => {
  const [own] = useState(() => analytics ?? new AnalyticsBrowser())
  const value = analytics ?? own
  useEffect(() => {
    if (!analytics) own.load({ writeKey: writeKey! }, { ...options, apiHost: apiHost! })
  }, [writeKey])
  return createElement(Loaded.Provider, { value }, children)
}

/** The library; its calls wait in memory until it has loaded. */
export const useAnalytics = (): AnalyticsBrowser => {
  const analytics = useContext(Loaded)
  if (!analytics) throw new Error('useAnalytics: no <AnalyticsProvider> is above this component')
  return analytics
}
