import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { areTwins, beginOf, makeVisitor } = await load('identity')
const { makeAreaStore } = await load('storage')

const setUp = (options = {}) => {
  const areas = { cookie: {}, local: {}, memory: {} }
  const stores = {
    cookie: {
      read: (key) => areas.cookie[key] ?? null,
      write: (key, text) => (text === null ? delete areas.cookie[key] : (areas.cookie[key] = text)),
    },
    localStorage: makeAreaStore(areas.local),
    memory: makeAreaStore(areas.memory),
  }
  const cookie = () => Object.entries(areas.cookie).map(([name, text]) => name + '=' + encodeURIComponent(text)).join('; ')
  globalThis.document = { get cookie() { return cookie() } }
  return { areas, stores, visitor: makeVisitor(stores, options, () => true) }
}
/** Which ids were noted to be whose. */
const noted = (visitor) => (visitor.twins() ?? []).map((name) => [name.replace('onym_twins_', ''), visitor.cookie.read(name)])

test('ids are bare in cookies and JSON in localStorage, traits are JSON in localStorage alone', () => {
  const { areas, visitor } = setUp()
  visitor.user.anonymousId('a1')
  visitor.user.identify('u1', { plan: 'Free' })
  visitor.group.identify('g1', { seats: 5 })
  assert.deepEqual(areas.cookie, { ajs_anonymous_id: 'a1', ajs_user_id: 'u1', ajs_group_id: 'g1' })
  assert.deepEqual(areas.local, {
    ajs_anonymous_id: '"a1"',
    ajs_user_id: '"u1"',
    ajs_user_traits: '{"plan":"Free"}',
    ajs_group_id: '"g1"',
    ajs_group_properties: '{"seats":5}',
  })
})

// The table of analytics-next: who is stored before, the call, who is stored after.
const rows = [
  [
    'the first identify keeps the anonymous id and adds to the anonymous traits',
    [[null, { q: 1 }]],
    ['u1', { a: 1 }],
    'u1',
    { q: 1, a: 1 },
    true,
  ],
  ['the same user: traits are merged', [['u1', { a: 1 }]], ['u1', { b: 2 }], 'u1', { a: 1, b: 2 }, true],
  ['no id: traits are merged', [['u1', { a: 1 }]], [undefined, { c: 3 }], 'u1', { a: 1, c: 3 }, true],
  [
    'another user: only the new traits, and a new anonymous id',
    [['u1', { a: 1 }]],
    ['u2', { z: 1 }],
    'u2',
    { z: 1 },
    false,
  ],
  ['a number is a text', [], [42, {}], '42', {}, true],
]
for (const [name, earlier, call, id, traits, keeps] of rows) {
  test('identify, ' + name, () => {
    const { user } = setUp().visitor
    const before = user.anonymousId()
    earlier.forEach((args) => user.identify(...args))
    user.identify(...call)
    assert.equal(user.id(), id)
    assert.deepEqual(user.traits(), traits)
    assert.equal(user.anonymousId() == before, keeps)
  })
}

test('id("") is another user, id(null) is not', () => {
  const { user } = setUp().visitor
  user.identify('u1')
  const first = user.anonymousId()
  user.id(null)
  assert.equal(user.id(), null)
  user.identify('u4')
  assert.equal(user.anonymousId(), first)
  user.id('')
  user.identify('u3')
  assert.notEqual(user.anonymousId(), first)
})

test('reset leaves nothing but a new anonymous id', () => {
  const { areas, visitor } = setUp()
  const before = visitor.user.anonymousId()
  visitor.user.identify('u1', { a: 1 })
  visitor.user.reset()
  assert.deepEqual(Object.keys(areas.cookie), ['ajs_anonymous_id'])
  assert.deepEqual(Object.keys(areas.local), ['ajs_anonymous_id'])
  assert.notEqual(areas.cookie.ajs_anonymous_id, before)
})

test("the cookie outranks localStorage, whose other contents are then a stranger's", () => {
  const { areas, visitor } = setUp()
  Object.assign(areas.cookie, { ajs_anonymous_id: 'new' })
  Object.assign(areas.local, { ajs_anonymous_id: '"old"', ajs_user_id: '"u1"', ajs_user_traits: '{"a":1}' })
  assert.equal(visitor.user.id(), null)
  assert.deepEqual(visitor.user.traits(), {})
  assert.equal(visitor.user.anonymousId(), 'new')
  assert.equal(areas.local.ajs_anonymous_id, '"new"')
})

