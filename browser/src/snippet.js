// Onym's snippet: the stub that stands at window.analytics until the library arrives. It speaks the
// protocol of Segment's snippet 5, and adds one thing: the calls are kept in localStorage as well, so that
// those made on a page that is left before the library has loaded go out from the next page.
// Written for the oldest browser of the library's, since it is pasted into pages; no dependencies, no eval.
!(function () {
  var key = 'analytics'
  var stub = (window[key] = window[key] || [])
  if (stub.initialized || stub.invoked) return
  stub.invoked = true
  stub.methods = (
    'trackSubmit trackClick trackLink trackForm pageview identify reset group track ready alias debug page ' +
    'screen once off on addSourceMiddleware addDestinationMiddleware setAnonymousId register deregister ' +
    'consent timeout'
  ).split(' ')
  var count = 0

  function keep() {
    var options = stub._loadOptions
    if (
      !options ||
      options.consent === false ||
      options.disable ||
      options.respectDNT ||
      options.respectGPC
    )
      return
    try {
      var name = stub._kept || 'onym-stub:' + Date.now() + Math.random()
      localStorage.setItem(name, JSON.stringify(stub))
      stub._kept = name
    } catch (error) {
      // blocked or full: the calls live as long as the page
    }
  }

  stub.factory = function (method) {
    return function () {
      if (window[key].initialized) return window[key][method].apply(window[key], arguments)
      var args = [].slice.call(arguments)
      if (/^(track|screen|alias|group|page|identify|reset|setAnonymousId)$/.test(method)) {
        var canonical = document.querySelector('link[rel=canonical]')
        var now = Date.now()
        args.push({
          __t: 'bpc',
          c: (canonical && canonical.getAttribute('href')) || undefined,
          p: location.pathname,
          u: location.href,
          s: location.search,
          t: document.title,
          r: document.referrer,
          d: now,
          i:
            now +
            ('000' + count++).slice(-4) +
            '-' +
            (Math.random() + '' + Math.random()).replace(/0\./g, ''),
        })
      }
      args.unshift(method)
      stub.push(args)
      keep()
      return stub
    }
  }
  for (var i = 0; i < stub.methods.length; i++) stub[stub.methods[i]] = stub.factory(stub.methods[i])

  stub.load = function (writeKey, options) {
    stub._writeKey = writeKey
    stub._loadOptions = options || {}
    keep()
    var script = document.createElement('script')
    script.async = true
    script.setAttribute('data-global-segment-analytics-key', key)
    script.src =
      (stub._cdn || '') + '/analytics.js/v1/' + encodeURIComponent(writeKey) + '/analytics.min.js'
    var first = document.getElementsByTagName('script')[0]
    first.parentNode.insertBefore(script, first)
  }
})()
