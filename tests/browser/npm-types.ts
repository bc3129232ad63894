// Compiled, never run, by npm.test.mjs: what a typed site may write, and what must be an error.
import {
  AnalyticsBrowser,
  ContextCancelation,
  createAnalytics,
  type AliasParams,
  type Analytics,
  type AnalyticsBrowserSettings,
  type AnalyticsSettings,
  type CDNSettings,
  type Callback,
  type Context,
  type DestinationMiddlewareFunction,
  type DispatchedEvent,
  type EventParams,
  type EventProperties,
  type Group,
  type GroupParams,
  type GroupTraits,
  type ID,
  type IdentifyParams,
  type InitOptions,
  type Integrations,
  type JSONObject,
  type JSONValue,
  type MiddlewareFunction,
  type Options,
  type PageParams,
  type Plugin,
  type SegmentEvent,
  type Traits,
  type User,
  type UserOptions,
  type UserTraits,
} from '@onym/browser'
import { AnalyticsProvider, useAnalytics } from '@onym/browser/react'

const settings: AnalyticsBrowserSettings = { writeKey: 'k' }
const options: InitOptions = { cookie: { maxage: 7 }, user: { persist: false } satisfies UserOptions }
const analytics = AnalyticsBrowser.load(settings, { ...options, apiHost: 'https://t.example.com' })
AnalyticsBrowser.load({ writeKey: 'k', apiHost: 't.example.com' })
AnalyticsBrowser.load({ writeKey: 'k' }, { integrations: { 'Segment.io': { apiHost: 't.example.com/v1' } } })
new AnalyticsBrowser().load({ writeKey: 'k' }, { apiHost: 't.example.com' })
// @ts-expect-error the host is required
AnalyticsBrowser.load({ writeKey: 'k' })
// @ts-expect-error the host is required
AnalyticsBrowser.load({ writeKey: 'k' }, { initialPageview: true })
// @ts-expect-error the key is required
AnalyticsBrowser.load({}, { apiHost: 't.example.com' })
// @ts-expect-error a key is a text
AnalyticsBrowser.load({ writeKey: 1 }, { apiHost: 't.example.com' })

const done: Callback = (context) => context.event.type
analytics.track('Signed Up')
analytics.track('Signed Up', { plan: 'Free' }, { timestamp: new Date(), integrations: { All: false } }, done)
analytics.track('Signed Up', done)
analytics.track('Signed Up', null, { anonymousId: 'a' })
analytics.track('Signed Up', { plan: 'Free' }, done)
analytics.track({ event: 'Signed Up', properties: { plan: 'Free' } }, done)
// @ts-expect-error an event has a name
analytics.track()
// @ts-expect-error a name is a text
analytics.track(5)
// @ts-expect-error properties are an object
analytics.track('Signed Up', 'Free')
// @ts-expect-error a time is a date or a text
analytics.track('Signed Up', {}, { timestamp: 5n })

analytics.identify('u1')
analytics.identify('u1', { email: 'kim@example.com', createdAt: new Date(), company: { name: 'rdio' }, own: [1] })
analytics.identify({ email: 'kim@example.com' })
analytics.identify(null, { email: null })
analytics.identify(12345, {}, done)
analytics.identify()
// @ts-expect-error an e-mail address is a text
analytics.identify('u1', { email: 5 })
// @ts-expect-error an id is a text or a number
analytics.identify(true)

analytics.page()
analytics.page('Home')
analytics.page('Docs', 'Start', { title: 'Start' }, { context: {} }, done)
analytics.page({ title: 'Start' })
analytics.page('Home', done)
analytics.page(null, 'Home')
analytics.screen('Home', { a: 1 })
// @ts-expect-error a name is a text
analytics.page(5)

analytics.group('g1', { name: 'rdio', employees: 10 }, {}, done)
analytics.group({ name: 'rdio' })
analytics.alias('new', 'old', {}, done)
analytics.alias(5)
// @ts-expect-error an alias has an id
analytics.alias()

const names = async () => {
  const [loaded, context] = await analytics
  const library: Analytics = loaded
  const told: Context = context
  const user: User = await analytics.user()
  const group: Group = await analytics.group()
  const ids: ID[] = [user.id(), user.anonymousId(), group.id()]
  const sent: DispatchedEvent = await analytics.track('a')
  const traits: Traits = library.user().traits()
  await analytics.then(([one]) => one.track('then')).catch(() => null).finally(() => {})
  return { told, ids, sent, traits, instance: analytics.instance?.user() }
}

const plugin: Plugin = {
  name: 'Consent',
  type: 'enrichment',
  version: '1.0.0',
  isLoaded: () => true,
  load: async (context, instance) => void [context, instance.user().id()],
  track: (context) => {
    if (context.event.event == 'secret') throw new ContextCancelation({ retry: false, reason: 'secret' })
    context.updateEvent('properties.seen', true)
    return context
  },
  identify: async (context) => context,
}
const middleware: MiddlewareFunction = ({ payload, next, integrations }) => {
  payload.obj.context = { ...payload.obj.context, n: Object.keys(integrations ?? {}).length }
  next(payload)
}
const toDestination: DestinationMiddlewareFunction = ({ payload, next, integration }) =>
  next(integration == 'Ads' ? null : payload)
void analytics.register(plugin)
void createAnalytics().register(plugin)
analytics.addSourceMiddleware(middleware)
analytics.addDestinationMiddleware('Ads', toDestination)
analytics.trackLink(document.querySelectorAll('a'), 'Clicked', (link: Element) => ({ id: link.id }))

const user: UserTraits = { email: 'kim@example.com' }
const group: GroupTraits = { employees: '10' }
const event: SegmentEvent = { type: 'track', event: 'a', context: {}, integrations: {} }
const forwarded: EventProperties & JSONObject = { deep: { list: [1, null, 'a'] satisfies JSONValue } }
const callOptions: Options = { integrations: { All: false, Ads: { id: 1 } } satisfies Integrations }
const cdn: CDNSettings = { integrations: { 'Segment.io': { apiKey: 'k' } } }
const settled: AnalyticsSettings = { writeKey: 'k', cdnSettings: cdn }
const track = (...args: EventParams) => analytics.track(...args)
const identify = (...args: IdentifyParams) => analytics.identify(...args)
const page = (...args: PageParams) => analytics.page(...args)
const join = (...args: GroupParams) => analytics.group(...args)
const alias = (...args: AliasParams) => analytics.alias(...args)

AnalyticsProvider({ writeKey: 'k', apiHost: 't.example.com', children: null })
useAnalytics().track('from a component')
export default { names, user, group, event, forwarded, callOptions, settled, track, identify, page, join, alias }
