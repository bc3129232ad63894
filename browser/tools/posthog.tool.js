// PostHog, as a receiver only: no autocapture, no page views of its own. Its anonymous id is Onym's, so that its $identify
// names the right previous one, and a call's uuid is made of the messageId (UUID version 5, the namespace of OIDs), so that
// a server that tells PostHog the same call gives the same uuid and PostHog keeps one. It is told nothing before it has
// loaded: its own queue would put calls in another order.
import { uuidOf } from './uuid5.tool.js'
import { addScript } from './vendor.tool.js'

/** Says that it is this file that has refused for the visitor: a refusal of the site's own is not taken back. */
const REFUSED = 'onym-posthog-refused'
const area = () => {
  try {
    return localStorage
  } catch {
    return {}
  }
}

export default ({ api_key, api_host = 'https://us.i.posthog.com', group_type = 'company', session_recording }, given, gone) => {
  /** Theirs, once it has loaded; until then what is to be done waits. */
  let posthog
  let waiting = []
  let anonymous
  let isStarted
  let isRefused
  const soon = (run) => (posthog ? run() : waiting.length < 1000 && waiting.push(run))
  const obey = () => {
    if (isRefused) {
      posthog.reset(true)
      posthog.opt_out_capturing()
      area()[REFUSED] = 1
    } else if (area()[REFUSED]) {
      posthog.opt_in_capturing({ captureEventName: false })
      delete area()[REFUSED]
    }
  }
  const start = () => {
    isStarted = true
    if (window.posthog) return console.warn('Onym: this page has PostHog itself; left to it')
    const config = {
      api_host,
      autocapture: false,
      capture_pageview: false,
      capture_pageleave: false,
      disable_session_recording: !session_recording,
      get_device_id: () => anonymous,
      loaded(instance) {
        posthog = instance
        for (const run of [obey, ...waiting])
          try {
            run()
          } catch (error) {
            console.error(error)
          }
      },
    }
    window.posthog = Object.assign([], { _i: [[api_key, config, 'posthog']], __SV: 1 })
    addScript(api_host.replace('.i.posthog.com', '-assets.i.posthog.com') + '/static/array.js', gone, { crossOrigin: 'anonymous' })
  }
  const send = ({ type, anonymousId, userId, event, name, groupId, previousId, messageId, timestamp, properties, traits, context }) => {
    // A property distinct_id would make it somebody else's.
    const { distinct_id, ...others } = properties ?? {}
    const capture = (name, own) =>
      posthog.capture(name, { ...others, ...own, $insert_id: messageId }, { uuid: uuidOf(messageId), timestamp: new Date(timestamp) })
    // As the visitor of the call, whoever the last one was.
    anonymous = anonymousId ?? anonymous
    const has = posthog.get_distinct_id()
    if (type != 'alias' && has != anonymous && has != userId) posthog.reset(true)
    const told = type == 'identify' ? [traits ?? {}] : []
    if (userId && type != 'alias' && (told[0] || has != userId)) posthog.identify(userId, ...told)
    else if (told[0]) posthog.setPersonProperties(...told)
    if (type == 'track') capture(event, { $current_url: context.page?.url })
    if (type == 'page') capture('$pageview', { $current_url: properties.url, $pathname: properties.path, $referrer: properties.referrer, title: properties.title })
    if (type == 'screen') capture('$screen', { $screen_name: name })
    if (type == 'group') posthog.group(group_type, groupId, traits)
    if (type == 'alias') posthog.alias(userId, previousId)
  }
  return {
    call(message) {
      anonymous ??= message.anonymousId
      if (!isStarted) start()
      soon(() => send(message))
    },
    reset(anonymousId) {
      soon(() => {
        anonymous = anonymousId
        posthog.reset(true)
      })
    },
    consent(isGranted) {
      if (isRefused == !isGranted) return
      isRefused = !isGranted
      if (isRefused) waiting = []
      if (posthog) obey()
    },
  }
}