test('what one store has forgotten the other gives back', () => {
  const { areas, visitor } = setUp()
  Object.assign(areas.local, { ajs_anonymous_id: '"a1"', ajs_user_id: '"u1"' })
  assert.equal(visitor.user.id(), 'u1')
  assert.equal(visitor.user.anonymousId(), 'a1')
  assert.deepEqual(areas.cookie, { ajs_anonymous_id: 'a1', ajs_user_id: 'u1' })
})

test('quoted ids of older libraries are read', () => {
  const { areas, visitor } = setUp()
  Object.assign(areas.local, { ajs_anonymous_id: '"a1"', ajs_user_id: 'u1' })
  assert.equal(visitor.user.id(), 'u1')
  areas.local.ajs_user_id = '42'
  delete areas.cookie.ajs_user_id
  assert.equal(visitor.user.id(), '42')
})

test('a null that analytics-next has stored for nobody is nobody', () => {
  const { areas, visitor } = setUp()
  areas.local.ajs_user_id = 'null'
  assert.equal(visitor.user.id(), null)
  areas.local.ajs_user_id = '"nina"'
  assert.equal(visitor.user.id(), 'nina')
  areas.local.ajs_user_id = 'nina'
  assert.equal(visitor.user.id(), 'nina')
})

test('spoilt traits are none', () => {
  const { areas, visitor } = setUp()
  for (const text of ['{', 'null', '7', '"x"']) {
    areas.local.ajs_user_traits = text
    assert.deepEqual({ ...visitor.user.traits() }, text == '"x"' ? visitor.user.traits() : {})
  }
})

test("another tab's login and logout are seen at once", () => {
  const { stores, visitor } = setUp()
  const other = makeVisitor(stores, {}, () => true)
  other.user.identify('u1')
  assert.equal(visitor.user.id(), 'u1')
  other.user.reset()
  assert.equal(visitor.user.id(), null)
})

test('closed storage is not touched, and what memory learned is carried over when it opens', () => {
  const { areas, stores } = setUp()
  let isOpen = false
  const visitor = makeVisitor(stores, {}, () => isOpen)
  const id = visitor.user.anonymousId()
  visitor.user.identify('u1', { a: 1 })
  assert.deepEqual([areas.cookie, areas.local], [{}, {}])
  isOpen = true
  visitor.takeUp()
  assert.equal(areas.cookie.ajs_anonymous_id, id)
  assert.equal(visitor.user.id(), 'u1')
  assert.deepEqual(visitor.user.traits(), { a: 1 })
})

test('options choose the stores and the keys', () => {
  const { areas, visitor } = setUp({
    storage: { stores: ['cookie'] },
    user: { cookie: { key: 'uid' } },
    group: { persist: false },
  })
  visitor.user.identify('u1')
  visitor.group.identify('g1')
  assert.deepEqual(areas.cookie, { uid: 'u1' })
  assert.deepEqual(areas.local, {})
  assert.equal(visitor.group.id(), 'g1')
})

/** Pages of two subdomains: one cookie, each its own localStorage. The second is told of no cookie until it has written. */
const openTwins = () => {
  const www = setUp()
  const local = makeAreaStore({})
  let hasWritten = false
  const { cookie } = www.stores
  const late = {
    read: (key) => (hasWritten ? cookie.read(key) : null),
    write(key, text) {
      hasWritten = true
      cookie.write(key, text)
    },
  }
  const app = makeVisitor({ ...www.stores, cookie: late, localStorage: local, memory: makeAreaStore({}) }, {}, () => true)
  const [given, kept] = [www.visitor.user.anonymousId(), app.user.anonymousId()]
  assert.notEqual(given, kept)
  return { www: www.visitor, app, given, kept, stores: www.stores }
}

test('two subdomains opened at once: the later cookie has the visitor, and it is known that both ids are theirs', () => {
  const { www, app, given, kept } = openTwins()
  assert.match(given + kept, /^([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}){2}$/)
  www.user.traits({ plan: 'Free' })
  assert.equal(www.user.anonymousId(), kept)
  assert.deepEqual(www.user.traits(), { plan: 'Free' })
  assert.deepEqual(noted(www), [[given, kept]])
  assert.deepEqual(noted(app), noted(www))
  assert.equal(www.unsent, given)
})

test('however late they meet, a page of another day included', () => {
  const { given, kept, stores, app } = openTwins()
  app.user.identify('12345')
  const next = makeVisitor({ ...stores, memory: makeAreaStore({}) }, {}, () => true)
  assert.equal(next.user.anonymousId(), kept)
  assert.deepEqual(noted(next), [[given, kept]])
  assert.deepEqual([next.user.id(), next.unsent], ['12345', undefined])
})

