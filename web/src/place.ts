// The place, and the settings that are this browser's own: the theme, the zone, whether single keys do something.
// No key is ever kept in the browser, and of people only the one id that somebody pastes to see their own messages (me.ts).
import { useEffect, useState } from 'preact/hooks'
import { isZone, ownZone } from './format'
import { Place, parsePlace } from './route'

export const usePlace = (): Place => {
  const [place, setPlace] = useState(() => parsePlace(location.hash))
  useEffect(() => {
    const follow = () => setPlace(parsePlace(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return place
}

export const go = (href: string) => {
  location.hash = href
}
/** Changes the address without a step for the back button: what is being typed, or chosen within a view. */
export const replace = (href: string) => {
  if (location.hash == href) return
  history.replaceState(null, '', href)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

/** What this browser remembers under a name; null: nothing. */
export const read = (name: string) => {
  try {
    return localStorage.getItem('onym.' + name)
  } catch {
    return null
  }
}
export const write = (name: string, value: string) => {
  try {
    localStorage.setItem('onym.' + name, value)
  } catch {
    // it holds until the page is left
  }
}

export type Theme = 'auto' | 'light' | 'dark'
let theme = (read('theme') ?? 'auto') as Theme
const applyTheme = () => {
  if (theme == 'auto') document.documentElement.removeAttribute('data-theme')
  else document.documentElement.setAttribute('data-theme', theme)
}
applyTheme()
export const nextTheme = (): Theme => {
  theme = theme == 'auto' ? 'light' : theme == 'light' ? 'dark' : 'auto'
  write('theme', theme)
  applyTheme()
  return theme
}
export const themeNow = () => theme

let zone = read('zone') ?? ''
if (!zone || !isZone(zone)) zone = ownZone()
export const zoneNow = () => zone
export const setZone = (next: string) => {
  zone = isZone(next) ? next : ownZone()
  write('zone', zone)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

let hasKeys = read('keys') != 'off'
export const keysNow = () => hasKeys
export const setKeys = (on: boolean) => {
  hasKeys = on
  write('keys', on ? 'on' : 'off')
}
