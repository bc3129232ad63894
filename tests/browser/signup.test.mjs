// The sign-up story, end to end, on the example site: anonymous pages, sign-up by form and by a redirect over
// another service, the welcome page. One person with all of the history, and both calls in order. Told twice: by
// the server to copy from, examples/rdio/server.mjs, and by `onym demo`, which is the same in C.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { startRdio } from '../../examples/rdio/server.mjs'
import { SECRET, startDemo } from './onym.mjs'
import { browser, eventually, onym, recorder, test } from './setup.mjs'

const source = onym && { writeKey: 'wk_own', ownPath: 'm4p', secretKey: SECRET }
const sites = { 'server.mjs': await startRdio({ onym: recorder.url, ...source }) }
// Answers the messages that `belongs`, once there are `count`.
sites['server.mjs'].until = (belongs, count) => recorder.until(belongs, count)
sites['server.mjs'].onym = onym
const demo = await startDemo()
if (demo) sites['onym demo'] = demo
after(() => Promise.all(Object.values(sites).map((site) => site.close())))

const arrive = async (rdio) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (line) => line.type() == 'error' && errors.push(line.text()))
  const before = new Set((await rdio.until(() => true, 0)).map((message) => message.messageId))
  await page.goto(rdio.url + '/')
  return {
    page,
    context,
    errors,
    /** Everything that the visitor, and the server for them, has called: name, user. */
    calls: (count) => rdio.until((message) => !before.has(message.messageId), count),
  }
}

// What a page's script listens to is only tracked once the script has run: a person is slower than Playwright.
const follow = async (page, link) => {
  await page.click(link)
  await page.waitForURL('**' + /"(.*)"/.exec(link)[1])
  await page.waitForLoadState()
}
const listen = async (page, album) => {
  await follow(page, 'a[href="/browse"]')
  await page.click('.album >> nth=' + album)
}
const label = ({ type, event, context }) => (type == 'page' ? 'page ' + context.page.path : (event ?? type))
const idOf = (message) => message.messageId
const isServers = (message) => message.context.library.name == 'rdio-server'
/** The call of both sides: whichever comes first is kept. */
const isStamped = (message) => message.event == 'Sign Up Submitted'

const ways = {
  async form(page) {
    await page.fill('[name=name]', 'Ida Example')
    await page.fill('[name=email]', 'ida@rdio.test')
    await page.click('#signup button')
    await page.waitForURL('**/welcome')
    return { path: [], name: 'Ida Example', userId: '12345' }
  },
  async faceplace(page) {
    await page.click('#connect')
    await page.click('button')
    await page.waitForURL('**/welcome')
    return { path: ['Connect Clicked'], name: 'Fay Splacer', userId: '12346' }
  },
}

/** What Onym itself says: everything in its journal, in order, and one person. */
const checkPerson = async (onym, userId, anonymousId, messages) => {
  const ids = messages.map(idOf)
  await eventually(async () => {
    const answer = await onym.api('/people/resolve?anonymous_id=' + anonymousId)
    return answer.status == 200 && answer.body.events == messages.length
  }, 'the person has all of the history')
  const byUser = await onym.api('/people/resolve?user_id=' + userId)
  const byVisitor = await onym.api('/people/resolve?anonymous_id=' + anonymousId)
  assert.equal(byUser.body.person_id, byVisitor.body.person_id)
  // The browser and the site's server are two clients: each one's calls keep their order, and no more is promised.
  const exported = (await onym.export()).filter((message) => ids.includes(message.messageId))
  for (const isOne of [isServers, (message) => !isServers(message)]) {
    const ordered = (all) => all.filter((message) => isOne(message) && !isStamped(message)).map(idOf)
    assert.deepEqual(ordered(exported), ordered(messages))
  }
}

