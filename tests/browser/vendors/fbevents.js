// A stand-in for connect.facebook.net/en_US/fbevents.js, as strict as Meta's documentation of the pixel. One event is
// counted for each name and eventID, as where a server tells the same.
;(() => {
  const meta = (window.meta = { events: [], faults: [] })
  const STANDARD = 'PageView AddPaymentInfo AddToCart AddToWishlist CompleteRegistration Contact CustomizeProduct Donate FindLocation InitiateCheckout Lead Purchase Schedule Search StartTrial SubmitApplication Subscribe ViewContent'.split(' ')
  const pixels = {}
  const automatic = {}
  let isRevoked = false
  const fault = (...texts) => meta.faults.push(texts.join(' '))
  const track = (id, name, data = {}, { eventID } = {}) => {
    if (!pixels[id]) return fault('pixel', id, 'was not begun')
    if (isRevoked) return
    if (!eventID) fault(name, 'without eventID')
    if (name == 'Purchase' && (typeof data.value != 'number' || !/^[A-Z]{3}$/.test(data.currency))) fault('Purchase without value and currency')
    if ('value' in data && !data.currency) fault(name, 'value without currency')
    for (const key in data) if (/mail|phone|first_?name|last_?name/i.test(key)) fault(name, 'says who somebody is:', key)
    for (const content of data.contents ?? []) if (content.id == null || !content.quantity) fault(name, 'contents')
    if (!meta.events.some((other) => other.name == name && other.eventID == eventID)) meta.events.push({ id, name, data, eventID })
  }
  const commands = {
    set: (what, value, id) => what == 'autoConfig' && (automatic[id] = value),
    init(id) {
      if (!/^\d{5,20}$/.test(id)) fault('init of', id)
      if (pixels[id]) fault('init twice:', id)
      if (automatic[id] !== false) fault('the pixel sends clicks by itself')
      if (!window.fbq.disablePushState) fault('the pixel sends page views by itself')
      pixels[id] = true
    },
    consent: (what) => (isRevoked = what == 'revoke'),
    trackSingle(id, name, ...more) {
      if (!STANDARD.includes(name)) fault(name, 'is no standard event')
      track(id, name, ...more)
    },
    trackSingleCustom(id, name, ...more) {
      if (!name || name.length > 50) fault('custom event', name)
      track(id, name, ...more)
    },
  }
  const { fbq } = window
  fbq.callMethod = (name, ...more) => (commands[name] ? commands[name](...more) : fault('command', name))
  fbq.queue.forEach((call) => fbq.callMethod(...call))
})()
