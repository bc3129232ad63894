// Onym's snippet: the stub that stands at window.analytics until the library arrives. It speaks the
// protocol of Segment's snippet 5, and adds one thing: the calls are kept in localStorage as well, so that
// those made on a page that is left before the library has loaded go out from the next page.
// Written for the oldest browser of the library's, since it is pasted into pages; no dependencies, no eval.
import { CARRY_S, carryName, pack, rankOfMethod } from './carry'
import { readCookies } from './cookie'
import { toJson } from './json'
import { seen } from './seen'
!(function () {
  var key = 'analytics'
  var old = window[key]
  var stub = old || []
  if (stub.initialize || stub.initialized || stub.invoked) return again()
  // Something else of the site's has the name: what it has there stays there.
  if (!Array.isArray(stub)) {
    stub = []
    if (!old.nodeType) {
      stub._old = old
      for (var name in old) if (!(name in stub)) stub[name] = old[name]
    }
  }
  window[key] = stub
  stub.invoked = true
  stub.methods = (
    'trackSubmit trackClick trackLink trackForm pageview identify reset group track ready alias debug page ' +
    'screen once off on addSourceMiddleware addDestinationMiddleware addIntegrationMiddleware setAnonymousId ' +
    'register deregister consent timeout queryString'
  ).split(' ')
  var count = 0

  // Here twice, or something else is: what this script does next, load and one page, is left out.
  function again() {
    var twin = Object.create(stub)
    function back() {
      if (window[key] == twin) window[key] = stub
    }
    twin.load = function (writeKey) {
      console.warn(
        'Onym: window.' + key + ' is in use, with the key ' + (stub._writeKey || (stub.settings || {}).writeKey) +
          '. Is the snippet on this page twice? Left out: load(' + JSON.stringify(writeKey) + ') and its page().',
      )
    }
    twin.page = back
    window[key] = twin
    Promise.resolve().then(back)
  }

  /** What an earlier page sends along to another subdomain, and none has taken yet. */
  var earlier
  function readEarlier() {
    try {
      return JSON.parse(readCookies(carryName(stub._writeKey))[0])
    } catch {
      return []
    }
  }

  function keep() {
    var options = stub._loadOptions
    if (
      !options ||
      options.consent === false ||
      options.disable ||
      options.respectDNT ||
      options.respectGPC ||
      seen('prerendering')
    )
      return
    try {
      var name =
        stub._kept || 'onym-early:' + encodeURIComponent(stub._writeKey) + ':' + Date.now() + Math.random()
      localStorage.setItem(name, toJson(stub))
      stub._kept = name
    } catch {
      // blocked or full: the calls live as long as the page
    }
    try {
      earlier = earlier || readEarlier()
      // The library's are [key, message], and keys begin with their time.
      var packed = encodeURIComponent(
        pack(earlier.concat(stub), function (call) {
          return call[0] < '9' ? +(call[1].type == 'track') : rankOfMethod(call[0])
        }),
      )
      var labels = location.hostname.split('.')
      for (var from = labels.length - 2; packed && from >= 0 && !/^[\d.]+$/.test(location.hostname); from--) {
        var domain = labels.slice(from).join('.')
        seen(
          'cookie',
          carryName(stub._writeKey) + '=' + packed + ';path=/;samesite=lax;max-age=' + CARRY_S + ';domain=' + domain,
        )
        if (seen('cookie').indexOf(packed) >= 0) return
      }
    } catch {
      // no cookies here
    }
  }

  stub.factory = function (method) {
    return function () {
      if (window[key].initialized) return window[key][method].apply(window[key], arguments)
      var args = [].slice.call(arguments)
      if (/^(track|screen|alias|group|page|identify|reset|setAnonymousId)$/.test(method)) {
        var canonical = seen('querySelector').call(document, 'link[rel=canonical]')
        var now = Date.now()
        args.push({
          __t: 'bpc',
          c: (canonical && canonical.getAttribute('href')) || undefined,
          p: location.pathname,
          u: location.href,
          s: location.search,
          t: seen('title'),
          r: seen('referrer'),
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

  // Until the library is there (and where it is the one without these): kept, and sent by whichever page comes next.
  stub.confirm = function (event, properties, options) {
    options = Object.assign({}, options)
    delete options.within
    window[key].track(event, properties, options)
    return Promise.resolve('kept')
  }
  stub.stamp = function () {
    stub.push(['stamp'].concat([].slice.call(arguments)))
    return null
  }
  stub._old = Object.assign(stub._old || {}, {
    confirm: stub.confirm,
    stamp: function () {
      return null
    },
  })

  stub.load = function (writeKey, options) {
    stub._writeKey = writeKey
    stub._loadOptions = options = Object.assign({}, options)
    // A script and a path that ad blockers do not know.
    var own = (options.ownPath = stub._own || options.ownPath)
    keep()
    addEventListener('prerenderingchange', keep, true)
    var script = seen('createElement').call(document, 'script')
    script.async = true
    script.setAttribute('data-global-segment-analytics-key', key)
    var path = own
      ? '/' + own + (stub._plus ? '/p' : '') + '.js'
      : '/analytics.js/v1/' + encodeURIComponent(writeKey) + '/analytics.' + (stub._plus ? 'plus.' : '') + 'min.js'
    var src = (stub._cdn || '') + path
    try {
      // Under require-trusted-types-for a plain text is refused.
      src = trustedTypes
        .createPolicy('onym', {
          createScriptURL: function (url) {
            return url
          },
        })
        .createScriptURL(src)
    } catch {
      // none here, or the site allows no such policy
    }
    // Where the page's policy goes by nonces alone, this script has to carry one on.
    var pass = seen('currentScript') || seen('querySelector').call(document, 'script[nonce]')
    if (pass && pass.nonce) script.nonce = pass.nonce
    script.src = src
    // This script's address says nothing of a key, so where it came from has to be told.
    if (own && !options.apiHost) options.apiHost = script.src.slice(0, -path.length)
    script.onerror = function () {
      console.error(
        'Onym: ' + script.src + ' did not load (a blocker, a Content Security Policy, or the server is down). ' +
          'Calls are kept in the browser, and go out from the next page that can load it.',
      )
    }
    var first = seen('getElementsByTagName').call(document, 'script')[0]
    first.parentNode.insertBefore(script, first)
  }
})()
