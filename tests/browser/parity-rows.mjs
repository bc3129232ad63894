// The rows of parity.test.mjs: [what, a function for the page, {before, options, settings}]. Each function is given
// `{analytics, seen}`, the loaded library; or `{analytics, load, …}`, then it loads itself. What it puts into `seen` and
// what it answers is compared, and what was sent.

const all = (calls) => calls.map(([name, script, more]) => [name, script, more])

const args = {
  'arguments of track': all([
    ['event', ({ analytics }) => void analytics.track('E')],
    ['event, properties', ({ analytics }) => void analytics.track('E', { a: 1 })],
    ['event, properties, options', ({ analytics }) => void analytics.track('E', { a: 1 }, { opt: 1, context: { c: 2 } })],
    ['event, callback', ({ analytics, seen }) => analytics.track('E', (c) => (seen.cb = c.event.event)).then(() => {})],
    ['event, properties, callback', ({ analytics, seen }) => analytics.track('E', { a: 1 }, (c) => (seen.cb = c.event.properties)).then(() => {})],
    ['event, properties, options, callback', ({ analytics, seen }) => analytics.track('E', { a: 1 }, { o: 1 }, (c) => (seen.cb = c.event.context.o)).then(() => {})],
    ['event, null, options', ({ analytics }) => void analytics.track('E', null, { o: 1 })],
    ['event, undefined, options with a page', ({ analytics }) => void analytics.track('E', undefined, { context: { page: { path: '/custom' } } })],
    ['an object', ({ analytics }) => void analytics.track({ event: 'E', properties: { a: 1 } })],
    ['an object, options', ({ analytics }) => void analytics.track({ event: 'E', properties: { a: 1 } }, { o: 1 })],
    ['an object, callback', ({ analytics, seen }) => analytics.track({ event: 'E', properties: { a: 1 } }, (c) => (seen.cb = c.event.event)).then(() => {})],
    ['an object without properties', ({ analytics }) => void analytics.track({ event: 'E' })],
    ['properties that have a name', ({ analytics }) => void analytics.track('E', { name: 'n', category: 'c' })],
    ['dates, lists and nested values', ({ analytics }) => void analytics.track('E', { d: new Date(0), l: [1, [2]], o: { n: null } })],
    ['no event', ({ analytics, seen }) => analytics.track().catch(() => (seen.rejected = true)).then(() => {})],
    ['an object without event', ({ analytics, seen }) => analytics.track({ properties: {} }).catch(() => (seen.rejected = true)).then(() => {})],
  ]),
  'arguments of page': all([
    ['nothing', ({ analytics }) => void analytics.page()],
    ['name', ({ analytics }) => void analytics.page('N')],
    ['category, name', ({ analytics }) => void analytics.page('C', 'N')],
    ['category, name, properties', ({ analytics }) => void analytics.page('C', 'N', { a: 1 })],
    ['category, name, properties, options, callback', ({ analytics, seen }) => analytics.page('C', 'N', { a: 1 }, { o: 1 }, (c) => (seen.cb = c.event.name)).then(() => {})],
    ['category, name, properties, callback', ({ analytics, seen }) => analytics.page('C', 'N', { a: 1 }, (c) => (seen.cb = c.event.name)).then(() => {})],
    ['category, name, callback', ({ analytics, seen }) => analytics.page('C', 'N', (c) => (seen.cb = c.event.name)).then(() => {})],
    ['name, properties', ({ analytics }) => void analytics.page('N', { a: 1 })],
    ['name, properties, options', ({ analytics }) => void analytics.page('N', { a: 1 }, { o: 1 })],
    ['name, properties, callback', ({ analytics, seen }) => analytics.page('N', { a: 1 }, (c) => (seen.cb = c.event.name)).then(() => {})],
    ['name, callback', ({ analytics, seen }) => analytics.page('N', (c) => (seen.cb = c.event.name)).then(() => {})],
    ['properties', ({ analytics }) => void analytics.page({ a: 1 })],
    ['properties, options', ({ analytics }) => void analytics.page({ a: 1 }, { o: 1 })],
    ['properties, callback', ({ analytics, seen }) => analytics.page({ a: 1 }, (c) => (seen.cb = c.event.properties.a)).then(() => {})],
    ['callback', ({ analytics, seen }) => analytics.page((c) => (seen.cb = c.event.type)).then(() => {})],
    ['null, name, properties', ({ analytics }) => void analytics.page(null, 'N', { a: 1 })],
    ['name, null, properties', ({ analytics }) => void analytics.page('N', null, { a: 1 })],
    ['name, null, null, options', ({ analytics }) => void analytics.page('N', null, null, { o: 1 })],
    ['null, null, properties', ({ analytics }) => void analytics.page(null, null, { a: 1 })],
    ['null, null, null, options', ({ analytics }) => void analytics.page(null, null, null, { o: 1 })],
    ['undefined three times, options', ({ analytics }) => void analytics.page(undefined, undefined, undefined, { o: 1 })],
    ['empty texts', ({ analytics }) => void analytics.page('', '', null, { o: 1 })],
    ['a name of its own in the properties', ({ analytics }) => void analytics.page('N', { name: 'other', category: 'c' })],
    ['category, name and both in the properties', ({ analytics }) => void analytics.page('C', 'N', { name: 'other', category: 'c' })],
    ['undefined, properties, options with a name', ({ analytics }) => void analytics.page('N', undefined, undefined, { name: 'other' })],
    ['screen', ({ analytics }) => void analytics.screen('C', 'N', { a: 1 }, { o: 1 })],
    ['screen without a category', ({ analytics }) => void analytics.screen('N', { a: 1 })],
  ]),
  'arguments of identify and group': all([
    ['id', ({ analytics }) => void analytics.identify('u')],
    ['id, traits', ({ analytics }) => void analytics.identify('u', { a: 1 })],
    ['id, traits, options', ({ analytics }) => void analytics.identify('u', { a: 1 }, { o: 1, integrations: { X: false } })],
    ['id, traits, options, callback', ({ analytics, seen }) => analytics.identify('u', { a: 1 }, { o: 1 }, (c) => (seen.cb = c.event.userId)).then(() => {})],
    ['id, traits, callback', ({ analytics, seen }) => analytics.identify('u', { a: 1 }, (c) => (seen.cb = c.event.userId)).then(() => {})],
    ['id, callback', ({ analytics, seen }) => analytics.identify('u', (c) => (seen.cb = c.event.userId)).then(() => {})],
    ['id, null, options', ({ analytics }) => void analytics.identify('u', null, { o: 1 })],
    ['traits', ({ analytics }) => void analytics.identify({ a: 1 })],
    ['traits of a known user', ({ analytics }) => void (analytics.identify('u', { a: 1 }), analytics.identify({ b: 2 }))],
    ['traits, options', ({ analytics }) => void analytics.identify({ a: 1 }, { o: 1 })],
    ['traits, options, callback', ({ analytics, seen }) => analytics.identify({ a: 1 }, { o: 1 }, (c) => (seen.cb = c.event.traits)).then(() => {})],
    ['traits, callback', ({ analytics, seen }) => analytics.identify({ a: 1 }, (c) => (seen.cb = c.event.traits)).then(() => {})],
    ['null, traits', ({ analytics }) => void analytics.identify(null, { a: 1 })],
    ['undefined, traits', ({ analytics }) => void analytics.identify(undefined, { a: 1 })],
    ['null, traits, known', ({ analytics }) => void (analytics.identify('u'), analytics.identify(null, { a: 1 }))],
    ['a number', ({ analytics }) => void analytics.identify(123)],
    ['another user', ({ analytics }) => void (analytics.identify('u', { a: 1 }), analytics.identify('v', { b: 2 }))],
    ['the same user again', ({ analytics }) => void (analytics.identify('u', { a: 1 }), analytics.identify('u', { b: 2 }))],
    ['traits that are null', ({ analytics }) => void (analytics.identify('u', { a: 1 }), analytics.identify('u', { a: null }))],
    ['group: id', ({ analytics }) => void analytics.group('g')],
    ['group: id, traits', ({ analytics }) => void analytics.group('g', { a: 1 })],
    ['group: id, traits, options, callback', ({ analytics, seen }) => analytics.group('g', { a: 1 }, { o: 1 }, (c) => (seen.cb = c.event.groupId)).then(() => {})],
    ['group: traits', ({ analytics }) => void (analytics.group('g'), analytics.group({ b: 2 }))],
    ['group: another', ({ analytics }) => void (analytics.group('g', { a: 1 }), analytics.group('h', { b: 2 }))],
    ['group: a number', ({ analytics }) => void analytics.group(5)],
    ['group() gives the group', ({ analytics, seen }) => void (analytics.group('g', { a: 1 }), (seen.id = analytics.group().id()), (seen.traits = analytics.group().traits()))],
  ]),
  'arguments of alias': all([
    ['to, from', ({ analytics }) => void analytics.alias('to', 'from')],
    ['to, from, options, callback', ({ analytics, seen }) => analytics.alias('to', 'from', { o: 1 }, (c) => (seen.cb = c.event.userId)).then(() => {})],
    ['to, from, callback', ({ analytics, seen }) => analytics.alias('to', 'from', (c) => (seen.cb = c.event.previousId)).then(() => {})],
    ['to', ({ analytics }) => void analytics.alias('to')],
    ['to, options', ({ analytics }) => void analytics.alias('to', { o: 1 })],
    ['to, callback', ({ analytics, seen }) => analytics.alias('to', (c) => (seen.cb = c.event.userId)).then(() => {})],
    ['a number', ({ analytics }) => void analytics.alias(5, 6)],
  ]),
}

