// Outbound links, downloads and forms become calls by themselves. Addresses go without query and hash, and no field of a
// form is read: both may hold what is nobody's business.
const FILES = /\.(7z|avi|csv|dmg|docx?|exe|gz|key|mov|mp[34]|pdf|pkg|pptx?|rar|tar|txt|wav|wmv|xlsx?|xml|zip)$/i

const click = (event) => {
  // Middle click opens a tab; the right button opens a menu.
  if (event.button > 1) return
  const link = event.composedPath().find((node) => node.matches?.('a[href], area[href]'))
  if (!link || !/^https?:$/.test(link.protocol)) return
  const { origin, host, pathname } = new URL(link.href)
  const properties = { url: origin + pathname, text: link.textContent.trim().slice(0, 200) }
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  const [, extension] = FILES.exec(name) || []
  if (extension || link.hasAttribute('download'))
    analytics.track('File Downloaded', { ...properties, name, extension: extension?.toLowerCase() })
  else if (host != location.host) analytics.track('Outbound Link Clicked', { ...properties, host })
}
addEventListener('click', click, true)
addEventListener('auxclick', click, true)
addEventListener(
  'submit',
  ({ target, submitter }) => {
    // A field that is called getAttribute hides the form's own.
    const read = (element, name) => Element.prototype.getAttribute.call(element, name)
    const own = (name) => read(target, name) || undefined
    let url
    try {
      const { protocol, origin, pathname } = new URL((submitter && read(submitter, 'formaction')) ?? own('action') ?? '', location.href)
      if (/^https?:$/.test(protocol)) url = origin + pathname
    } catch {
      // an address that is none
    }
    analytics.track('Form Submitted', { id: own('id'), name: own('name'), url })
  },
  true,
)
