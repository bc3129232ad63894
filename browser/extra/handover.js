// A visitor who comes from another domain by a signed link (?ajs_aid=onym1.…) goes on as who they were there. Onym is
// asked to redeem the link first; calls wait for that in storage, as for any plugin that takes its time.
;(() => {
  const { src } = document.currentScript
  const [, home, key] = /^(.*)\/analytics\.js\/v1\/([^/]+)\/x\//.exec(src) || []
  const url = home === undefined ? src.replace(/\/x\/[^/]*$/, '/link') : home + '/v1/link'
  const found = /[?&#]ajs_aid=(onym1\.[^&#]+)/.exec(location.href)
  const { analytics } = window
  if (!found || !analytics) return
  const warn = (why) => console.warn('Onym: this visitor stays who they were here: ' + why)
  let token = found[1]
  try {
    token = decodeURIComponent(token)
  } catch {
    // Onym says that it is none.
  }
  // Whoever copies the address, or loads it again, has not been handed over.
  history.replaceState(history.state, '', location.href.replace(found[0], found[0][0]).replace(/([?&#])&/, '$1').replace(/[?&](#|$)/, '$1'))
  const redeemed = fetch(url, {
    method: 'POST',
    body: JSON.stringify({ writeKey: key && decodeURIComponent(key), token }),
  })
    .then((answer) => answer.json())
    .then(({ anonymousId, message }) => {
      if (anonymousId) analytics.setAnonymousId(anonymousId)
      else warn(message)
      return anonymousId
    })
    .catch(warn)
  const take = async (context) => {
    const id = await redeemed
    if (id) context.updateEvent('anonymousId', id)
    return context
  }
  analytics.register({
    name: 'Onym hand-over',
    type: 'before',
    version: '1',
    isLoaded: () => true,
    load: () => Promise.resolve(),
    track: take,
    identify: take,
    page: take,
    group: take,
    alias: take,
    screen: take,
  })
})()