const events = {
  'what a message has': all([
    ['options go into the context', ({ analytics }) => void analytics.track('E', {}, { opt1: true, opt2: { a: 1 } })],
    ['known options do not', ({ analytics }) => void analytics.track('E', {}, { anonymousId: 'an', userId: 'us', integrations: { A: true }, timestamp: new Date(0) })],
    ['a context is merged with options', ({ analytics }) => void analytics.track('E', {}, { o: 1, context: { o: 2, library2: 'x', page: { title: 'T' } } })],
    ['traits in options', ({ analytics }) => void analytics.track('E', {}, { traits: { plan: 'Free' } })],
    ['traits in the context', ({ analytics }) => void analytics.track('E', {}, { context: { traits: { plan: 'Free' } } })],
    ['an anonymousId for this and the next', ({ analytics, seen }) => void (analytics.track('E', {}, { anonymousId: 'an' }), analytics.track('F'), (seen.id = analytics.user().anonymousId()))],
    ['a userId for this one only', ({ analytics, seen }) => void (analytics.track('E', {}, { userId: 'x' }), analytics.track('F'), (seen.id = analytics.user().id()))],
    ['a userId over the known one', ({ analytics }) => void (analytics.identify('u'), analytics.track('E', {}, { userId: 'x' }))],
    ['userId and anonymousId of group', ({ analytics }) => void analytics.group('g', {}, { userId: 'bar', anonymousId: 'foo' })],
    ['a timestamp as a text', ({ analytics }) => void analytics.track('E', {}, { timestamp: '2021-05-05T00:00:00.000Z' })],
    ['a timestamp as a date', ({ analytics }) => void analytics.track('E', {}, { timestamp: new Date('2021-05-05') })],
    ['integrations of the call', ({ analytics }) => void analytics.track('E', {}, { integrations: { amplitude: false } })],
    ['integrations of load and call', ({ analytics }) => void analytics.track('E', {}, { integrations: { A: false } }), { options: { integrations: { A: true, B: true } } }],
    ['settings of integrations at load are switches only', ({ analytics }) => void analytics.track('E'), { options: { integrations: { A: { id: 1 }, B: false } } }],
    ['settings of integrations in a call go out', ({ analytics }) => void analytics.track('E', {}, { integrations: { W: { ids: ['a'], all: true } } })],
    ['the known user', ({ analytics }) => void (analytics.identify('007', { b: 1 }), analytics.track('E'), analytics.page(), analytics.group('g'))],
    ['user traits of identify go with no other call', ({ analytics }) => void (analytics.identify('u', { a: 1 }), analytics.track('E'))],
    ['messageIds differ', async ({ analytics, seen }) => {
      const ids = await Promise.all(Array.from({ length: 20 }, () => analytics.track('E').then((c) => c.event.messageId)))
      seen.count = new Set(ids).size
    }],
  ]),
  'the page': all([
    ['of a call', ({ analytics }) => void analytics.track('E')],
    ['with a query and a hash', ({ analytics }) => void analytics.page(), { before: "history.replaceState({}, '', '/a/b?q=1#h')" }],
    ['canonical', ({ analytics }) => void analytics.page(), { before: "document.head.insertAdjacentHTML('beforeend', '<link rel=canonical href=\"http://www.example.com/test\">'); history.replaceState({}, '', '/nope')" }],
    ['canonical, with a query of the page', ({ analytics }) => void analytics.page(), { before: "document.head.insertAdjacentHTML('beforeend', '<link rel=canonical href=\"http://www.example.com/test\">'); history.replaceState({}, '', '/nope?a=1')" }],
    ['canonical with a query', ({ analytics }) => void analytics.page(), { before: "document.head.insertAdjacentHTML('beforeend', '<link rel=canonical href=\"http://www.example.com?test=true\">'); history.replaceState({}, '', '/nope?a=1')" }],
    ['canonical that is empty', ({ analytics }) => void analytics.page(), { before: "document.head.insertAdjacentHTML('beforeend', '<link rel=canonical href=\"\">'); history.replaceState({}, '', '/here?a=1')" }],
    ['properties of page override', ({ analytics }) => void analytics.page('N', { path: 'override' })],
    ['properties of page that are empty', ({ analytics }) => void analytics.page('N', { referrer: '', title: null })],
    ['properties of page that are undefined', ({ analytics }) => void analytics.page('N', { path: undefined })],
    ['properties of track do not', ({ analytics }) => void analytics.track('E', { path: 'foo', url: 'http://x/', title: 'T' })],
    ['the page in options', ({ analytics }) => void analytics.page('N', { a: 1 }, { page: { url: 'not-localhost' } })],
    ['a referrer among the properties', ({ analytics }) => void analytics.page('N', { a: 1, referrer: 'foo' })],
    ['of identify', ({ analytics }) => void analytics.identify('u', { a: 1 })],
    ['of a call before load', async ({ analytics, load }) => {
      const early = analytics.track('E')
      history.replaceState({}, '', '/later')
      await load()
      await early
    }],
    ['pageview', ({ analytics }) => void analytics.pageview('/an/url')],
  ]),
  campaigns: all([
    ['five of them', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?utm_source=s&utm_medium=m&utm_term=t&utm_content=c&utm_campaign=n')" }],
    ['others', ({ analytics }) => void analytics.page(), { before: "history.replaceState({}, '', '/?utm_source=s&utm_id=5&x=1')" }],
    ['encoded', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?utm_source=a%20b&utm_campaign=%C3%A9')" }],
    ['plus signs', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?utm_source=a+b')" }],
    ['an own one', ({ analytics }) => void analytics.track('E', {}, { context: { campaign: { name: 'mine' } } }), { before: "history.replaceState({}, '', '/?utm_source=s')" }],
    ['none', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?x=1')" }],
    ['an own search', ({ analytics }) => void analytics.page('N', { search: '?utm_source=mine' })],
    ['utm_ alone', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?utm_=x&utm_source=s')" }],
  ]),
}

const user = {
  user: all([
    ['nobody at first', ({ analytics, seen }) => void ((seen.id = analytics.user().id()), (seen.traits = analytics.user().traits()), (seen.length = analytics.user().anonymousId().length))],
    ['id sets and gives', ({ analytics, seen }) => void ((seen.a = analytics.user().id('u')), (seen.b = analytics.user().id()))],
    ['a number becomes a text', ({ analytics, seen }) => void ((seen.a = analytics.user().id(1234)), (seen.b = typeof analytics.user().id()))],
    ['id null forgets', ({ analytics, seen }) => void (analytics.user().id('u'), (seen.a = analytics.user().id(null)), (seen.b = analytics.user().id()))],
    ['another id renews the anonymous one', ({ analytics, seen }) => {
      const first = analytics.user().anonymousId()
      analytics.user().id('a')
      seen.same = analytics.user().anonymousId() == first
      analytics.user().id('a')
      seen.again = analytics.user().anonymousId() == first
      analytics.user().id('b')
      seen.other = analytics.user().anonymousId() == first
      const second = analytics.user().anonymousId()
      analytics.user().id(null)
      seen.none = analytics.user().anonymousId() == second
    }],
    ['traits set and give', ({ analytics, seen }) => void ((seen.a = analytics.user().traits({ a: 1 })), (seen.b = analytics.user().traits()))],
    ['traits null', ({ analytics, seen }) => void (analytics.user().traits({ a: 1 }), (seen.a = analytics.user().traits(null)), (seen.b = analytics.user().traits()))],
    ['identify extends', ({ analytics, seen }) => void (analytics.user().traits({ a: 1 }), analytics.user().identify('u', { b: 2 }), (seen.a = analytics.user().traits()))],
    ['identify of another does not', ({ analytics, seen }) => void (analytics.user().identify('u', { a: 1 }), analytics.user().identify('v', { b: 2 }), (seen.a = analytics.user().traits()))],
    ['identify of another without traits', ({ analytics, seen }) => void (analytics.user().identify('u', { a: 1 }), analytics.user().identify('v'), (seen.a = analytics.user().traits()))],
    ['identify null', ({ analytics, seen }) => void (analytics.user().identify(null, { a: 1 }), (seen.a = analytics.user().traits()), (seen.id = analytics.user().id()))],
    ['logout', ({ analytics, seen }) => void (analytics.user().identify('u', { a: 1 }), analytics.user().logout(), (seen.id = analytics.user().id()), (seen.a = analytics.user().traits()))],
    ['reset', ({ analytics, seen }) => void (analytics.identify('u', { a: 1 }), analytics.group('g', { b: 1 }), analytics.reset(), (seen.all = [analytics.user().id(), analytics.user().traits(), analytics.group().id(), analytics.group().traits()]))],
    ['the next call after reset is another visitor', ({ analytics }) => void (analytics.identify('u'), analytics.reset(), analytics.track('E'))],
    ['anonymousId sets and gives', ({ analytics, seen }) => void ((seen.a = analytics.user().anonymousId('an')), (seen.b = analytics.user().anonymousId()))],
    ['setAnonymousId', ({ analytics, seen }) => void ((seen.a = analytics.setAnonymousId('an')), analytics.track('E'))],
    ['setAnonymousId without one', ({ analytics, seen }) => void (seen.length = analytics.setAnonymousId().length)],
    ['the group has no anonymous id', ({ analytics, seen }) => void (seen.a = typeof analytics.group().anonymousId?.())],
    ['group id and traits', ({ analytics, seen }) => void (analytics.group().id('g'), analytics.group().traits({ a: 1 }), (seen.all = [analytics.group().id(), analytics.group().traits()]))],
    ['save and load', ({ analytics, seen }) => void (analytics.user().identify('u', { a: 1 }), analytics.user().save(), (seen.id = analytics.user().load().id()))],
  ]),
  'what is stored': all([
    ['cookies', ({ analytics, seen }) => {
      analytics.identify('a b;é', { n: 1 })
      analytics.group('g')
      const find = (name) => new RegExp(name + '=([^;]*)').exec(document.cookie)?.[1]
      seen.all = [find('ajs_user_id'), find('ajs_group_id'), find('ajs_anonymous_id') == analytics.user().anonymousId()]
    }],
    ['localStorage', ({ analytics, seen }) => {
      analytics.identify('u', { n: 1 })
      analytics.group('g', { s: 2 })
      seen.all = ['ajs_user_id', 'ajs_user_traits', 'ajs_group_id', 'ajs_group_properties'].map((key) => localStorage.getItem(key))
      seen.own = localStorage.getItem('ajs_anonymous_id') == JSON.stringify(analytics.user().anonymousId())
    }],
    ['read from cookies', ({ analytics, seen }) => void (seen.all = [analytics.user().id(), analytics.user().anonymousId()]), { before: "document.cookie = 'ajs_user_id=le%20id'; document.cookie = 'ajs_anonymous_id=an'" }],
    ['read from cookies with quotes', ({ analytics, seen }) => void (seen.all = [analytics.user().id(), analytics.user().anonymousId()]), { before: "document.cookie = 'ajs_user_id=%22u%22'; document.cookie = 'ajs_anonymous_id=%22an%22'" }],
    ['read from localStorage', ({ analytics, seen }) => void (seen.all = [analytics.user().id(), analytics.user().anonymousId(), analytics.user().traits()]), { before: "localStorage.ajs_user_id = '\"u\"'; localStorage.ajs_anonymous_id = '\"an\"'; localStorage.ajs_user_traits = '{\"a\":1}'" }],
    ['read from localStorage without quotes', ({ analytics, seen }) => void (seen.all = [analytics.user().anonymousId()]), { before: "localStorage.ajs_anonymous_id = 'an-old'" }],
    ['own keys', ({ analytics, seen }) => {
      analytics.identify('u', { a: 1 })
      seen.all = [/my_user=u/.test(document.cookie), localStorage.getItem('my_traits'), /ajs_user_id/.test(document.cookie)]
    }, { options: { user: { cookie: { key: 'my_user' }, localStorage: { key: 'my_traits' } } } }],
    ['persist false', ({ analytics, seen }) => {
      analytics.identify('u', { a: 1 })
      seen.all = [analytics.user().id(), analytics.user().traits(), /ajs_user/.test(document.cookie), localStorage.getItem('ajs_user_id'), localStorage.getItem('ajs_user_traits')]
    }, { options: { user: { persist: false } } }],
    ['disableClientPersistence', ({ analytics, seen }) => {
      analytics.identify('u', { a: 1 })
      seen.all = [analytics.user().id(), /ajs_/.test(document.cookie), Object.keys(localStorage).filter((key) => /ajs_/.test(key))]
    }, { options: { disableClientPersistence: true } }],
    ['stores: localStorage', ({ analytics, seen }) => {
      analytics.identify('u')
      seen.all = [/ajs_/.test(document.cookie), localStorage.getItem('ajs_user_id')]
    }, { options: { storage: { stores: ['localStorage', 'memory'] } } }],
    ['stores: cookie', ({ analytics, seen }) => {
      analytics.identify('u')
      seen.all = [/ajs_user_id=u/.test(document.cookie), localStorage.getItem('ajs_user_id')]
    }, { options: { storage: { stores: ['cookie', 'memory'] } } }],
    ['reset empties the cookies', ({ analytics, seen }) => {
      analytics.identify('u')
      analytics.group('g')
      analytics.reset()
      seen.all = [/ajs_(user|group)_id=./.test(document.cookie), localStorage.getItem('ajs_user_id') ?? null]
    }],
    ['a user who is disabled', ({ analytics, seen }) => {
      const user = analytics.user()
      seen.all = [user.id('u') ?? null, user.id() ?? null, user.traits() ?? null, user.anonymousId() ?? null]
    }, { options: { user: { disable: true } } }],
    ['no localStorage for ids', ({ analytics, seen }) => {
      analytics.user().id('u')
      seen.all = [/ajs_user_id=u/.test(document.cookie), localStorage.getItem('ajs_user_id')]
    }, { options: { user: { localStorageFallbackDisabled: true } } }],
  ]),
}

const query = {
  'query string': all([
    ['ajs_uid', ({ analytics }) => void analytics.queryString('?ajs_uid=1234')],
    ['an encoded e-mail', ({ analytics }) => void analytics.queryString('?ajs_uid=user%40example.org')],
    ['a trait', ({ analytics }) => void analytics.queryString('?ajs_uid=1234&ajs_trait_address=123 St')],
    ['traits, one twice', ({ analytics }) => void analytics.queryString('?ajs_uid=1234&ajs_trait_a=1&ajs_trait_a=2&ajs_trait_b=3')],
    ['ajs_event', ({ analytics }) => void analytics.queryString('?ajs_event=Button Clicked')],
    ['properties', ({ analytics }) => void analytics.queryString('?ajs_event=E&ajs_prop_a=Home Page&ajs_prop_b=2')],
    ['ajs_aid', ({ analytics, seen }) => analytics.queryString('?ajs_aid=ghost')?.then?.(() => (seen.id = analytics.user().anonymousId())).then(() => {})],
    ['ajs_aid and ajs_event', ({ analytics }) => void analytics.queryString('?ajs_event=E&ajs_aid=ariel')],
    ['ajs_aid and ajs_uid', ({ analytics }) => void analytics.queryString('?ajs_uid=1234&ajs_aid=ariel')],
    ['plus signs', ({ analytics }) => void analytics.queryString('?ajs_event=A+B&ajs_prop_x=1+2')],
    ['traits alone', ({ analytics, seen }) => void ((seen.x = 1), analytics.queryString('?ajs_trait_a=1'))],
    ['on the page', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?ajs_aid=fromlink')" }],
    ['in the hash', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/#about?ajs_aid=fromhash')" }],
    ['switched off', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?ajs_uid=x')", options: { useQueryString: false } }],
    ['not what is allowed', ({ analytics }) => void analytics.track('E'), { before: "history.replaceState({}, '', '/?ajs_uid=x')" , options: {} }],
    ['before the calls that waited', async ({ analytics, load }) => {
      const page = analytics.page()
      await load()
      await page
    }, { before: "history.replaceState({}, '', '/?ajs_aid=123')" }],
  ]),
}

const plugins = {
  plugins: all([
    ['of every type run in order', async ({ analytics, seen }) => {
      seen.order = []
      const make = (type) => ({ name: type, type, version: '1', isLoaded: () => true, load: async () => {}, track: (c) => (seen.order.push(type), c) })
      await analytics.register(...['after', 'destination', 'enrichment', 'before'].map(make))
      await analytics.track('E')
    }],
    ['an enrichment changes what is sent', async ({ analytics }) => {
      await analytics.register({ name: 'p', type: 'enrichment', version: '1', isLoaded: () => true, load: async () => {}, track: (c) => (c.updateEvent('properties.x.y', 1), c) })
      await analytics.track('E', { a: 1 })
    }],
    ...['before', 'enrichment', 'destination', 'after'].map((type) => [
      `one of type ${type} that throws rejects nothing`,
      `async ({ analytics, seen }) => {
        await analytics.register({ name: 'p', type: '${type}', version: '1', isLoaded: () => true, load: async () => {}, track: () => { throw new Error('no') } })
        const context = await analytics.track('E')
        seen.failed = !!context.failedDelivery()
        seen.event = context.event.event
      }`,
    ]),
    ['before that cancels', async ({ analytics, seen }) => {
      await analytics.register({ name: 'p', type: 'before', version: '1', isLoaded: () => true, load: async () => {}, track: (c) => c.cancel() })
      seen.failed = !!(await analytics.track('E')).failedDelivery()
    }],
    ['a context', async ({ analytics, seen }) => {
      const context = await analytics.track('E')
      seen.all = [typeof context.id, typeof context.log, context.logs().length >= 0, typeof context.stats.increment, typeof context.logger.log, context.isSame(context), Object.keys(context.toJSON()).sort(), context.failedDelivery() ?? null, context.attempts >= 0]
    }],
    ['middleware changes', async ({ analytics }) => {
      await analytics.addSourceMiddleware(({ payload, next }) => {
        payload.obj.context.hello = 'from the other side'
        next(payload)
      })
      await analytics.track('E')
    }],
    ['middleware reads as a facade', async ({ analytics, seen }) => {
      await analytics.addSourceMiddleware(({ payload, next, integrations }) => {
        seen.all = [payload.type(), payload.event?.(), payload.userId(), payload.properties?.(), payload.field('type'), payload.proxy('properties.a.b'), payload.json().type, payload.obj.type, integrations]
        next(payload)
      })
      await analytics.track('E', { a: { b: 2 } }, { userId: 'u' })
    }],
    ['middleware without next drops', async ({ analytics, seen }) => {
      await analytics.addSourceMiddleware(() => {})
      seen.failed = !!(await analytics.track('E')).failedDelivery()
    }],
    ['middleware that throws drops', async ({ analytics, seen }) => {
      await analytics.addSourceMiddleware(() => { throw new Error('no') })
      seen.failed = !!(await analytics.track('E')).failedDelivery()
    }],
    ['middleware that calls next without anything', async ({ analytics }) => {
      await analytics.addSourceMiddleware(({ next }) => next())
      await analytics.track('E')
    }],
    ['middleware registered before load', async ({ analytics, load }) => {
      analytics.addSourceMiddleware(({ payload, next }) => {
        payload.obj.event += '!'
        next(payload)
      })
      const early = analytics.track('E')
      await load()
      await early
    }],
    ['destinations and integrations', async ({ analytics, seen }) => {
      seen.got = []
      const make = (name) => ({ name, type: 'destination', version: '1', isLoaded: () => true, load: async () => {}, track: (c) => (seen.got.push(name), c) })
      await analytics.register(make('A'), make('B'))
      await analytics.track('E', {}, { integrations: { A: false } })
      await analytics.track('E', {}, { integrations: { All: false, A: true, 'Segment.io': true } })
    }],
    ['destination middleware', async ({ analytics, seen }) => {
      const plugin = { name: 'A', type: 'destination', version: '1', isLoaded: () => true, load: async () => {}, track: (c) => ((seen.got = c.event.properties), c) }
      await analytics.register(plugin)
      await analytics.track('E', { a: 1 })
    }],
    ['plugins of the settings', async ({ analytics, load, seen }) => {
      const early = analytics.track('E')
      await load()
      seen.ready = typeof analytics.instance
      await early
    }],
    ['queue.plugins names what was registered', async ({ analytics, seen }) => {
      await analytics.register({ name: 'mine', type: 'utility', version: '1', isLoaded: () => true, load: async () => {} })
      seen.found = analytics.queue.plugins.some((plugin) => plugin.name == 'mine')
      await analytics.deregister('mine')
      seen.gone = !analytics.queue.plugins.some((plugin) => plugin.name == 'mine')
    }],
    ['unload is called', async ({ analytics, seen }) => {
      await analytics.register({ name: 'mine', type: 'utility', version: '1', isLoaded: () => true, load: async () => {}, unload: async () => void (seen.unloaded = true) })
      await analytics.deregister('mine')
    }],
    ['load is given a context and the library', async ({ analytics, seen }) => {
      await analytics.register({ name: 'mine', type: 'utility', version: '1', isLoaded: () => true, load: async (context, library) => void (seen.all = [!!context.event, typeof library.track, typeof context.log]) })
    }],
    ['ready waits for plugins', async ({ analytics, seen, sleep }) => {
      await analytics.register({ name: 'mine', type: 'destination', version: '1', isLoaded: () => true, load: async () => {}, ready: () => sleep(40) })
      analytics.ready(() => (seen.ready = true))
      seen.early = !!seen.ready
      await sleep(90)
    }],
    ['an error in a callback is not the caller’s', async ({ analytics, seen }) => {
      await analytics.track('E', {}, {}, () => { throw new Error('mine') }).catch(() => (seen.rejected = true))
    }],
  ]),
  'events of the library': all([
    ...['track', 'identify', 'page', 'group', 'alias', 'screen'].map((method) => [
      method,
      `async ({ analytics, seen }) => {
        analytics.on('${method}', (...told) => (seen.told = told.slice(0, ${method == 'page' || method == 'screen' ? 2 : 2})))
        await analytics.${method}('one', ${/page|screen|alias/.test(method) ? "'two'" : '{ a: 1 }'}, {})
      }`,
    ]),
    ['reset', ({ analytics, seen }) => void (analytics.on('reset', () => (seen.told = true)), analytics.reset())],
    ['once', async ({ analytics, seen }) => {
      seen.count = 0
      analytics.once('track', () => seen.count++)
      await analytics.track('a')
      await analytics.track('b')
    }],
    ['off', async ({ analytics, seen }) => {
      seen.count = 0
      const listener = () => seen.count++
      analytics.on('track', listener)
      analytics.off('track', listener)
      await analytics.track('a')
    }],
    ['emit', ({ analytics, seen }) => void (analytics.on('mine', (...told) => (seen.told = told)), analytics.emit('mine', 1, 'b'))],
    ['before load', async ({ analytics, load, seen }) => {
      analytics.on('track', (name) => (seen.told = name))
      const early = analytics.track('E')
      await load()
      await early
    }],
  ]),
  'before load': all([
    ['calls wait', async ({ analytics, load }) => {
      const early = [analytics.identify('u', { a: 1 }), analytics.track('E')]
      await load()
      await Promise.all(early)
    }],
    ['user and group can be awaited', async ({ analytics, load, seen }) => {
      const early = [analytics.user(), analytics.group()]
      await load()
      const [user, group] = await Promise.all(early)
      seen.all = [user.id(), group.id(), typeof user.anonymousId()]
    }],
    ['a call answers with its context', async ({ analytics, load, seen }) => {
      const early = analytics.track('E', { a: 1 })
      await load()
      const context = await early
      seen.all = [context.event.event, context.event.properties]
    }],
    ['then and catch and finally', async ({ load, seen }) => {
      const loading = load()
      await loading.then(([library, context]) => (seen.all = [typeof library.track, typeof context.log]))
      await loading.catch(() => (seen.caught = true))
      await loading.finally(() => (seen.end = true))
    }],
    ['a call without an event', async ({ analytics, load, seen }) => {
      const early = analytics.track().catch(() => (seen.rejected = true))
      await load()
      await early
    }],
    ['ready', async ({ analytics, load, seen }) => {
      const ready = new Promise((resolve) => analytics.ready(() => ((seen.ready = true), resolve())))
      await load()
      await ready
    }],
    ['initialPageview', async ({ load, sleep }) => {
      await load()
      await sleep(30)
    }, { options: { initialPageview: true } }],
    ['disabled', async ({ analytics, load, seen }) => {
      await load()
      await analytics.track('E')
      seen.initialized = analytics.instance.initialized
    }, { options: { disable: true } }],
    ['settings', async ({ analytics, load, seen }) => {
      await load()
      const { settings } = analytics.instance
      analytics.instance.timeout(50)
      seen.all = [typeof settings.writeKey, settings.timeout, typeof settings.cdnSettings.integrations]
    }],
  ]),
}

const links = {
  'trackLink and trackForm': all([
    ['an element', ({ analytics, sleep }) => {
      document.body.insertAdjacentHTML('beforeend', '<a data-row href="#x">x</a>')
      const link = document.querySelector('a[data-row]')
      analytics.trackLink(link, 'Clicked', { a: 1 })
      return sleep(20).then(() => link.click()).then(() => sleep(20)).then(() => {})
    }],
    ['a list, functions', ({ analytics, sleep }) => {
      document.body.insertAdjacentHTML('beforeend', '<a data-row id="l1" href="#x">x</a><a data-row id="l2" href="#y">y</a>')
      const all = document.querySelectorAll('a[data-row]')
      analytics.trackLink(all, (link) => 'Clicked ' + link.id, (link) => ({ href: link.getAttribute('href') }))
      return sleep(20).then(() => all[1].click()).then(() => sleep(20)).then(() => {})
    }],
    ['an array, options', ({ analytics, sleep }) => {
      document.body.insertAdjacentHTML('beforeend', '<a data-row href="#x">x</a>')
      const link = document.querySelector('a[data-row]')
      analytics.trackClick([link], 'Clicked', {}, { context: { ip: '0.0.0.0' } })
      return sleep(20).then(() => link.click()).then(() => sleep(20)).then(() => {})
    }],
    ['what is inside a link', ({ analytics, sleep }) => {
      document.body.insertAdjacentHTML('beforeend', '<a data-row href="#x"><b>x</b></a>')
      analytics.trackLink(document.querySelector('a[data-row]'), 'Clicked')
      return sleep(20).then(() => document.querySelector('a[data-row] b').click()).then(() => sleep(20)).then(() => {})
    }],
    ['nothing', ({ analytics, seen }) => void (analytics.trackLink(null, 'Clicked'), (seen.fine = true))],
    ['a form', ({ analytics, sleep }) => {
      document.body.insertAdjacentHTML('beforeend', '<form data-row action="javascript:void 0"><button>go</button></form>')
      const form = document.querySelector('form[data-row]')
      form.addEventListener('submit', (event) => event.preventDefault())
      analytics.trackForm(form, 'Sent', { a: 1 })
      return sleep(20).then(() => form.querySelector('button').click()).then(() => sleep(20)).then(() => {})
    }],
  ]),
}

export const areas = { ...args, ...events, ...user, ...query, ...plugins, ...links }

const noAnonymousId = (onym, assert) => assert.equal(onym.sent[0].anonymousId, undefined)
const dropped = (onym, assert) => assert.deepEqual([onym.seen.failed, onym.sent], [true, []])

/** Differences on purpose, by area and name: what Onym's library does there. Each has its line in docs/browser.md. */
export const differs = {
  'arguments of alias: to, from': noAnonymousId,
  'arguments of alias: to, from, options, callback': noAnonymousId,
  'arguments of alias: to, from, callback': noAnonymousId,
  'arguments of alias: a number': noAnonymousId,
  'events of the library: alias': noAnonymousId,
  'what a message has: a userId over the known one': (onym, assert) => assert.equal(onym.sent[1].userId, 'x'),
  'the page: canonical with a query': (onym, assert) =>
    assert.equal(onym.sent[0].context.page.url, 'http://www.example.com/?test=true'),
  'the page: properties of page that are undefined': (onym, assert) =>
    assert.equal(onym.sent[0].context.page.path, '/'),
  'user: the group has no anonymous id': (onym, assert) => assert.equal(onym.seen.a, 'undefined'),
  'what is stored: a user who is disabled': (onym, assert) => {
    assert.deepEqual(onym.seen.all.slice(0, 3), [null, null, {}])
    assert.equal(onym.seen.all[3].length, 36)
  },
  // next tries a plugin again for seconds before it gives the call up.
  'plugins: one of type before that throws rejects nothing': dropped,
  'plugins: before that cancels': dropped,
  'plugins: middleware that throws drops': dropped,
}
