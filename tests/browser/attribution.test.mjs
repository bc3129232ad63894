// Option attribution: what brought the visitor, first and last, and the session, in each call.
import assert from 'node:assert/strict'
import { eventually, test, visit } from './setup.mjs'

const WWW = 'www.rdio.test'
const asks = (more) => ({ plus: '1', options: { attribution: true }, ...more })
const COOKIES = /^onym_(first|last|session)$/

const last = async (visitor, name) => {
  await visitor.run((name) => void analytics.track(name), name)
  const found = () => visitor.arrivals().length && visitor.sent(0, 100)
  let message
  await eventually(async () => (message = ((await found()) || []).find(({ event }) => event == name)), name)
  return message
}

test('first and last campaign, click ids, landing page and session reach a sign-up on another subdomain, later', async () => {
  const visitor = await visit('/a?utm_source=news&utm_campaign=spring&gclid=G1&token=secret#x', asks(), { host: WWW })
  const one = (await last(visitor, 'one')).context
  assert.deepEqual(one.firstTouch.campaign, { source: 'news', name: 'spring' })
  assert.deepEqual(one.firstTouch.clickIds, { gclid: 'G1' })
  assert.match(one.firstTouch.page, /^http:\/\/www\.rdio\.test:\d+\/a$/)
  assert.deepEqual(one.lastTouch, one.firstTouch)
  assert.equal('of' in one.firstTouch || 'of' in one.session || 'at' in one.session, false)
  assert.ok(Math.abs(Date.parse(one.session.start) - Date.now()) < 30_000)

  await visitor.page.goto(visitor.url('/b'), { referer: 'https://pay.example/checkout?session=secret' })
  await visitor.loaded()
  const two = (await last(visitor, 'two')).context
  assert.deepEqual([two.firstTouch, two.lastTouch, two.session], [one.firstTouch, one.lastTouch, one.session], 'back from a payment')

  await visitor.page.goto(visitor.url('/c?utm_source=ads&fbclid=F2').replace(WWW, 'app.rdio.test'))
  await visitor.loaded()
  const three = (await last(visitor, 'three')).context
  assert.deepEqual(three.firstTouch, one.firstTouch)
  assert.deepEqual([three.lastTouch.campaign, three.lastTouch.clickIds], [{ source: 'ads' }, { fbclid: 'F2' }])
  assert.equal(three.session.id, one.session.id)

  // 31 minutes later, led here by another site; then directly.
  const age = (minutes) =>
    visitor.run((ms) => {
      const read = () => JSON.parse(decodeURIComponent(/onym_session=([^;]*)/.exec(document.cookie)[1]))
      const session = read()
      document.cookie = `onym_session=${encodeURIComponent(JSON.stringify({ ...session, at: session.at - ms }))};path=/;domain=rdio.test;max-age=999`
    }, minutes * 60_000)
  await age(29)
  assert.equal((await last(visitor, 'still')).context.session.id, one.session.id)
  await age(31)
  await visitor.page.goto(visitor.url('/d'), { referer: 'https://search.example/find?q=x' })
  await visitor.loaded()
  const four = (await last(visitor, 'four')).context
  assert.notEqual(four.session.id, one.session.id)
  assert.equal(four.lastTouch.campaign, undefined)
  assert.match(four.lastTouch.referrer, /^https:\/\/search\.example\//)
  assert.deepEqual(four.firstTouch, one.firstTouch)
  await visitor.close()
})

test('the clock set far ahead or back ends a session, and no session lives for ever', async () => {
  const visitor = await visit('/', asks())
  const { id } = (await last(visitor, 'a')).context.session
  for (const [name, days] of [['ahead', 400], ['back', -400]]) {
    await visitor.run((ms) => {
      const text = decodeURIComponent(/onym_session=([^;]*)/.exec(document.cookie)[1])
      const session = JSON.parse(text)
      document.cookie = `onym_session=${encodeURIComponent(JSON.stringify({ ...session, at: Date.now() + ms }))};path=/`
    }, days * 86_400_000)
    assert.notEqual((await last(visitor, name)).context.session.id, id)
  }
  await visitor.close()
})

test('reset drops all of it, on other subdomains, too; nothing is written before consent', async () => {
  const visitor = await visit('/?utm_source=news', asks(), { host: WWW })
  const before = (await last(visitor, 'before')).context
  await visitor.run(() => analytics.reset())
  const after = (await last(visitor, 'after')).context
  assert.notEqual(after.session.id, before.session.id)
  assert.deepEqual([after.firstTouch, after.lastTouch], [undefined, undefined])
  await visitor.page.goto(visitor.url('/next').replace(WWW, 'app.rdio.test'))
  await visitor.loaded()
  const next = (await last(visitor, 'next')).context
  assert.equal(next.firstTouch.campaign, undefined)
  assert.match(next.firstTouch.page, /\/next$/)
  await visitor.close()

  const asked = await visit('/land?utm_source=ad', asks({ options: { attribution: true, consent: false } }), { host: WWW })
  const names = async () => (await asked.context.cookies()).map(({ name }) => name).filter((name) => COOKIES.test(name))
  await asked.run(() => {
    void analytics.track('held')
    history.pushState(null, '', '/elsewhere')
  })
  assert.deepEqual(await names(), [])
  await asked.run(() => void analytics.consent(true))
  const [held] = await asked.sent(1)
  assert.deepEqual(held.context.firstTouch.campaign, { source: 'ad' })
  assert.match(held.context.firstTouch.page, /\/land$/)
  assert.equal((await names()).length, 3)
  await asked.run(() => void analytics.consent(false))
  assert.deepEqual(await names(), [])
  await asked.close()
})

test('addresses and cookies of a stranger are data, bounded, and cost no call', async () => {
  const long = 'x'.repeat(1200)
  const evil = `/?utm_source=${long}&utm_medium=${encodeURIComponent('é'.repeat(300))}&gclid=${long}&fbclid=F&__proto__=1&utm___proto__=1&utm_=1&utm_x=1&gclid=2&utm_term=${encodeURIComponent('"};\n</script>')}&utm_content=%ED%A0%80`
  const visitor = await visit(evil, asks(), { host: WWW })
  const { firstTouch } = (await last(visitor, 'evil')).context
  assert.ok(JSON.stringify(firstTouch).length < 1500)
  assert.equal(firstTouch.clickIds?.gclid?.length > 256, false)
  assert.ok(encodeURIComponent((await visitor.context.cookies()).find(({ name }) => name == 'onym_first').value).length < 4000)
  for (const value of ['%7B', 'null', '5', '%22x%22', '%5B%5D', '%', '', encodeURIComponent(JSON.stringify({ of: 5, campaign: 'x' })), 'x'.repeat(3900)]) {
    await visitor.run((value) => {
      for (const name of ['first', 'last', 'session']) document.cookie = `onym_${name}=${value};path=/;domain=rdio.test`
    }, value)
    const { session } = (await last(visitor, 'value ' + value.slice(0, 30))).context
    assert.match(session.id, /^[0-9a-f-]{36}$/)
  }
  assert.deepEqual(visitor.errors, [])
  await visitor.close()
})

test('without the option there is none of it', async () => {
  const visitor = await visit('/?utm_source=news', { plus: '1' })
  const { context } = await last(visitor, 'a')
  assert.deepEqual([context.session, context.firstTouch, context.lastTouch, context.onym], [undefined, undefined, undefined, undefined])
  assert.deepEqual((await visitor.context.cookies()).filter(({ name }) => COOKIES.test(name)), [])
  await visitor.close()
})
