// What the tools share: a vendor's script in the page.

let policy
try {
  // Under require-trusted-types-for a plain text is refused.
  policy = trustedTypes.createPolicy('onym-tools', { createScriptURL: (url) => url })
} catch {}

/** A page's policy lets a script through by the nonce that its other scripts have. `gone` hears that it never comes. */
export const addScript = (src, gone, attributes) => {
  const script = document.createElement('script')
  script.async = true
  script.nonce = document.querySelector('script[nonce]')?.nonce || ''
  script.src = policy ? policy.createScriptURL(src) : src
  Object.assign(script, attributes)
  script.onerror = () => {
    console.warn(`Onym: ${src} did not load: a blocker, or the page's Content Security Policy`)
    gone?.()
  }
  document.head.append(script)
}

export const has = (object, key) => ({}).hasOwnProperty.call(object, key)