test('to look for the stored id first hides nothing of it', () => {
  const { given, kept, stores, www } = openTwins()
  assert.ok(www.twins() === null || !www.twins().length)
  const next = makeVisitor({ ...stores, memory: makeAreaStore({}) }, {}, () => true)
  assert.equal(next.stored(), kept)
  assert.deepEqual(noted(next), [[given, kept]])
})

test('two tabs of one subdomain, too: both write the same storage', () => {
  const { stores, visitor } = setUp()
  const given = visitor.user.anonymousId()
  stores.cookie.write('ajs_anonymous_id', null)
  stores.localStorage.write('ajs_anonymous_id', null)
  const kept = makeVisitor(stores, {}, () => true).user.anonymousId()
  assert.equal(visitor.user.anonymousId(), kept)
  assert.deepEqual(noted(visitor), [[given, kept]])
})

for (const [what, log_out] of [
  ['a log-out there', ({ user }) => user.reset()],
  ['another user there', ({ user }) => (user.identify('u1'), user.identify('u2'))],
  ["an id of the site's own", ({ user }) => user.anonymousId('00000000-0000-4000-8000-000000000000')],
]) {
  test(what + ' makes no twins', () => {
    const { www, app } = openTwins()
    app.user.anonymousId(www.user.anonymousId())
    for (const name of www.twins() ?? []) www.cookie.write(name, null)
    www.user.identify(null, { a: 1 })
    log_out(app)
    assert.equal(www.user.anonymousId(), app.user.anonymousId())
    assert.deepEqual(noted(www), [])
    assert.deepEqual(www.user.traits(), {})
  })
}

for (const [what, who, name, traitsKey] of [
  ['user', 'user', 'ajs_user_id', 'ajs_user_traits'],
  ['account', 'group', 'ajs_group_id', 'ajs_group_properties'],
]) {
  test(`another ${what} in the cookie, put there by a backend or on another subdomain: nothing of the one before is taken over`, () => {
    const { areas, visitor } = setUp()
    visitor[who].identify('one', { email: 'one@example.com' })
    areas.cookie[name] = 'two'
    assert.deepEqual([visitor[who].id(), visitor[who].traits()], ['two', {}])
    assert.deepEqual([areas.local[name], areas.local[traitsKey]], ['"two"', undefined])
    visitor[who].identify('one', { email: 'one@example.com' })
    areas.cookie[name] = 'two'
    assert.deepEqual(visitor[who].identify('two', { plan: 'Free' }), ['two', { plan: 'Free' }])
  })
}

test('an id says when a log-out made it, and a first visit within a minute of another is its twin', () => {
  const { visitor } = setUp()
  const { now } = Date
  const idAt = (ms, make) => {
    Date.now = () => ms
    make()
    Date.now = now
    return visitor.stored()
  }
  const forget = () => (visitor.forget(), visitor.user.anonymousId())
  const [one, near, far] = [1796022000000, 1796022059000, 1796022061000].map((ms) => idAt(ms, forget))
  assert.deepEqual([areTwins(one, near), areTwins(one, far), beginOf(one)], [true, false, false])
  const left = idAt(1796022000123, visitor.user.reset)
  assert.match(left, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual([beginOf(left), areTwins(one, left)], [1796022000123, false])
  for (const id of [null, 'short', '8'.repeat(36), "a site's own 8"]) assert.ok(!beginOf(id) || beginOf(id) > now(), id)
})

test("ids of a server's that begin with their time are not taken for twins", () => {
  const { areas, visitor } = setUp()
  areas.local.ajs_anonymous_id = '"019b0a3e-0001-7000-8000-000000000000"'
  areas.cookie.ajs_anonymous_id = '019b0a3e-0002-7000-8000-000000000000'
  visitor.user.anonymousId()
  assert.deepEqual(noted(visitor), [])
})

test('what two pages note at once is kept of both, and what is withdrawn is gone', () => {
  const { visitor, stores, areas } = setUp()
  const other = makeVisitor({ ...stores, memory: makeAreaStore({}) }, {}, () => true)
  visitor.cookie.write('onym_twins_a', 'kept')
  other.cookie.write('onym_twins_b-2', 'kept')
  assert.deepEqual(noted(visitor), [['a', 'kept'], ['b-2', 'kept']])
  assert.deepEqual(noted(other), noted(visitor))
  makeVisitor({ ...stores, memory: makeAreaStore({}) }, {}, () => true).forget()
  assert.deepEqual([noted(visitor), noted(other), areas.local], [[], [], {}])
})
