// A stand-in for PostHog's array.js, after posthog-js 1.449: the snippet's queue is made in another order than it was called
// in, an event's uuid must be one, identify links only an anonymous visitor, refusals are obeyed and remembered. What
// PostHog would keep is in `ph.events`, one for each uuid.
;(() => {
  const ph = (window.ph = { events: [], faults: [], persons: {}, groups: {} })
  const UUID = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i
  const stored = JSON.parse(localStorage.ph_stand_in ?? '{}')
  const keep = () => (localStorage.ph_stand_in = JSON.stringify(stored))
  let config
  const anew = () => {
    stored.distinct_id = stored.device_id = config.get_device_id(Math.random() + '')
    stored.isIdentified = false
    keep()
  }
  const posthog = {
    __loaded: true,
    get_distinct_id: () => stored.distinct_id,
    has_opted_out_capturing: () => !!stored.isOut,
    opt_out_capturing() {
      stored.isOut = true
      keep()
    },
    opt_in_capturing({ captureEventName } = {}) {
      stored.isOut = false
      keep()
      if (captureEventName !== false) posthog.capture('$opt_in')
    },
    reset() {
      const { isOut } = stored
      Object.keys(stored).forEach((key) => delete stored[key])
      // Consent is cleared along with the rest.
      if (isOut) stored.isOut = false
      anew()
    },
    capture(event, properties = {}, { uuid, timestamp } = {}) {
      if (stored.isOut) return
      if (typeof event != 'string' || !event) return ph.faults.push('capture without a name')
      if (!UUID.test(uuid)) ph.faults.push('no uuid: ' + uuid + ' of ' + event)
      if (!(timestamp instanceof Date) || isNaN(timestamp)) ph.faults.push('no time: ' + event)
      const found = { event, uuid, distinct_id: stored.distinct_id, ...properties, timestamp: timestamp?.toISOString?.() }
      if (!ph.events.some((other) => other.uuid == uuid && other.event == event && other.distinct_id == found.distinct_id)) ph.events.push(found)
    },
    identify(id, set) {
      if (stored.isOut) return
      if (typeof id != 'string' || !id) return ph.faults.push('identify without an id')
      const previous = stored.distinct_id
      const wasAnonymous = !stored.isIdentified
      if (id != previous && !wasAnonymous) ph.faults.push('identify of ' + id + ' while ' + previous)
      stored.distinct_id = id
      stored.isIdentified = true
      keep()
      ph.persons[id] = { ...ph.persons[id], ...set }
      if (id != previous && wasAnonymous) ph.events.push({ event: '$identify', distinct_id: id, $anon_distinct_id: previous, $set: set ?? {} })
      else if (set) ph.events.push({ event: '$set', distinct_id: id, $set: set })
    },
    setPersonProperties(set) {
      ph.events.push({ event: '$set', distinct_id: stored.distinct_id, $set: set })
    },
    group(type, key, properties) {
      ph.groups[type] = { key, properties }
    },
    alias(alias, original) {
      ph.events.push({ event: '$create_alias', alias, distinct_id: original })
    },
  }
  posthog.init = (key, given, name) => {
    ph.config = config = { ...given, key, name }
    for (const option of ['autocapture', 'capture_pageview', 'capture_pageleave']) if (config[option] !== false) ph.faults.push(option)
    if (stored.distinct_id == undefined) anew()
    config.loaded?.(posthog)
    return posthog
  }
  const snippet = window.posthog
  window.posthog = posthog
  if (!Array.isArray(snippet?._i)) return
  for (const [key, given, name] of snippet._i) posthog.init(key, given, name)
  if (snippet.length) ph.faults.push('calls in the snippet, which come in another order')
})()
