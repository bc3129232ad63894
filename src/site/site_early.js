// Runs before each document that `onym check-site` loads. It tells which calls a snippet keeps in memory until its library
// comes: they are gone with a page that is left before, unless the snippet keeps them in the browser's storage as well. As
// a page is left nothing reaches the outside any more, so it is told as it changes.
(function () {
  var tell = window.onymCheckSite
  if (window.top !== window || typeof tell != 'function') return
  delete window.onymCheckSite
  var told = '[]'
  var stringify = JSON.stringify
  var observer, timer

  function end() {
    observer.disconnect()
    clearInterval(timer)
  }
  function look() {
    try {
      var list = []
      ;['analytics', 'rudderanalytics'].forEach(function (name) {
        var stub = window[name]
        if (!Array.isArray(stub) || stub.initialized) return
        for (var at = 0; at < stub.length && list.length < 64; at++) {
          var call = stub[at]
          if (!call || !/^(track|identify|page|group|alias|screen)$/.test(call[0])) continue
          list.push(String(call[0] + (typeof call[1] == 'string' ? ' ' + call[1] : '')).slice(0, 200))
        }
      })
      var now = stringify(list)
      if (now == told) return
      told = now
      var kept = !!(window.analytics && window.analytics._kept)
      tell(stringify({ url: location.href.split('#')[0], queued: list, kept: kept }))
    } catch (error) {
      end()                 // a page may do anything to these objects
    }
  }
  observer = new MutationObserver(look)
  observer.observe(document, { childList: true, subtree: true })
  timer = setInterval(look, 25)
  window.addEventListener('beforeunload', look)
  window.addEventListener('load', function () {
    observer.disconnect()
  })
})()