for (const [name, rdio] of Object.entries(sites)) {
  for (const [via, signUp] of Object.entries(ways)) {
    test(
      `a visitor listens, signs up by ${via}, and is one person with all of the history (${name})`,
      async () => {
        const { page, context, calls, errors } = await arrive(rdio)
        await listen(page, 1)
        await follow(page, 'a[href="/signup"]')
        const { path, name: who, userId } = await signUp(page)
        await page.waitForFunction(() => document.querySelector('.who b'))
        assert.equal(await page.textContent('.who b'), 'user ' + userId)
        await listen(page, 2)

        const messages = await calls(11)
        const stamped = messages.filter(isStamped)
        assert.equal(stamped.length, via == 'form' ? 1 : 0)
        for (const { messageId } of stamped) assert.doesNotMatch(messageId, /^rdio/, 'the id that the page has given')
        const browsers = messages.filter((message) => !isServers(message) && !isStamped(message))
        assert.deepEqual(browsers.map(label), [
          'page /',
          'page /browse',
          'Song Played',
          'page /signup',
          ...path,
          'page /welcome',
          'identify',
          'Account Created',
          'page /browse',
          'Song Played',
        ])
        const first = browsers.findIndex((message) => message.type == 'identify')
        assert.ok(browsers.slice(0, first).every((message) => message.userId === undefined))
        assert.ok(browsers.slice(first).every((message) => message.userId == userId))
        assert.equal(new Set(messages.map((message) => message.anonymousId)).size, 1)

        const identify = messages.find((message) => isServers(message) && message.type == 'identify')
        assert.deepEqual([identify.userId, identify.anonymousId], [userId, browsers[0].anonymousId])
        const { createdAt, ...traits } = browsers[first].traits
        assert.equal(traits.name, who)
        assert.deepEqual(browsers[first].traits, identify.traits)
        assert.ok(Date.parse(createdAt))
        assert.equal(browsers[first + 1].properties.via, via)
        assert.deepEqual(errors, [])

        if (rdio.onym?.api) await checkPerson(rdio.onym, userId, browsers[0].anonymousId, messages)
        await context.close()
      },
    )
  }

  test(`log out, log in, change the plan: each call under the identity of its moment (${name})`, async () => {
    const { page, context, calls, errors } = await arrive(rdio)
    await follow(page, 'a[href="/login"]')
    await page.fill('[name=email]', 'ida@rdio.test')
    await page.click('.panel button')
    await page.waitForURL('**/browse')
    await page.waitForFunction(() => document.querySelector('.who b'))
    await follow(page, 'a[href="/account"]')
    await page.click('text=Unlimited')
    await page.click('#plan button')
    await page.waitForURL('**/account')
    await page.waitForSelector('#saved:not([hidden])')
    await page.click('#logout button')
    await page.waitForURL(rdio.url + '/')
    const messages = await calls(11)
    const browsers = messages.filter((message) => !isServers(message))
    assert.deepEqual(
      browsers.map((message) => [label(message), message.userId]),
      [
        ['page /', undefined],
        ['page /login', undefined],
        ['page /browse', undefined],
        ['identify', '12345'],
        ['Logged In', '12345'],
        ['page /account', '12345'],
        ['Plan Changed', '12345'],
        ['page /account', '12345'],
        ['Logged Out', '12345'],
        ['page /', undefined],
      ],
    )
    const [identify] = messages.filter(isServers)
    assert.equal(identify.traits.plan, 'Unlimited')
    assert.notEqual(browsers[9].anonymousId, browsers[8].anonymousId)
    assert.deepEqual(errors, [])
    await context.close()
  })

  test(`wrong turns are told: an e-mail that is taken, one that is unknown (${name})`, async () => {
    const { page, context } = await arrive(rdio)
    await page.goto(rdio.url + '/signup')
    await page.fill('[name=name]', 'Another')
    await page.fill('[name=email]', 'ida@rdio.test')
    await page.click('#signup button')
    await page.waitForSelector('#taken:not([hidden])')
    await page.goto(rdio.url + '/login')
    await page.fill('[name=email]', 'nobody@rdio.test')
    await page.click('.panel button')
    await page.waitForSelector('#unknown:not([hidden])')
    await page.goto(rdio.url + '/account')
    await page.waitForURL('**/login')
    await context.close()
  })
}

test('the terminal of onym demo says who the visitor turns out to be', { skip: !demo && 'needs build/onym' }, () => {
  const news = demo.lines().filter((line) => line.startsWith('= '))
  assert.equal(news.length, 3, demo.lines().join('\n'))
  assert.match(news[0], /^= ~[0-9a-f-]{9}… is now user 12345 \(Ida Example\) · [45] earlier events kept$/)
  assert.match(news[1], /^= ~[0-9a-f-]{9}… is now user 12346 \(Fay Splacer\) · [45] earlier events kept$/)
  assert.match(news[2], /^= ~[0-9a-f-]{9}… is now user 12345 \(Ida Example\) · [23] earlier events kept$/)
})

/** Each with what the page may do then, and what it says; all at once, too. */
const HARD = [[], ['Redirect at once'], ['Server down'], ['Ad blocker'], ['Redirect at once', 'Server down', 'Ad blocker']]
let signUps = 0

