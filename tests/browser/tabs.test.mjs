// Several tabs at once: neither double nor race, whether they take turns by Web Locks or by lease.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { browser, eventually, onym, recorder, site, visit, test } from './setup.mjs'

afterEach(() => (recorder.fault = null))

// Web Locks need a secure page: localhost is one, rdio.test over http is not.
const hosts = { 'by Web Locks': 'localhost', 'by lease': 'www.rdio.test' }
const TABS = 4
const CALLS = 25

for (const [way, host] of Object.entries(hosts)) {
  test(`${TABS} tabs that call at once send each call once, in each tab's order (${way})`, async () => {
    const first = await visit('/', {}, { host })
    const tabs = [first]
    while (tabs.length < TABS) tabs.push(await visit('/', {}, { host, context: first.context }))
    assert.equal(await first.run(() => !!navigator.locks), way == 'by Web Locks')
    const since = recorder.taken.length
    await Promise.all(
      tabs.map((tab, index) =>
        tab.run(
          ([index, calls]) =>
            new Promise((resolve) => {
              let call = 0
              const next = () => {
                if (call == calls) return resolve()
                analytics.track('tab ' + index, { call: call++ })
                setTimeout(next, call % 5 ? 0 : 20)
              }
              next()
            }),
          [index, CALLS],
        ),
      ),
    )
    const messages = await first.sent(TABS * CALLS, 60_000)
    assert.equal(messages.length, TABS * CALLS)
    for (let index = 0; index < TABS; index++) {
      const calls = messages.filter((m) => m.event == 'tab ' + index).map((m) => m.properties.call)
      assert.deepEqual(
        calls,
        Array.from({ length: CALLS }, (_, call) => call),
      )
    }
    await eventually(async () => !(await first.waiting()).length, 'the queue is empty')
    const repeats = recorder.taken.length - since - TABS * CALLS
    assert.equal(repeats, 0, repeats + ' repeats over the wire')
    await first.close()
  })
}

test('a tab sends what a tab that died has left', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? 'down' : null)
  const first = await visit()
  await first.run(() => analytics.track('left behind'))
  await first.page.close()
  recorder.fault = null
  const second = await visit('/', {}, { context: first.context })
  await second.run(() => analytics.track('own'))
  assert.deepEqual((await second.sent(2)).map((m) => m.event).sort(), ['left behind', 'own'])
  await second.close()
})

test('a logout in another tab does not touch the calls made before it', async () => {
  recorder.fault = (path) => (path == '/v1/b' ? { status: 503 } : null)
  const one = await visit()
  await one.run(() => {
    analytics.identify('u1')
    analytics.track('as u1')
  })
  const other = await visit('/', {}, { context: one.context })
  await other.run(() => {
    analytics.track('as u1, other tab')
    analytics.reset()
    analytics.track('as nobody')
  })
  await one.run(() => analytics.track('as nobody, first tab'))
  recorder.fault = null
  await other.page.reload()
  // Each tab keeps its own order; between tabs the times of the calls have it.
  const messages = (await one.sent(5)).sort((a, b) => (a.messageId < b.messageId ? -1 : 1))
  assert.deepEqual(
    messages.map((m) => [m.event ?? m.type, m.userId]),
    [
      ['identify', 'u1'],
      ['as u1', 'u1'],
      ['as u1, other tab', 'u1'],
      ['as nobody', undefined],
      ['as nobody, first tab', undefined],
    ],
  )
  assert.equal(new Set(messages.slice(0, 3).map((m) => m.anonymousId)).size, 1)
  assert.equal(messages[3].anonymousId, messages[4].anonymousId)
  assert.notEqual(messages[0].anonymousId, messages[3].anonymousId)
  await one.close()
})

test('a lease left by a tab that died runs out', async () => {
  const visitor = await visit('/', {}, { host: 'www.rdio.test' })
  await visitor.run(() => {
    localStorage['onym:wk_website'] = String(Date.now() + 1500)
    analytics.track('waits')
  })
  assert.equal((await visitor.sent(1)).length, 1)
  await visitor.close()
})

/** Ids that are one person's: the server links what a message has both of, and an alias its two. */
const peopleOf = (messages) => {
  const people = []
  for (const { type, userId, anonymousId, previousId } of messages) {
    const ids = new Set([userId && 'u ' + userId, 'a ' + anonymousId, type == 'alias' && 'a ' + previousId].filter(Boolean))
    for (const other of [...people].filter((other) => [...other].some((id) => ids.has(id)))) {
      other.forEach((id) => ids.add(id))
      people.splice(people.indexOf(other), 1)
    }
    people.push(ids)
  }
  return people
}
/** The server's word on it, where there is one. */
const assertOnePerson = async (messages, userId) => {
  if (!onym) return
  const ask = async (query) => (await onym.api('/people/resolve?' + query)).body.person_id
  const whose = await ask('user_id=' + userId)
  for (const { anonymousId, previousId } of messages)
    for (const id of [anonymousId, previousId].filter(Boolean))
      await eventually(async () => (await ask('anonymous_id=' + id)) == whose, id + ' is ' + userId)
}

