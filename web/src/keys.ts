// Single keys, for those who want them (WCAG 2.1.4: they can be switched off in the help). None acts while a field has
// the focus, or together with Ctrl, Alt or Meta.
import { useEffect, useRef } from 'preact/hooks'
import { keysNow } from './place'

export type Keys = Record<string, () => void>

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

const layers: { current: Keys }[] = []
let first = ''
let firstAt = 0

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return
  const isPlain = event.key.length == 1
  if (event.key != 'Escape' && (isTyping(event.target) || (isPlain && !keysNow()))) return
  if (event.key == ' ' && event.target instanceof Element && event.target.closest('button,a,summary,[role=button]'))
    return
  if (
    event.key == 'Enter' &&
    event.target instanceof HTMLElement &&
    event.target.closest('button,a,summary,[role=button]')
  )
    return
  const pair = first && event.timeStamp - firstAt < 1500 ? first + ' ' + event.key : ''
  first = ''
  for (let at = layers.length - 1; at >= 0; at--) {
    const run = pair ? layers[at].current[pair] : layers[at].current[event.key]
    if (run) {
      event.preventDefault()
      run()
      return
    }
  }
  if (!pair && layers.some((keys) => Object.keys(keys.current).some((name) => name.startsWith(event.key + ' ')))) {
    first = event.key
    firstAt = event.timeStamp
  }
})

/** The keys of a view, as long as it is there: 'j', 'Escape', or two after each other: 'g l'. */
export const useKeys = (keys: Keys) => {
  const own = useRef(keys)
  own.current = keys
  useEffect(() => {
    layers.push(own)
    return () => {
      layers.splice(layers.indexOf(own), 1)
    }
  }, [])
}
