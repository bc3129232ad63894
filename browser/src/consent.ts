// Signals of the browser that the visitor does not want to be followed, obeyed where the site asks for it.
import type { LoadOptions } from './types'

export const isRefusedBySignal = (options: LoadOptions): unknown => {
  const signals = navigator as Navigator & { globalPrivacyControl?: boolean }
  return (options.respectDNT && signals.doNotTrack == '1') || (options.respectGPC && signals.globalPrivacyControl)
}