// Who is first is a matter of chance, and whether all had seen each other before they sent, one of the machine's speed.
test('three subdomains opened at once for the first time are one visitor, at the latest once they sign up', async () => {
  for (let round = 0; round < 5; round++) {
    const context = await browser.newContext()
    const since = recorder.taken.length
    const hosts = ['www.rdio.test', 'app.rdio.test', 'shop.rdio.test']
    const pages = await Promise.all(hosts.map(async (host) => {
      const page = await context.newPage()
      await page.goto(site.page('/' + round, { page: '1', script: 'analytics.track("T")' }, host))
      return page
    }))
    const recent = () => {
      const messages = recorder.taken.slice(since).map(({ message }) => message)
      return [...new Map(messages.map((message) => [message.messageId, message])).values()]
    }
    await eventually(() => recent().length >= 6, 'all have arrived')
    const userId = 'u' + round + Date.now()
    await pages[0].evaluate((userId) => void analytics.identify(userId), userId)
    // Each of the others is used once more.
    for (const page of pages.slice(1)) await page.evaluate(() => void analytics.track('more'))
    await eventually(() => recent().length >= 9 && peopleOf(recent()).length == 1, 'one person').catch((error) => {
      console.log(recent().map((m) => [m.type, m.context.page?.url, m.anonymousId, m.userId, m.previousId].join(' ')).join('\n'))
      throw error
    })
    const sent = recent()
    // All share who they are: a domain that one of them has alone would have had another visitor. (The snippet's early
    // calls may go along in a cookie of a narrower domain for an hour; the messageId makes them one.)
    const elsewhere = (await context.cookies()).filter(({ name, domain }) => name.startsWith('ajs_') && domain != '.rdio.test')
    assert.deepEqual(elsewhere.map(({ name, value, domain }) => [name, value, domain]), [])
    assert.deepEqual(sent.filter(({ userId }) => userId).map((m) => m.userId).filter((id) => id != userId), [])
    await assertOnePerson(sent, userId)
    await Promise.race([context.close(), new Promise((resolve) => setTimeout(resolve, 3000))])
  }
})

/** Runs before the library: app is told of no anonymous id until it has written one, as if both had looked at once. */
const lookedBefore = () => {
  if (location.hostname != 'app.rdio.test') return
  const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie')
  let hasWritten = false
  Object.defineProperty(document, 'cookie', {
    get: () => (hasWritten ? get.call(document) : get.call(document).replace(/ajs_anonymous_id=[^;]*;? ?/, '')),
    set(text) {
      hasWritten ||= text.startsWith('ajs_anonymous_id=')
      set.call(document, text)
    },
  })
}
/** www has sent under its id, or cannot; then app makes one, which has the visitor from now on. */
const openTwins = async (isUp) => {
  if (!isUp) recorder.fault = (path) => (path.startsWith('/v1') ? 'down' : null)
  const www = await visit('/', {}, { host: 'www.rdio.test' })
  await www.run(() => void analytics.track('www'))
  if (isUp) await www.sent(1)
  const app = await visit('/', {}, { host: 'app.rdio.test', context: www.context, init: lookedBefore })
  await app.run(() => void analytics.track('app'))
  if (isUp) await www.sent(2)
  return { www, app }
}
const idOf = (visitor) => visitor.run(() => analytics.user().anonymousId())

for (const [what, meet] of [
  ['www notices, then they sign up on app', async (www, app) => {
    await www.run(() => void analytics.track('www again'))
    await www.sent(3)
    await app.run(() => void analytics.identify('12345'))
  }],
  ['they sign up on app, then www notices', async (www, app) => {
    await app.run(() => void analytics.identify('12345'))
    await www.sent(3)
    await www.run(() => void analytics.track('www again'))
  }],
  ['they sign up on app, and www is left and opened anew', async (www, app) => {
    await app.run(() => void analytics.identify('12345'))
    await www.sent(3)
    await www.page.goto('about:blank')
    await www.page.goto(www.url('/next'))
    await www.run(() => void analytics.track('www again'))
  }],
]) {
  test('two subdomains that each sent under an id of their own: ' + what, async () => {
    const { www, app } = await openTwins(true)
    await meet(www, app)
    const messages = await www.sent(5)
    const [given, kept] = messages.map(({ anonymousId }) => anonymousId)
    assert.notEqual(given, kept)
    const aliases = messages.filter(({ type }) => type == 'alias')
    assert.deepEqual(aliases.map(({ userId, previousId }) => [userId, previousId]), [['12345', given]])
    assert.equal(peopleOf(messages).length, 1)
    assert.deepEqual([await idOf(www), await idOf(app)], [kept, kept])
    await eventually(() => www.run(() => !document.cookie.includes('onym_twins')), 'nothing is left of it')
    await www.close()
  })
}

