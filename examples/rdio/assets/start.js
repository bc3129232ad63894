// What stands behind the snippet in the head of a real site: two lines. Here it also makes it hard where the visitor
// has asked for that (the switches at the foot of each page; they live in a cookie for ten minutes).
window.analytics._plus = true
window.analytics._cdn = window.rdio.onym
window.rdio.hard = (/(?:^|; )rdio_hard=([a-z.]*)/.exec(document.cookie) || ['', ''])[1].split('.')

;(function () {
  var rdio = window.rdio
  var options = { losses: true }
  // An address at which this site answers 503, whatever is asked.
  if (rdio.hard.indexOf('down') >= 0) options.apiHost = location.origin + '/down'
  // What an ad blocker does: nothing at the paths that everybody has is reached any more. The source has its own.
  if (rdio.own && rdio.hard.indexOf('blocker') >= 0) {
    var allowed = "'self' " + rdio.onym + '/' + rdio.own + '/'
    var policy = document.createElement('meta')
    policy.httpEquiv = 'Content-Security-Policy'
    policy.content =
      'script-src ' + allowed + ' ' + rdio.onym + '/' + rdio.own + '.js; connect-src ' + allowed
    document.head.append(policy)
    window.analytics._own = rdio.own
  }
  window.analytics.load(rdio.key, options)
})()
window.analytics.page()
