// Asked of the page at the end by `onym check-site`: what its own objects say. Each part alone: a page may have done
// anything to any of them. Numbers and sizes are bounded here, and again where the answer is read.
(function () {
  var out = {}
  function attempt(name, ask) {
    try {
      out[name] = ask()
    } catch (error) {
      out[name] = null
    }
  }
  function text(value, most) {
    return typeof value == 'string' || typeof value == 'number' ? String(value).slice(0, most || 300) : ''
  }
  function isOne(value) {
    return value && (typeof value == 'object' || typeof value == 'function')
  }
  var analytics = window.analytics
  var rudder = window.rudderanalytics
  // RudderStack's is known by its calls; it stands in for window.analytics where that is not there.
  attempt('analytics', function () {
    if (!isOne(analytics) || analytics.nodeType) return null
    if (typeof analytics.track != 'function' && typeof analytics.push != 'function') return null
    var options = isOne(analytics._loadOptions) ? analytics._loadOptions : {}
    var settings = isOne(analytics.settings) ? analytics.settings : {}
    return {
      stub: Array.isArray(analytics) && !analytics.initialized,
      initialized: !!analytics.initialized,
      onym: typeof analytics.consent == 'function' && typeof analytics.track == 'function',
      version: text(analytics.VERSION || analytics.SNIPPET_VERSION),
      key: text(analytics._writeKey) || text(settings.writeKey),
      cdn: text(analytics._cdn, 2048),
      own: text(analytics._own) || text(options.ownPath),
      holds: options.consent === false,
      disabled: options.disable === true,
    }
  })
  attempt('rudder', function () {
    return isOne(rudder) && !rudder.nodeType ? { stub: Array.isArray(rudder), version: text(rudder.RudderSnippetVersion) } : null
  })
  attempt('queued', function () {
    var list = []
    ;[analytics, rudder].forEach(function (stub) {
      if (!Array.isArray(stub) || stub.initialized) return
      for (var at = 0; at < stub.length && list.length < 64; at++) {
        if (stub[at]) list.push(text(stub[at][0]) + (typeof stub[at][1] == 'string' ? ' ' + text(stub[at][1], 200) : ''))
      }
    })
    return list
  })
  function count(code, expression) {
    return (code.match(expression) || []).length
  }
  function readSnippets(doc) {
    var found = { onym: 0, segment: 0, rudder: 0, tags: 0, keys: [], cdn: '', own: '', holds: false }
    function read(code, expression, most) {
      var match = expression.exec(code)
      return match ? match[1].slice(0, most) : ''
    }
    var scripts = doc.querySelectorAll('script')
    for (var at = 0; at < scripts.length && at < 2000; at++) {
      var address = scripts[at].src
      if (address) {
        if (/\/analytics(\.plus)?\.min\.js(\?|$)|\/(rsa|rudder-analytics)(\.min)?\.js(\?|$)/.test(address)) found.tags++
        continue
      }
      var type = scripts[at].type
      if (type && !/^(text|application)\/(java|ecma)script|^module$/i.test(type)) continue
      var code = String(scripts[at].textContent).slice(0, 200000)
      // Each snippet marks what it has put at window.analytics with this.
      var marks = count(code, /\.invoked\s*=\s*(!0|true)/g)
      if (marks && /onym-early|Onym: /.test(code)) found.onym += marks
      else found.segment += marks
      found.rudder += count(code, /RudderSnippetVersion\s*=/g)
      if (marks) {
        found.cdn = found.cdn || read(code, /\b_cdn\s*=\s*["'](https?:\/\/[^"'\s]+)["']/, 2048)
        found.own = found.own || read(code, /\b_own\s*=\s*["']([\w-]+)["']/, 64)
        found.holds = found.holds || /["']?consent["']?\s*:\s*(false|!1)\b/.test(code.slice(code.lastIndexOf('.load(')))
      }
      var loads = /(?:analytics|rudderanalytics|window\.\w+|\b\w{1,3})\.load\(\s*["']([^"'\\<>]{1,128})["']/g
      for (var load; (marks || /analytics\.load/.test(code)) && (load = loads.exec(code)) && found.keys.length < 20; )
        found.keys.push(load[1])
    }
    return found
  }
  attempt('snippets', function () {
    return readSnippets(document)
  })
  attempt('frames', function () {
    var frames = document.querySelectorAll('iframe')
    var found = 0
    for (var at = 0; at < frames.length && at < 50; at++) {
      try {
        var inner = readSnippets(frames[at].contentDocument)
        if (inner.onym || inner.segment || inner.rudder || inner.tags) found++
      } catch (error) {
        // another site's
      }
    }
    return found
  })
  // The widest domain that takes a cookie: a browser refuses those that belong to everybody ("co.uk").
  attempt('widest', function () {
    var labels = location.hostname.split('.')
    if (/^[\d.]+$|:/.test(location.hostname)) return ''
    for (var from = labels.length - 2; from >= 0; from--) {
      var domain = labels.slice(from).join('.')
      var tail = '; path=/; domain=' + domain
      document.cookie = 'onym_check=1' + tail
      var is = /(^|; )onym_check=1/.test(document.cookie)
      document.cookie = 'onym_check=; expires=Thu, 01 Jan 1970 00:00:00 GMT' + tail
      if (is) return domain
    }
    return ''
  })
  attempt('waiting', function () {
    var waiting = 0
    for (var at = 0; at < localStorage.length && at < 5000; at++) {
      if (/^onym:[^:]+:\d|^onym-early:/.test(localStorage.key(at))) waiting++
    }
    return waiting
  })
  attempt('policies', function () {
    var list = []
    var metas = document.querySelectorAll('meta[http-equiv]')
    for (var at = 0; at < metas.length && list.length < 8; at++) {
      if (/^content-security-policy$/i.test(metas[at].httpEquiv)) list.push(text(metas[at].content, 2048))
    }
    return list
  })
  function present(table) {
    var list = []
    Object.keys(table).forEach(function (name) {
      try {
        if (table[name]()) list.push(name)
      } catch (error) {
        // not there
      }
    })
    return list
  }
  function has(name) {
    return function () {
      return window[name] !== undefined && !(window[name] && window[name].nodeType)
    }
  }
  attempt('vendors', function () {
    return present({
      'Google tag': has('gtag'),
      "Meta's pixel": has('fbq'),
      Mixpanel: has('mixpanel'),
      PostHog: has('posthog'),
      Amplitude: has('amplitude'),
      Heap: has('heap'),
      Intercom: has('Intercom'),
      Matomo: has('_paq'),
      Plausible: has('plausible'),
      Hotjar: has('hj'),
      FullStory: has('FS'),
      Snowplow: has('snowplow'),
      Jitsu: has('jitsu'),
    })
  })
  attempt('consents', function () {
    return present({
      OneTrust: function () {
        return window.OneTrust || window.OptanonWrapper || window.OnetrustActiveGroups !== undefined
      },
      Cookiebot: has('Cookiebot'),
      TrustArc: has('truste'),
      Didomi: has('Didomi'),
      Usercentrics: has('UC_UI'),
      Osano: has('Osano'),
      iubenda: has('_iub'),
      Klaro: has('klaro'),
      CookieYes: has('getCkyConsent'),
      Complianz: has('complianz'),
      'Google Consent Mode': function () {
        return [].some.call(window.dataLayer || [], function (entry) {
          return entry && entry[0] == 'consent' && entry[1] == 'default' && entry[2].analytics_storage == 'denied'
        })
      },
      'a tool with the IAB interface': has('__tcfapi'),
    })
  })
  attempt('title', function () {
    return text(document.title)
  })
  return out
})()