test('two subdomains, and www could not send before: one id from then on', async () => {
  const { www, app } = await openTwins(false)
  await www.run(() => void analytics.user().id())
  recorder.fault = null
  for (const visitor of [www, app]) await visitor.run(() => void analytics.identify('u7', {}))
  const messages = await www.sent(4)
  // www has tried before, in vain or not: who knows. The id is told.
  await eventually(() => www.run(() => !document.cookie.includes('onym_twins')), 'nothing is left of it')
  const all = await www.sent(messages.length)
  assert.equal(peopleOf(all).length, 1)
  // Where its request had begun, the call of www keeps its id, and that is linked; else it goes under the common one.
  const told = all.filter(({ type }) => type == 'alias').map(({ previousId }) => previousId)
  const others = [...new Set(all.map(({ anonymousId }) => anonymousId))].filter(Boolean)
  assert.deepEqual(others.filter((id) => !told.includes(id)), [await idOf(www)])
  assert.equal(await idOf(app), await idOf(www))
  await www.close()
})

test('somebody logs out on app: who comes next is not linked to what www sent', async () => {
  const { www, app } = await openTwins(true)
  await www.run(() => void analytics.track('www again'))
  await www.sent(3)
  await app.run(() => (analytics.reset(), void analytics.identify('other')))
  await app.run(() => void analytics.track('app of other'))
  await www.run(() => void analytics.track('www of other'))
  const messages = await www.sent(6)
  assert.equal(messages.filter(({ type }) => type == 'alias').length, 0)
  await eventually(() => www.run(() => !document.cookie.includes('onym_twins')), 'nothing is left of it')
  const [given, kept] = messages.map(({ anonymousId }) => anonymousId)
  const others = messages.filter(({ userId }) => userId == 'other').map(({ anonymousId }) => anonymousId)
  assert.ok(others.length && !others.includes(given) && !others.includes(kept))
  await www.close()
})

/** Of the host's notes of twins a page sees none until it has written one, as if it had looked while another page wrote. */
const notedAtOnce = () => {
  if (location.hostname != 'www.rdio.test') return
  const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie')
  let hasWritten = false
  Object.defineProperty(document, 'cookie', {
    get: () => (hasWritten ? get.call(document) : get.call(document).replace(/onym_twins[^;]*;? ?/g, '')),
    set(text) {
      hasWritten ||= text.startsWith('onym_twins')
      set.call(document, text)
    },
  })
}
test('two pages that note at once what they found out undo nothing of each other: all three ids are one person', async () => {
  const context = await browser.newContext()
  const www = await visit('/', {}, { host: 'www.rdio.test', context, init: notedAtOnce })
  await www.run(() => void analytics.track('www'))
  await www.sent(1)
  // The next two look before the one before has written, each with no cookie to see.
  const blind = String(lookedBefore)
  const shop = await visit('/', {}, { host: 'shop.rdio.test', context, init: `(${blind.replace('app.rdio.test', 'shop.rdio.test')})()` })
  await shop.run(() => void analytics.track('shop'))
  await www.sent(2)
  const app = await visit('/', {}, { host: 'app.rdio.test', context, init: lookedBefore })
  await app.run(() => void analytics.track('app'))
  await www.sent(3)
  // Both notice; www writes what it noted without having seen what shop did.
  await shop.run(() => void analytics.user().anonymousId())
  await www.run(() => void analytics.user().anonymousId())
  const userId = 'at-once-' + Date.now()
  await app.run((userId) => void analytics.identify(userId), userId)
  await eventually(async () => peopleOf(await www.sent(6)).length == 1, 'one person')
  const messages = await www.sent(6)
  const [one, other, kept] = messages.map(({ anonymousId }) => anonymousId)
  assert.equal(new Set([one, other, kept]).size, 3)
  const aliases = messages.filter(({ type }) => type == 'alias').map(({ userId, previousId }) => [userId, previousId])
  assert.deepEqual(aliases.sort(), [[userId, one], [userId, other]].sort())
  await assertOnePerson(messages, userId)
  await eventually(() => app.run(() => !document.cookie.includes('onym_twins')), 'nothing is left of it')
  await www.close()
})

test('two tabs of www, of which the second has sent under the id of the first: it is told, too', async () => {
  // The first waits for other subdomains as long as the test wants, and has sent nothing.
  const slow = () => {
    if (location.hostname != 'www.rdio.test' || location.pathname != '/first') return
    const { setTimeout } = window
    const waiting = []
    window.setTimeout = (job, ms, ...args) => (ms == 400 ? waiting.push(() => job(...args)) : setTimeout(job, ms, ...args))
    window.go = () => waiting.splice(0).forEach((job) => job())
  }
  const first = await visit('/first', {}, { host: 'www.rdio.test', init: slow })
  await first.run(() => void analytics.user().anonymousId())
  const second = await visit('/second', {}, { host: 'www.rdio.test', context: first.context })
  await second.run(() => void analytics.track('second tab'))
  const app = await visit('/', {}, { host: 'app.rdio.test', context: first.context, init: lookedBefore })
  await app.run(() => void analytics.track('app'))
  await first.run(() => go())
  await first.sent(2)
  const userId = 'two-tabs-' + Date.now()
  await first.run((userId) => void analytics.identify(userId), userId)
  // The second tab's turn comes when the first lets go of the lock, or of the lease.
  await eventually(async () => peopleOf(await first.sent(4)).length == 1, 'one person')
  await assertOnePerson(await first.sent(4), userId)
  await first.close()
})