for (const [name, rdio] of Object.entries(sites)) {
  for (const switches of HARD) {
    const what = switches.join(' + ').toLowerCase() || 'nothing'
    test(`made hard by ${what}: the welcome page shows all that was kept (${name})`, { skip: !onym && 'needs build/onym' }, async () => {
      const { page, context, calls } = await arrive(rdio)
      const errors = []
      page.on('pageerror', (error) => errors.push(error.message))
      const has = (label) => switches.includes(label)
      const flip = async (label) => {
        const before = page.waitForEvent('framenavigated')
        await page.locator('.hard label', { hasText: label }).click()
        await before
        await page.waitForSelector('.hard:not([hidden])')
      }
      await page.waitForSelector('.hard:not([hidden])')
      for (const label of switches) await flip(label)
      const usual = []
      const posts = []
      page.on('requestfinished', (request) => {
        const { pathname } = new URL(request.url())
        if (/^\/(analytics\.js|v1)\//.test(pathname)) usual.push(pathname)
        if (request.method() == 'POST') posts.push(pathname)
      })
      await listen(page, 3)
      await follow(page, 'a[href="/signup"]')
      await page.fill('[name=name]', '<b>Hy</b> Story')
      await page.fill('[name=email]', `hy${signUps++}@rdio.test`)
      const arrivals = []
      page.on('framenavigated', (frame) => arrivals.push(new URL(frame.url()).pathname))
      await page.click('#signup button')
      await page.waitForSelector('.history:not([hidden])')
      const sum = (which) => page.textContent(`[data-sum=${which}]`)
      const rows = () => page.locator('.history li').allTextContents()
      const came = () => page.waitForFunction(() => /^All have arrived/.test(document.querySelector('.history p').textContent))
      const reads = async (text) => page.waitForFunction((text) => document.querySelector('.history ol').textContent.includes(text), text)
      await reads('Account Created')
      if (has('Server down')) {
        const waiting = (await rows()).filter((row) => row.includes('waits here'))
        for (const call of ['saw /signup', 'saw /welcome', 'identified', 'Account Created'])
          assert.ok(waiting.some((row) => row.includes(call)), call + ' is not in ' + JSON.stringify(waiting))
        assert.equal(Number(await sum('waited')), waiting.length)
        assert.match(await page.textContent('.history p'), /still wait in this browser/)
        assert.equal(await sum('missing'), '0')
        await flip('Server down')
        await page.waitForSelector('.history:not([hidden])')
      }
      await came()
      await reads('Account Created')
      const shown = await rows()
      const count = (text) => shown.filter((row) => row.includes(text)).length
      assert.deepEqual(
        ['Song Played “', 'saw /signup', 'Sign Up Submitted', 'by page and server, kept once', 'from the server', 'Account Created'].map((text) => [text, count(text)]),
        [['Song Played “', 1], ['saw /signup', 1], ['Sign Up Submitted', 1], ['by page and server, kept once', 1], ['from the server', 1], ['Account Created', 1]],
      )
      assert.equal(count('identified'), 2, "the page's and the server's")
      assert.equal(await sum('missing'), '0')
      assert.equal(Number(await sum('before')) + Number(await sum('after')), shown.length)
      assert.equal(count('waited '), Number(await sum('waited')))
      if (has('Server down')) assert.ok(count('waited ') >= 4, JSON.stringify(shown))
      // A page that goes on at once is two.
      if (has('Redirect at once')) assert.ok(count('saw /welcome') >= 2, JSON.stringify(shown))
      assert.ok(arrivals.filter((path) => path == '/welcome').length >= (has('Redirect at once') ? 2 : 1))
      if (has('Ad blocker')) {
        assert.deepEqual(usual, [])
        assert.ok(posts.some((path) => path.startsWith('/m4p/') || path == '/down/m4p/b'), posts.join())
        assert.match(await page.textContent('.hard p'), /The usual script: blocked\. In use: \/m4p\/\./)
      }
      // What the page shows is what Onym has: each once.
      const kept = await calls(shown.length)
      assert.equal(kept.length, shown.length)
      assert.deepEqual(errors, [])
      await context.close()
    })
  }

  test(`the sign-up is counted once where JavaScript is blocked (${name})`, async () => {
    const before = new Set((await rdio.until(() => true, 0)).map(idOf))
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(rdio.url + '/signup')
    await page.fill('[name=name]', 'No Script')
    await page.fill('[name=email]', 'noscript@rdio.test')
    await page.click('#signup button')
    await page.waitForURL('**/welcome?via=form')
    const messages = await rdio.until((message) => !before.has(message.messageId), 2)
    assert.deepEqual(messages.map((message) => message.event ?? message.type), ['identify', 'Sign Up Submitted'])
    for (const message of messages) {
      assert.match(message.messageId, /^rdio-/)
      assert.match(message.userId, /^123\d\d$/)
      assert.equal(message.userId, messages[0].userId)
      assert.equal(message.traits?.email ?? 'noscript@rdio.test', 'noscript@rdio.test')
    }
    await context.close()
  })

  test(`what is written into the hidden fields by hand is cut, and costs nothing (${name})`, async () => {
    const before = new Set((await rdio.until(() => true, 0)).map(idOf))
    const bodies = ['messageId=' + 'x'.repeat(101), 'messageId=%00', 'messageId=&anonymousId=', 'anonymousId=' + 'y'.repeat(2000), 'messageId=%22%5C%3C']
    for (const [at, body] of bodies.entries()) {
      const answer = await fetch(rdio.url + '/signup', {
        method: 'POST', redirect: 'manual', body: `name=N&email=by-hand-${at}&${body}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      assert.equal(answer.headers.get('location'), '/welcome?via=form', body)
    }
    const messages = await rdio.until((message) => !before.has(message.messageId), 2 * bodies.length)
    assert.equal(messages.filter(isStamped).length, bodies.length)
    assert.ok(messages.every(({ messageId }) => messageId.length <= 100))
    assert.ok(messages.some(({ messageId }) => messageId == '"\\<'), 'an id of odd letters is an id')
  })
}

test('one event of two sides: both calls came, one is kept', { skip: !onym && 'needs build/onym' }, async () => {
  const { page, context } = await arrive(sites['server.mjs'])
  await follow(page, 'main a[href="/signup"]')
  await page.fill('[name=name]', 'Two Sides')
  await page.fill('[name=email]', 'two@rdio.test')
  const id = await page.inputValue('#signup [name=messageId]')
  await page.click('#signup button')
  await page.waitForURL('**/welcome')
  const came = () => recorder.taken.filter(({ message }) => message.messageId == id).map(({ message }) => isServers(message))
  await eventually(() => came().includes(true) && came().includes(false), 'both sides have called')
  assert.equal((await onym.export()).filter((message) => message.messageId == id).length, 1)
  await context.close()
})

test('both servers give the same pages', { skip: !demo && 'needs build/onym' }, async () => {
  for (const path of ['/', '/browse', '/signup', '/connect', '/login', '/welcome', '/account', '/no/such/page',
    '/assets/rdio.css', '/assets/rdio.js', '/assets/albums.js', '/assets/hard.js', '/assets/kept.js', '/assets/icon.svg']) {
    const [one, other] = await Promise.all(Object.values(sites).map((site) => fetch(site.url + path)))
    assert.equal(one.status, other.status, path)
    assert.equal(await one.text(), await other.text(), path)
  }
})

for (const [name, rdio] of Object.entries(sites)) {
  test(`an unknown page is the site's own (${name})`, async () => {
    const answer = await fetch(rdio.url + '/no/such/page')
    assert.equal(answer.status, 404)
    assert.match(answer.headers.get('content-type'), /^text\/html/)
    assert.match(await answer.text(), /No such page/)
  })
}

test('every control of the site has a name for those who cannot see it', async () => {
  const { page, context } = await arrive(sites['server.mjs'])
  const session = await context.newCDPSession(page)
  for (const path of ['/', '/browse', '/signup', '/connect', '/login', '/welcome', '/account']) {
    await page.goto(sites['server.mjs'].url + path)
    await page.waitForLoadState('networkidle')
    const { nodes } = await session.send('Accessibility.getFullAXTree')
    const isControl = ({ ignored, properties = [] }) =>
      !ignored && properties.some(({ name, value }) => name == 'focusable' && value.value)
    const nameless = nodes.filter((node) => isControl(node) && !node.name?.value)
    assert.deepEqual(nameless.map(({ role }) => path + ' ' + role.value), [])
    const roles = nodes.filter(({ ignored }) => !ignored).map(({ role }) => role?.value)
    for (const landmark of path == '/connect' ? ['main'] : ['main', 'navigation', 'contentinfo'])
      assert.ok(roles.includes(landmark), path + ' has no ' + landmark)
  }
  await context.close()
})

test('a visitor signs up without a mouse', async () => {
  const { page, context, errors } = await arrive(sites['server.mjs'])
  const reach = async (selector) => {
    for (let press = 0; press < 20; press++) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return
      await page.keyboard.press('Tab')
    }
    throw new Error('the keyboard does not reach ' + selector)
  }
  await reach('main a[href="/signup"]')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/signup')
  await page.waitForFunction(() => document.body.dataset.visitor)
  await reach('[name=name]')
  await page.keyboard.type('Kay Board')
  await reach('[name=email]')
  await page.keyboard.type('kay@rdio.test')
  await reach('[name=plan]')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/welcome')
  await page.waitForFunction(() => document.querySelector('.who b'))
  await page.goto(sites['server.mjs'].url + '/browse')
  await page.waitForSelector('.album')
  await reach('.album')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.player:not([hidden])')
  assert.deepEqual(errors, [])
  await context.close()
})
