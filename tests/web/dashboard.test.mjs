// Every view of the dashboard in Chromium, against the real program. Numbers on a page are the API's, and those of the
// generator's truth; whoever has a keyboard alone gets everywhere; hostile events stay text; nothing leaves for another host.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { after, before } from 'node:test'
import { test } from '../browser/test.mjs'
import { AXE, READER, SECRET, number, openPage, settled, startBrowser, startOnym } from './server.mjs'

const MOST_BYTES = 90 * 1024
const STEPS = ['page:/', 'page:/signup', 'Account Created']
const steps = STEPS.map((event) => 'e=' + encodeURIComponent(event)).join('&')
const VIEWS = {
  home: '#/',
  funnel: `#/questions/funnel?${steps}&range=all`,
  'funnel-by': `#/questions/funnel?${steps}&range=all&by=context.campaign.source`,
  'funnel-empty': '#/questions/funnel',
  trends: '#/questions/trends?e=Song+Played&e=Account+Created',
  'trends-by': '#/questions/trends?e=Song+Played&by=properties.song',
  'trends-compare': '#/questions/trends?e=Account+Created&range=7d&compare=1',
  retention: '#/questions/retention?e=Account+Created&e=Song+Played&range=all',
  paths: '#/questions/paths?e=page%3A%2F&range=all',
  'paths-before': '#/questions/paths?e=Account+Created&direction=before&range=all',
  signups: '#/questions/signups?range=all',
  people: '#/people?search=kim',
  hostile: '#/people/u_hostile-user',
  live: '#/live',
  start: '#/start',
  doctor: '#/doctor?since=90d&imports=1',
  destinations: '#/destinations',
  destination: '#/destinations/hook',
  sources: '#/sources',
  settings: '#/settings',
  saved: '#/questions/saved',
  nowhere: '#/no/such/page',
}
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

let onym, browser
before(async () => {
  ;[onym, browser] = await Promise.all([startOnym(400), startBrowser()])
})
after(async () => {
  await browser?.close()
  await onym?.close()
})

const using = async (options, run) => {
  const opened = await openPage(browser, onym, options)
  try {
    await run(opened)
    assert.deepEqual(opened.faults, [])
  } finally {
    await opened.context.close()
  }
}
const shot = async (page, name) => {
  if (!process.env.SHOTS) return
  mkdirSync(process.env.SHOTS, { recursive: true })
  await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: !name.startsWith('live') })
}
/** What axe finds that keeps somebody out; `only` one rule, where the rest is the same in both themes. */
const barriers = (page, only) =>
  page.evaluate(async (rule) => {
    const { violations } = await window.axe.run(document, {
      resultTypes: ['violations'],
      runOnly: rule
        ? { type: 'rule', values: [rule] }
        : { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] },
    })
    return violations
      .filter((one) => one.impact == 'serious' || one.impact == 'critical')
      .map(
        (one) =>
          `${one.id}: ${one.nodes
            .slice(0, 3)
            .map((node) => node.html.slice(0, 160))
            .join(' | ')}`,
      )
  }, only)
const text = (page, selector) => page.locator(selector).allInnerTexts()

test('in all it has at most 90 KiB gzipped, and asks for nothing else', async () => {
  const html = await (await fetch(onym.url + '/', { headers: { accept: 'text/html' } })).text()
  const parts = [...html.matchAll(/"(\/ui\/[^"]+)"/g)].map((match) => match[1])
  assert.equal(parts.length, 2)
  let all = Buffer.byteLength(html)
  for (const part of parts) {
    const answer = await fetch(onym.url + part, { headers: { 'accept-encoding': 'gzip' } })
    const length = Number(answer.headers.get('content-length'))
    assert.ok(length > 0 && answer.headers.get('content-encoding') == 'gzip', part)
    all += length
  }
  assert.ok(all <= MOST_BYTES, `${all} bytes`)
  console.log(`the dashboard: ${all} bytes gzipped`)
})

test('signing in by keyboard alone, going everywhere, and out', () =>
  using({ isSignedIn: false }, async ({ page }) => {
    await page.goto(onym.url + '/#/people')
    await page.waitForSelector('#key')
    assert.deepEqual(await loadAxe(page), [])
    await page.keyboard.type('no such key at all')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelector('#problem')?.textContent)
    await page.keyboard.type(SECRET)
    await page.keyboard.press('Enter')
    await page.waitForSelector('nav[aria-label=Main]')
    await settled(page)
    assert.equal(new URL(page.url()).hash, '#/people')
    await page.evaluate(() => document.activeElement.blur())
    for (const [keys, title] of [
      ['gq', 'Questions'],
      ['gl', 'Live'],
      ['go', 'Doctor'],
      ['gd', 'Destinations'],
      ['gs', 'Sources'],
      ['gh', 'Home'],
      ['gp', 'People'],
    ]) {
      await page.evaluate(() => document.activeElement?.blur())
      for (const key of keys) await page.keyboard.press(key)
      await page.waitForFunction((name) => document.title.startsWith(name), title)
    }
    await page.evaluate(() => document.activeElement?.blur())
    await page.keyboard.press('?')
    await page.waitForSelector('[role=dialog]')
    // The Tab key stays in the dialog.
    for (let n = 0; n < 12; n++) await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => !!document.activeElement.closest('[role=dialog]')), true)
    await page.keyboard.press('Escape')
    await page.waitForSelector('[role=dialog]', { state: 'detached' })
    await page.keyboard.press('/')
    await page.keyboard.type('kim')
    await page.waitForSelector('table.rows')
    await settled(page)
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.who h1')
    const cookies = await page.context().cookies()
    assert.ok(cookies.length == 1 && cookies[0].httpOnly && cookies[0].sameSite == 'Strict')
    assert.deepEqual(
      await page.evaluate(
        (secret) => [document.cookie, JSON.stringify({ ...localStorage, ...sessionStorage }).includes(secret)],
        SECRET,
      ),
      ['', false],
    )
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('#key')
    assert.equal(await page.evaluate(() => fetch('/api/v1/people?search=kim').then((answer) => answer.status)), 401)
  }))

/** Loads axe as the browser's own script, past the page's policy; the page itself never gets it. */
const loadAxe = async (page, only) => {
  await page.evaluate(readFileSync(AXE, 'utf8') + ';0')
  return barriers(page, only)
}

test('the link of `onym ui` signs in once, and leaves the address at once', () =>
  using({ isSignedIn: false }, async ({ page }) => {
    const { link } = await onym.ask('session/link', {})
    await page.goto(`${onym.url}/#link=${link}`)
    await page.waitForSelector('nav[aria-label=Main]')
    assert.ok(!page.url().includes(link))
    await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }))
    await page.goto('about:blank')
    await page.goto(`${onym.url}/#link=${link}`)
    await page.waitForSelector('#key')
    assert.ok(!page.url().includes(link))
    assert.notEqual(await page.textContent('#problem'), '')
  }))

test('every view opens, bars nobody, and fits: wide and light', () =>
  using({}, async ({ page, go }) => {
    for (const [name, hash] of Object.entries(VIEWS)) {
      await go(hash)
      assert.deepEqual(await loadAxe(page), [], name)
      assert.equal(
        await page.locator('.failure').count(),
        name == 'destination' ? await page.locator('.failure').count() : 0,
        name,
      )
      await shot(page, `${name}-light`)
    }
  }))

test('… in the dark', () =>
  using({ colorScheme: 'dark' }, async ({ page, go }) => {
    for (const name of process.env.SHOTS
      ? Object.keys(VIEWS)
      : ['home', 'funnel-by', 'retention', 'hostile', 'start']) {
      await go(VIEWS[name])
      assert.deepEqual(await loadAxe(page, 'color-contrast'), [], name)
      await shot(page, `${name}-dark`)
    }
  }))

test('… on a phone, where nothing is wider than the screen', () =>
  using(PHONE, async ({ page, go }) => {
    for (const [name, hash] of Object.entries(VIEWS)) {
      await go(hash)
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      assert.equal(wide, 0, name)
      await shot(page, `${name}-phone`)
    }
  }))

test('Home says what the API says, and what is true', () =>
  using({}, async ({ page, go }) => {
    await go('#/?range=all')
    const told = await onym.ask('signups', {})
    // The hostile user is one, too; what that device did, it did in the millisecond of the sign-up.
    assert.equal(told.people, onym.truth.users + 1)
    assert.equal(told.with_history, onym.truth.withHistory)
    const tiles = (await text(page, '.tiles b')).map(number)
    assert.equal(tiles[0], told.people)
    assert.equal(tiles[2], told.people - told.with_history)
    assert.equal((await text(page, '.tiles b'))[1], (told.with_history_share * 100).toFixed(1) + ' %')
    const funnel = await onym.ask('funnels', { steps: ['page:*', 'page:/signup', 'Account Created'] })
    assert.deepEqual(
      (await text(page, '.funnel .figures .cell:first-child')).map(number),
      funnel.steps.map((step) => step.people),
    )
    await page.click('summary')
    const days = Object.fromEntries(told.buckets.map((bucket, at) => [bucket.slice(0, 10), told.values[at]]))
    const rows = await page.locator('.home details tbody tr:not(.total)').count()
    assert.equal(rows, told.buckets.length)
    assert.equal(
      Object.values(days).reduce((sum, n) => sum + n),
      told.people,
    )
  }))

test('a funnel: numbers, who is behind them, and the same by a command', () =>
  using({ permissions: ['clipboard-read', 'clipboard-write'] }, async ({ page, go }) => {
    await go(VIEWS['funnel-by'])
    const body = { steps: STEPS, by: 'context.campaign.source', limit: 12 }
    const told = await onym.ask('funnels', body)
    assert.deepEqual(
      (await text(page, '.funnel .figures .cell:first-child')).map(number),
      told.steps.map((step) => step.people),
    )
    const groups = await page.locator('table.groups tbody tr').allInnerTexts()
    assert.equal(groups.length, told.groups.length)
    told.groups.forEach((group, at) => assert.ok(groups[at].startsWith(group.value ?? '(none)'), groups[at]))
    const behind = async (button, expected) => {
      await button.click()
      await page.waitForSelector('.drawer .people li, .drawer .failure')
      assert.match(
        await page.textContent('#drawer-title'),
        new RegExp(` ${expected.toLocaleString('en')} (person|people)$`),
      )
      assert.equal(await page.locator('.drawer .note').count(), 0)
      await page.keyboard.press('Escape')
    }
    await behind(page.locator('.funnel .figures .cell:first-child').nth(1), told.steps[1].people)
    await behind(page.locator('.funnel .cell.lost').first(), told.steps[0].people - told.steps[1].people)
    await behind(page.locator('table.groups tbody tr').nth(1).locator('.cell').last(), told.groups[1].steps[2].people)
    await page.getByRole('button', { name: 'onym', exact: true }).click()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    const said = JSON.parse(await onym.shell(`${command} --config ${onym.configuration} --url ${onym.url} --json`))
    assert.deepEqual(said.steps, told.steps)
    await page.getByRole('button', { name: 'curl', exact: true }).click()
    const curl = await page.evaluate(() => navigator.clipboard.readText())
    const same = JSON.parse(await onym.shell(`ONYM_SECRET_KEY=${SECRET}; ${curl}`))
    assert.deepEqual(same.steps, told.steps)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ])
    const lines = (await (await download.createReadStream()).toArray()).join('').trim().split('\r\n')
    assert.equal(lines.length, 1 + (told.groups.length + 1) * 3)
  }))

test('trends: the table has the API’s numbers, and each has its people', () =>
  using({}, async ({ page, go }) => {
    await go('#/questions/trends?e=%7B%22event%22%3A%22Song+Played%22%2C%22measure%22%3A%22people%22%7D&range=all')
    const told = await onym.ask('trends', { series: [{ event: 'Song Played', measure: 'people' }], unit: 'day' })
    const cells = (await text(page, 'table.numbers tbody tr:not(.total) td')).map(number)
    assert.deepEqual(cells, [...told.series[0].values].reverse())
    await page.locator('table.numbers .cell').nth(3).click()
    await page.waitForSelector('.drawer .people li')
    assert.equal(await page.locator('.drawer .note').count(), 0)
    assert.match(await page.textContent('#drawer-title'), / \d+ (person|people)$/)
  }))

test('retention: what was not seen yet is empty; a cell’s people are as many as it says', () =>
  using({}, async ({ page, go }) => {
    for (const mode of ['n_day', 'unbounded']) {
      await go(VIEWS.retention + '&mode=' + mode)
      const told = await onym.ask('retention', {
        birth: 'Account Created',
        return: 'Song Played',
        unit: 'week',
        periods: 8,
        mode,
      })
      const rows = page.locator('table.retention tbody tr:not(.total)')
      assert.equal(await rows.count(), told.cohorts.length)
      for (const [at, cohort] of told.cohorts.entries()) {
        const cells = await rows.nth(at).locator('td').allInnerTexts()
        assert.equal(number(cells[0]), cohort.people)
        cohort.returned.forEach((n, k) => {
          if (n === null) assert.equal(cells[k + 1].replace('not seen yet', '').trim(), '')
          else assert.match(cells[k + 1], /%$/)
        })
      }
      const at = told.cohorts.findIndex((cohort) => cohort.returned[1] > 0)
      for (const [cell, expected] of [
        [0, told.cohorts[at].people],
        [1, told.cohorts[at].returned[0]],
        [2, told.cohorts[at].returned[1]],
      ]) {
        await rows.nth(at).locator('td').nth(cell).locator('button').click()
        await page.waitForSelector('.drawer .people li')
        assert.match(
          await page.textContent('#drawer-title'),
          new RegExp(` ${expected} (person|people)$`),
          `${mode} ${cell}`,
        )
        await page.keyboard.press('Escape')
      }
    }
  }))

test('paths and sign-ups: tables have the API’s numbers; a day’s people are that day’s', () =>
  using({}, async ({ page, go }) => {
    for (const direction of ['after', 'before']) {
      await go(`#/questions/paths?e=page%3A%2Fsignup&range=all&direction=${direction}`)
      const told = await onym.ask('paths', {
        event: 'page:/signup',
        direction,
        depth: 3,
        within: '1d',
        collapse: true,
        limit: 8,
      })
      const rows = (await text(page, 'table.numbers:not(.links) tbody tr:not(.dim) td:nth-child(3)')).map(number)
      assert.deepEqual(
        rows,
        told.depths.flatMap((depth) => depth.events.map((one) => one.people)),
      )
      assert.equal((await page.locator('.sankey .node').count()) > 2, true)
    }
    await go(VIEWS.signups)
    const told = await onym.ask('signups', { unit: 'day' })
    const at = told.values.findIndex((n) => n > 1)
    const day = page.locator('.beside tbody tr:not(.total)').nth(told.buckets.length - 1 - at)
    await day.locator('button').first().click()
    await page.waitForSelector('.drawer .people li')
    assert.match(await page.textContent('#drawer-title'), new RegExp(` ${told.values[at]} people$`))
  }))

test('a person: traits, ids, identity picture, and the anonymous part shaded', () =>
  using({}, async ({ page, go }) => {
    const { people } = await onym.ask('people?search=kim&limit=50')
    const known = people.find((one) => one.anonymous_ids.length > 1)
    await go('#/people?search=kim')
    assert.equal(await page.locator('table.rows tbody tr').count(), Math.min(50, people.length))
    await go('#/people/' + encodeURIComponent(known.person_id))
    assert.equal(await page.textContent('.who h1'), known.traits.name)
    const all = await onym.ask(`people/${known.person_id}/events?limit=1000`)
    assert.equal(await page.locator('.moment').count(), all.events.length)
    const claimed = {}
    for (const event of [...all.events].reverse())
      if (event.userId && event.anonymousId) claimed[event.anonymousId] ??= event.timestamp
    const before = all.events.filter((event) => !event.userId && event.timestamp < claimed[event.anonymousId]).length
    assert.equal(await page.locator('.moment.anonymous').count(), before)
    assert.ok((await page.textContent('.timeline')).includes(`${before} event`))
    assert.equal(await page.locator('.identity .edge').count(), known.anonymous_ids.length)
    await page.locator('.identity [role=button]').first().focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('.edge-details')
    await page.getByRole('button', { name: 'Take back…' }).click()
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await page.waitForFunction(
      (n) =>
        document.querySelectorAll('.identity .id.anonymous_id').length != n ||
        document.querySelector('.identity .removed'),
      known.anonymous_ids.length,
    )
    const now = await onym.ask('people/' + known.person_id)
    assert.equal(now.anonymous_ids.length, known.anonymous_ids.length - 1)
  }))

test('a shared device: whose time it was, why two are two, and an id kept out', () =>
  using({}, async ({ page, go }) => {
    const device = 'family-tablet'
    const hoursAgo = (n) => new Date(Date.now() - n * 3_600_000).toISOString()
    for (const [userId, n] of [
      ['ann', 9],
      ['ben', 6],
      ['ann', 2],
    ])
      await onym.send({
        type: 'identify',
        userId,
        anonymousId: device,
        traits: { name: userId },
        timestamp: hoursAgo(n),
      })
    await onym.ask('trends?wait=10s', { series: ['*'] })
    const ann = await onym.ask('people/resolve?user_id=ann')
    await go('#/people/' + ann.person_id)
    const lane = page.locator('.lanes li').first()
    assert.match(
      (await lane.innerText()).replace(/\s+/g, ' '),
      /family-tablet: ann from .*, then ben from .*, then ann/,
    )
    assert.equal(await page.locator('.lanes rect').count(), 3)
    assert.equal(await page.locator('.identity .id.other').count(), 1)
    await page.getByRole('combobox', { name: 'The other id' }).focus()
    await page.keyboard.type('user_id:ben')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.why .edge-details')
    const why = await onym.ask('people/why?ids=user_id:ann,user_id:ben')
    const said = await page.textContent('.why .edge-details')
    assert.ok(said.startsWith('Two people.') && said.includes(why.text) && said.includes(device))
    assert.equal(await page.locator('.why ol li').count(), why.links.length)
    assert.deepEqual(await loadAxe(page), [])
    await shot(page, 'person-shared-light')
    await page.getByRole('button', { name: 'Suppress…' }).click()
    assert.match(await page.textContent('.actions .confirm'), /1 device of them is shared with others/)
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await page.waitForFunction(() => /2 ids suppressed/.test(document.querySelector('.said').textContent))
    assert.equal((await onym.ask('suppressions')).count, 2)
    await go('#/settings')
    for (let left = 2; left > 0; left--) {
      await page.waitForFunction((n) => document.querySelectorAll('.suppressed li').length == n, left)
      await page.locator('.suppressed li button').first().click()
      await page.getByRole('button', { name: 'Yes, do it' }).click()
    }
    await page.waitForFunction(() => !document.querySelector('.suppressed'))
    assert.equal((await onym.ask('suppressions')).count, 0)
  }))

test('Live: a message the moment it comes, whose it is, and whose it turns out to be', () =>
  using({}, async ({ page, go }) => {
    await go('#/live')
    await page.waitForSelector('.dot.open')
    const device = 'live-device'
    const at = (row) => page.locator('.feed-row').nth(row)
    await onym.send({ type: 'track', event: 'Looked <b>around</b>\u202e', anonymousId: device, properties: { n: 1 } })
    await at(0).waitFor()
    assert.match(await at(0).innerText(), /Looked <b>around<\/b>\s*U\+202E/)
    assert.match(await at(0).innerText(), /accepted/)
    assert.equal(await at(0).locator('b, img').count(), 0)
    assert.equal(await at(0).locator('a.person').innerText(), device)
    await onym.send({ type: 'identify', userId: 'live-1', anonymousId: device, traits: { name: 'Lena Live' } })
    await page.waitForFunction(() => document.querySelectorAll('.feed-row').length == 2)
    // The row from before the sign-up is the user's now.
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.feed-row a.person')].every((a) => a.textContent == 'Lena Live'),
    )
    assert.ok((await page.textContent('.said')).includes('1 earlier event kept'))
    await onym.send({ type: 'track', anonymousId: device })
    await page.waitForSelector('.feed-row.rejected')
    assert.deepEqual(await loadAxe(page), [])
    await shot(page, 'live-rows-light')
    // Paused, it counts and draws nothing; going on, nothing is missing.
    await page.evaluate(() => document.activeElement?.blur())
    await page.keyboard.press(' ')
    for (let n = 0; n < 5; n++) await onym.send({ type: 'page', anonymousId: device, properties: { path: '/p' + n } })
    await page.waitForFunction(() => /paused, 5 waiting/.test(document.querySelector('.state').textContent))
    assert.equal(await page.locator('.feed-row').count(), 3)
    await page.keyboard.press(' ')
    await page.waitForFunction(() => document.querySelectorAll('.feed-row').length == 8)
    assert.ok((await page.textContent('.state')).includes('8 since'))
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.drawer .json')
    assert.match(await page.textContent('.drawer .json'), /^analytics\.page\(/)
    await page.keyboard.press('Escape')
    // What is being typed stays, whatever comes meanwhile.
    await page.fill('#live-event', 'Only This')
    await onym.send({ type: 'track', event: 'Not This', anonymousId: device })
    await page.waitForFunction(() => document.querySelectorAll('.feed-row').length == 9)
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => location.hash.includes('event=Only+This'))
    await page.waitForSelector('.dot.open')
    await onym.send({ type: 'track', event: 'Not This', anonymousId: device })
    await onym.send({ type: 'track', event: 'Only This', anonymousId: device })
    await at(0).waitFor()
    assert.equal(await page.locator('.feed-row').count(), 1)
  }))

test('Live: columns are chosen, the address keeps them; a message says what became of it at each destination', () =>
  using({}, async ({ page, go }) => {
    await go('#/live')
    await page.waitForSelector('.dot.open')
    await onym.send({ type: 'track', event: 'To The Hook', userId: 'live-2', properties: { isNew: true } })
    await page.locator('.feed-row').first().waitFor()
    await page.locator('.menu summary').click()
    await page.getByRole('checkbox', { name: 'user id' }).check()
    await page.getByRole('checkbox', { name: 'properties' }).uncheck()
    const heads = await text(page, '.feed-head [role=columnheader]')
    assert.deepEqual(heads, ['time', 'type', 'event', 'person', 'source', 'fate', 'user id'])
    const { hash } = new URL(page.url())
    await page.keyboard.press('Escape')
    assert.equal(await page.locator('.feed-row').first().locator('[role=cell]').last().innerText(), 'live-2')
    assert.deepEqual(await loadAxe(page), [])
    // In its place, too, and by keyboard; rows that come meanwhile do not move it away.
    await page.evaluate(() => document.activeElement?.blur())
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    assert.match(await page.textContent('.feed-more .json'), /"userId": "live-2"/)
    await onym.send({ type: 'page', userId: 'live-2', properties: { path: '/later' } })
    await page.waitForFunction(() => document.querySelectorAll('.feed-row').length == 2)
    assert.match(await page.textContent('.feed-more .json'), /"userId": "live-2"/)
    assert.match(await page.textContent('.feed-row.at .name'), /To The Hook/)
    assert.deepEqual(await loadAxe(page), [])
    await page.keyboard.press('x')
    assert.equal(await page.locator('.feed-more').count(), 0)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Python', exact: true }).click()
    assert.match(await page.textContent('.drawer .json'), /analytics\.track\(user_id="live-2", event="To The Hook"/)
    await page.getByRole('button', { name: 'curl', exact: true }).click()
    const curl = await page.textContent('.drawer .json')
    assert.match(await onym.shell(curl + ' -s'), /"success":\s*true/)
    await page.getByRole('button', { name: 'Deliveries' }).click()
    await page.waitForSelector('.drawer .delivery')
    const position = number((await text(page, '.drawer .facts dd'))[4])
    const told = await onym.ask(`messages/${position}/deliveries`)
    assert.deepEqual(
      (await text(page, '.drawer .delivery a')).map((name) => name.trim()),
      told.deliveries.map((one) => one.destination),
    )
    assert.deepEqual(await loadAxe(page), [])
    await go('#/')
    await go(hash)
    assert.deepEqual(await text(page, '.feed-head [role=columnheader]'), heads)
    await page.getByRole('button', { name: 'Show what came before' }).click()
    await page.waitForFunction(() => /To The Hook/.test(document.querySelector('.feed-rows').innerText))
  }))

test('Live: tabs share a stream; when the one that reads is closed, another goes on, and nothing is lost', () =>
  using({}, async ({ page, go, context }) => {
    const streams = []
    context.on('request', (request) => /\/live\?/.test(request.url()) && streams.push(request.url()))
    const others = [await context.newPage(), await context.newPage()]
    const tabs = [page, ...others]
    const seen = (tab) =>
      tab.evaluate(() => [...document.querySelectorAll('.feed-row .name')].map((one) => one.innerText.trim()).reverse())
    await go('#/live')
    await page.waitForSelector('.dot.open')
    for (const tab of others) {
      await tab.goto(onym.url + '/#/live')
      await tab.waitForSelector('.dot.open')
    }
    assert.equal(streams.length, 1)
    const sent = []
    const send = async (n) => {
      for (; n > 0; n--) {
        sent.push('Shared ' + sent.length)
        await onym.send({ type: 'track', event: sent.at(-1), anonymousId: 'tabs' })
      }
    }
    const all = (tab) => tab.waitForFunction((n) => document.querySelectorAll('.feed-row').length == n, sent.length)
    await send(8)
    for (const tab of tabs) {
      await all(tab)
      assert.deepEqual(await seen(tab), sent)
    }
    // The reader leaves Live, and messages come while nobody reads.
    const moved = page.evaluate(() => (location.hash = '#/settings'))
    await send(8)
    await moved
    for (const tab of others) {
      await all(tab)
      assert.deepEqual(await seen(tab), sent)
    }
    await others[0].close()
    await send(4)
    await all(others[1])
    assert.deepEqual(await seen(others[1]), sent)
    // Another filter is another question: its own stream, with nothing of the others in it.
    await others[1].evaluate(() => (location.hash = '#/live?event=Nothing+Such'))
    await others[1].waitForSelector('.dot.open')
    await send(1)
    assert.equal(await others[1].locator('.feed-row').count(), 0)
    await others[1].close()
  }))

test('Sources and the first run: what is pasted has the key of the source, and is what works', () =>
  using({ permissions: ['clipboard-read', 'clipboard-write'] }, async ({ page, go }) => {
    await go('#/sources')
    await page.selectOption('.keyfield select', { label: 'backend' })
    await page.getByRole('button', { name: 'curl', exact: true }).click()
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    assert.match(await onym.shell(command + ' -s'), /"success":\s*true/)
    const { series } = await onym.ask('trends?wait=10s', { series: ['Account Created'], by: 'source' })
    assert.ok(series[0].groups.some((group) => group.value == 'backend' && group.total == 1))
    await go('#/start')
    await page.waitForFunction(() => document.querySelector('pre.code').textContent.includes('wk_website'))
    await page.waitForFunction(() => document.querySelectorAll('.checklist .done').length >= 3)
  }))

test('a source is made, gets another key, is switched off; Settings says who did it', () =>
  using({}, async ({ page, go, faults }) => {
    await go('#/sources')
    await page.fill('#source-name', 'shop')
    await page.keyboard.press('Enter')
    const row = page.locator('table.keys tbody tr', { hasText: 'shop' })
    await row.waitFor()
    const key = async () => (await onym.ask('sources')).sources.find((one) => one.name == 'shop')
    const made = await key()
    assert.ok((await row.innerText()).includes(made.write_key))
    assert.ok((await page.textContent('pre.code')).includes(made.write_key))
    await onym.send({ type: 'track', event: 'From The Shop', userId: 'shop-1' }, made.write_key)
    await row.getByRole('button', { name: 'Another key…' }).click()
    await row.getByRole('combobox').selectOption('1')
    await row.getByRole('button', { name: 'Yes, do it' }).click()
    await page.waitForFunction((old) => !document.querySelector('pre.code').textContent.includes(old), made.write_key)
    const next = await key()
    assert.ok(next.write_key != made.write_key && next.old_key == made.write_key)
    await row.getByText('is good until').waitFor()
    assert.deepEqual(await loadAxe(page), [])
    await row.getByRole('button', { name: 'Switch off…' }).click()
    await row.getByRole('button', { name: 'Yes, do it' }).click()
    await row.getByText('switched off').waitFor()
    assert.equal((await key()).enabled, false)
    // What the file configures is not changed here; a name is taken once.
    assert.equal(await page.locator('table.keys tbody tr', { hasText: 'website' }).locator('.actions').count(), 0)
    await page.fill('#source-name', 'website')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.failure')
    await go('#/settings')
    await page.waitForSelector('table.audit')
    const { entries } = await onym.ask('audit?limit=50')
    const rows = await text(page, 'table.audit tbody tr')
    assert.equal(rows.length, entries.length)
    for (const says of ['made a source', 'changed the key of', 'switched off'])
      assert.ok(
        rows.some((one) => one.includes(says) && one.includes('session ')),
        says,
      )
    assert.deepEqual(await loadAxe(page), [])
    faults.splice(0, faults.length, ...faults.filter((fault) => !/status of 409/.test(fault)))
  }))

test('a question is saved, shared by a short link, changed, saved over and deleted', () =>
  using({ permissions: ['clipboard-read', 'clipboard-write'] }, async ({ page, go, faults }) => {
    await go(VIEWS['funnel-by'])
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.keyboard.type('The way <b>in</b>')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.saved-name')
    const link = await page.evaluate(() => navigator.clipboard.readText())
    assert.match(link, /#\/s\/[0-9a-z]+$/)
    assert.ok(new URL(link).hash.length < 16)
    const [row] = (await onym.ask('saved')).saved
    assert.deepEqual(row.question.steps, STEPS)
    const shown = await text(page, '.funnel .figures .cell:first-child')
    await go('#/')
    await page.goto(link)
    await page.waitForSelector('.funnel')
    await settled(page)
    assert.deepEqual(await text(page, '.funnel .figures .cell:first-child'), shown)
    assert.ok((await page.textContent('.saved-name')).startsWith('The way <b>in</b>'))
    // A filter that is touched leaves the link working, and is in the address.
    await page.getByRole('combobox', { name: 'Range' }).selectOption('90d')
    await page.waitForFunction(() => /changed since/.test(document.querySelector('.saved-name').textContent))
    await settled(page)
    await page.getByRole('button', { name: 'Save over…' }).click()
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await page.waitForFunction(() => !/changed since/.test(document.querySelector('.saved-name').textContent))
    assert.equal((await onym.ask('saved')).saved.length, 1)
    await go('#/questions/saved')
    assert.deepEqual(await loadAxe(page), [])
    await page.getByRole('link', { name: 'The way <b>in</b>' }).click()
    await page.waitForSelector('.funnel')
    assert.ok(new URL(page.url()).hash.includes('range=90d'))
    await go('#/questions/saved')
    await page.getByRole('button', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await page.waitForSelector('.empty')
    await page.goto(link)
    await page.waitForSelector('.empty')
    assert.match(await page.textContent('.empty'), /no saved question/)
    faults.splice(0, faults.length, ...faults.filter((fault) => !/status of 404/.test(fault)))
  }))

test('Doctor: what it finds, whom it is about, what mends it; muted and told again; Home says the worst', () =>
  using({}, async ({ page, go }) => {
    for (let n = 0; n < 40; n++)
      await Promise.all(
        [0, 1].map(() =>
          onym.send({ type: 'track', event: 'Told <b>Twice</b>', userId: 'twice-' + n, properties: { n } }),
        ),
      )
    await onym.ask('trends?wait=10s', { series: ['*'] })
    await go('#/doctor')
    const told = await onym.ask('findings?since=7d')
    const mine = told.findings.find((one) => one.code == 'TW-1' && one.event == 'Told <b>Twice</b>')
    assert.ok(mine, JSON.stringify(told.findings.map((one) => [one.code, one.event])))
    assert.equal(await page.locator('.finding').count(), told.findings.length)
    // The name itself is told, too: it is written as no other is.
    const card = page.locator('.finding', { hasText: 'Told <b>Twice</b>' }).filter({ hasText: mine.title })
    assert.ok((await card.innerText()).includes(`${mine.count} of ${mine.of} ${mine.of_what}`))
    assert.ok((await card.innerText()).includes(mine.effect))
    await card.locator('summary').click()
    assert.equal(await card.locator('pre').textContent(), mine.mend[0].code)
    assert.equal(await card.locator('.examples a').count(), mine.examples.length)
    assert.deepEqual(await loadAxe(page), [])
    await shot(page, 'doctor-light')
    await card.getByRole('button', { name: /^\d+ people$/ }).click()
    await page.waitForSelector('.drawer .people li')
    assert.equal(await page.locator('.drawer .people > li').count(), mine.people)
    await page.keyboard.press('Escape')
    await card.locator('.examples a').first().click()
    await page.waitForSelector('.drawer .json')
    assert.ok((await page.textContent('.drawer h2')).includes('Told <b>Twice</b>'))
    await go('#/')
    const says = await text(page, '.says li a')
    assert.deepEqual(
      says,
      told.findings.slice(0, 4).map((one) => one.title),
    )
    await go('#/doctor/' + mine.fingerprint)
    await card.getByRole('button', { name: 'Mute…' }).click()
    await card.getByRole('textbox').fill('a test')
    await card.getByRole('button', { name: 'Yes, do it' }).click()
    await page.getByText('1 muted finding').waitFor()
    const [after] = (await onym.ask('findings?since=7d')).findings.filter((one) => one.state == 'muted')
    assert.ok(after.fingerprint == mine.fingerprint && after.muted.reason == 'a test')
    await page.getByText('1 muted finding').click()
    await card.getByRole('button', { name: 'Tell it again' }).click()
    await page.getByText('1 muted finding').waitFor({ state: 'detached' })
  }))

test('the period before stands beside each number, and is the API’s', () =>
  using({}, async ({ page, go }) => {
    await go(`#/questions/funnel?${steps}&range=7d&compare=1`)
    const day = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)
    const before = await onym.ask('funnels', { steps: STEPS, from: day(-13), to: day(-6) })
    await page.waitForSelector('.funnel li .before')
    assert.deepEqual(
      (await text(page, '.funnel li .before')).map((one) => number(one.split('(')[0])),
      before.steps.map((step) => step.people),
    )
    await go('#/questions/signups?range=7d&compare=1')
    const earlier = await onym.ask('signups', { from: day(-13), to: day(-6) })
    await page.waitForSelector('.tiles .before')
    assert.equal(number((await text(page, '.tiles .before'))[0].split('(')[0]), earlier.people)
    await go('#/questions/retention?e=Account+Created&e=Song+Played&unit=day&range=7d&compare=1')
    await page.waitForSelector('tr.earlier')
    assert.deepEqual(await loadAxe(page), [])
  }))

test('People without a search: whoever was heard of last first, and more of them', () =>
  using({}, async ({ page, go }) => {
    await onym.send({ type: 'identify', userId: 'heard-last', traits: { name: 'Last Heard' } })
    await onym.ask('trends?wait=10s', { series: ['*'] })
    await go('#/people')
    const { people } = await onym.ask('people?limit=50')
    assert.equal(people[0].user_ids[0], 'heard-last')
    const names = () => text(page, 'table.rows tbody tr th a')
    assert.equal((await names())[0], 'Last Heard')
    assert.equal((await names()).length, 50)
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.waitForFunction(() => document.querySelectorAll('table.rows tbody tr').length == 100)
    assert.equal(
      new Set(await page.locator('table.rows tbody th a').evaluateAll((all) => all.map((a) => a.href))).size,
      100,
    )
    assert.deepEqual(await loadAxe(page), [])
  }))

test('Settings: what is on the disk, as the API says', () =>
  using({}, async ({ page, go }) => {
    await go('#/settings')
    const { parts } = await onym.ask('storage')
    assert.equal(await page.locator('.pipe li').count(), parts.length)
    assert.equal(await page.locator('.pipe svg rect').count(), parts.length)
    assert.match(await page.textContent('.pipe .headline'), /^[\d.]+ [kMG]?B kept, [\d.]+ [kMGT]B free/)
  }))

test('a reader sees numbers and no people: masked, no way to what is not theirs, nothing refused on the way', () =>
  using({ key: READER }, async ({ page, go }) => {
    await go('#/')
    assert.ok((await page.locator('.funnel li').count()) >= 2)
    const nav = await text(page, 'nav[aria-label=Main] li a')
    assert.ok(nav.every((name) => !name.startsWith('Settings')) && nav.length == 7)
    await go('#/people')
    assert.match((await text(page, 'table.rows tbody th'))[0], /^masked-/)
    assert.equal(await page.locator('table.rows tbody a, #search').count(), 0)
    for (const hash of [
      '#/doctor',
      '#/destinations/hook',
      '#/sources',
      VIEWS['funnel-by'],
      VIEWS.paths,
      '#/questions/saved',
    ])
      await go(hash)
    await go('#/live')
    await page.waitForSelector('.dot.open')
    await onym.send({ type: 'track', event: 'Seen By All', userId: 'kim@example.com', properties: { plan: 'x' } })
    await page.locator('.feed-row').first().waitFor()
    const row = await page.locator('.feed-row').first().innerText()
    assert.ok(row.includes('Seen By All') && !row.includes('kim@example.com'), row)
    await page.locator('.feed-row .name button').first().click()
    await page.getByRole('button', { name: 'Raw' }).click()
    assert.ok(!(await page.textContent('.drawer')).includes('kim@example.com'))
  }))

test('a destination: plots have the API’s numbers, what went wrong is grouped, with the request and its answer', () =>
  using({}, async ({ page, go }) => {
    for (let n = 1; n <= 5; n++) await onym.send({ type: 'track', event: 'Refused ' + n, userId: 'refused-' + n })
    await onym.send({ type: 'track', event: 'Welcome', userId: 'welcome-1' })
    let state
    do state = await onym.ask('destinations/sink')
    while (state.dead_letters < 5 || state.unfinished)
    const sum = (values) => values.reduce((all, n) => all + n, 0)
    let told
    do told = await onym.ask('destinations/sink/series?minutes=60')
    while (sum(told.series.dead) < 5)
    await go('#/destinations/sink')
    await page.locator('.plots summary').click()
    const row = (await text(page, '.plots tr.total td')).map(number)
    const { series } = await onym.ask('destinations/sink/series?minutes=60')
    assert.deepEqual(
      row,
      ['received', 'delivered', 'filtered', 'retried', 'dead'].map((name) => sum(series[name])),
    )
    assert.ok(row[1] >= 1 && row[4] == 5)
    const trouble = page.locator('.trouble')
    assert.equal(await trouble.count(), 1)
    assert.match(await trouble.innerText(), /^HTTP 400: no room for number #\n[^]*5 messages/)
    await trouble.locator('summary').click()
    assert.match(await trouble.locator('pre').first().innerText(), /"body": "no room for number \d"/)
    assert.deepEqual(await loadAxe(page), [])
    await shot(page, 'destination-plots-light')
    await page.getByRole('button', { name: 'each', exact: true }).click()
    assert.equal(await page.locator('.delivery').count(), 5)
    for (const span of ['6 hours', 'day']) await page.getByRole('button', { name: span, exact: true }).click()
    await settled(page)
    assert.equal((await text(page, '.plots h3'))[0], 'Messages in 15 minutes')
  }))

test('whoever got no further is listed with the first reason, as the API has it', () =>
  using({}, async ({ page, go }) => {
    await go(`#/questions/funnel?${steps}&range=all&window=1h`)
    const asked = { steps: STEPS, window: '1h', step: 2, outcome: 'dropped', limit: 50, events: false }
    const { people } = await onym.ask('funnels/people', asked)
    await page.locator('.funnel .cell.lost').nth(1).click()
    await page.waitForSelector('.drawer .people li')
    const reasons = await text(page, '.drawer .people .reason')
    assert.equal(reasons.length, people.length)
    const WORDS = { never: /^never did /, before: / only before/, too_late: / too late for the window/ }
    people.forEach(({ reason }, at) => assert.match(reasons[at], WORDS[reason.code] ?? /Account Created/))
    assert.ok(reasons.every((one) => one.includes('Account Created')))
  }))

test('paths: a node, a link, the others and the end each list their people', () =>
  using({}, async ({ page, go }) => {
    await go('#/questions/paths?e=page%3A%2F&range=all')
    const told = await onym.ask('paths', {
      event: 'page:/',
      direction: 'after',
      depth: 3,
      within: '1d',
      collapse: true,
      limit: 8,
    })
    const drawer = async (expected) => {
      await page.waitForSelector('.drawer .people li, .drawer .failure')
      assert.match(
        await page.textContent('#drawer-title'),
        new RegExp(` ${expected.toLocaleString('en')} (person|people)$`),
      )
      assert.equal(await page.locator('.drawer .note').count(), 0)
      await page.keyboard.press('Escape')
      await page.waitForSelector('.drawer', { state: 'detached' })
    }
    const numbers = page.locator('table.numbers:not(.links) td.n .cell')
    for (const at of [0, 3, (await numbers.count()) - 1]) {
      const expected = number(await numbers.nth(at).innerText())
      await numbers.nth(at).click()
      await drawer(expected)
    }
    await page.click('summary:has-text("From each event")')
    const links = page.locator('table.links tbody tr')
    assert.equal(await links.count(), told.links.length)
    for (const at of [0, told.links.length - 1]) {
      await links.nth(at).locator('.cell').click()
      await drawer(told.links[at].people)
    }
    // The picture itself: a band, and a box.
    const title = await page.locator('.sankey .flow title').first().textContent()
    await page.locator('.sankey .flow').first().dispatchEvent('click')
    await drawer(number(title.split(': ').at(-1)))
    await page.locator('.sankey .node').first().dispatchEvent('click')
    await drawer(told.people)
  }))

test('taking back says what moves, as the API foresees it, before it is done', () =>
  using({}, async ({ page, go }) => {
    const at = Date.now() - 3_600_000
    const message = (n, more) => ({
      messageId: `fore-${n}`,
      timestamp: new Date(at + n * 1000).toISOString(),
      anonymousId: 'fore-device',
      ...more,
    })
    for (let n = 0; n < 4; n++) await onym.send(message(n, { type: 'page', name: 'Fore' }))
    await onym.send(message(9, { type: 'identify', userId: 'fore-user', traits: { name: 'Fore' } }))
    const asked = 'people/foresee?a=anonymous_id%3Afore-device&b=user_id%3Afore-user'
    const told = await onym.ask(asked)
    assert.deepEqual([told.messages, told.events], [1, 4])
    await go('#/people/u_fore-user')
    await page.locator('.edge [role=button]').first().dispatchEvent('click')
    await page.waitForSelector('.edge-details')
    await page.getByRole('button', { name: 'Take back…' }).click()
    await page.waitForSelector('.moves ul li')
    assert.match(await page.textContent('.moves'), /1 message: 4 events move/)
    assert.match(await page.textContent('.moves li'), /device fore-device, 4 events: from u_fore-user to a_fore-device/)
    await page.getByRole('button', { name: 'Yes, do it' }).click()
    await page.waitForSelector('.edge-details', { state: 'detached' })
    assert.equal((await onym.ask('people/resolve?anonymous_id=fore-device')).person_id, 'a_fore-device')
    assert.equal((await onym.ask(asked + '&restore=true')).events, 4)
  }))

test('Live: only me, by an id that is pasted, and by the cookies of the library', () =>
  using({}, async ({ page, go, context }) => {
    await go('#/live')
    await page.waitForSelector('.dot.open')
    await page.getByRole('button', { name: 'Only me' }).click()
    await page.fill('#live-me', 'me-device')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => location.hash.includes('me=me-device'))
    await page.waitForSelector('.dot.open')
    await onym.send({ type: 'track', event: 'Not Mine', anonymousId: 'other-device' })
    await onym.send({ type: 'track', event: 'Mine', anonymousId: 'me-device' })
    await page.waitForSelector('.feed-row:has-text("Mine")')
    assert.equal(await page.locator('.feed-row:has-text("Not Mine")').count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Only me' }).getAttribute('aria-pressed'), 'true')
    await page.getByRole('button', { name: 'Another id…' }).click()
    await page.getByRole('button', { name: 'Not now' }).click()
    await context.addCookies([
      { name: 'ajs_anonymous_id', value: '%22cookie-device%22', url: onym.url },
      { name: 'ajs_user_id', value: 'cookie-user', url: onym.url },
    ])
    await page.getByRole('button', { name: 'Only me' }).click()
    await page.waitForFunction(() => location.hash.includes('me=cookie-device&me=cookie-user'))
    await page.waitForSelector('.dot.open')
    await onym.send({ type: 'track', event: 'By Server', userId: 'cookie-user' })
    await page.waitForSelector('.feed-row:has-text("By Server")')
  }))

test('Live: what breaks the plan says so, and can be filtered for; Sources counts refusals by reason', () =>
  using({}, async ({ page, go }) => {
    await go('#/live?plan=broken')
    await page.waitForSelector('.dot.open')
    await onym.send({ type: 'track', event: 'Fits', anonymousId: 'plan-device', properties: { n: 1 } })
    await onym.send({ type: 'track', event: 'Planned', anonymousId: 'plan-device', properties: { n: 'one' } })
    await onym.send({ type: 'track', anonymousId: 'plan-device' })
    await page.waitForSelector('.feed-row:has-text("Planned") .breaks')
    assert.match(await page.textContent('.feed-row .breaks'), /plan: wrong type properties\.n/)
    assert.equal(await page.locator('.feed-row').count(), 1)
    await page.locator('.feed-row .name button').click()
    await page.waitForSelector('.drawer .broken li')
    assert.match(await page.textContent('.drawer .broken'), /properties\.n, wrong type/)
    await page.keyboard.press('Escape')
    await go('#/sources')
    const counts = await onym.ask('live/counts?minutes=1440')
    const refused = counts.rows.filter((row) => row.reason == 'event_not_defined')
    const sum = refused.flatMap((row) => row.counts).reduce((all, n) => all + n, 0)
    assert.ok(sum > 0)
    const row = page.locator('table.refused tr:has-text("event_not_defined")').first()
    assert.equal(number(await row.locator('td.n').innerText()), sum)
  }))

test('the first paint waits for no script', () =>
  using({}, async ({ page, go }) => {
    let release
    const held = new Promise((done) => (release = done))
    await page.route(/\/ui\/app.*\.js$/, async (route) => {
      await held
      await route.continue()
    })
    await page.goto(onym.url + '/', { waitUntil: 'commit' })
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length)
    assert.equal((await page.textContent('.brand')).trim(), '○● Onym')
    release()
    await go('#/')
    assert.equal(await page.locator('.brand').count(), 1)
  }))

test('what takes long says how far it is, can be cancelled, and asked again', () =>
  using({}, async ({ page, go, faults }) => {
    // The way to the server takes as long as the test wants: that is certain, whatever the machine does.
    let release
    const held = new Promise((done) => (release = done))
    let given = 0
    await page.route(/\/api\/v1\/funnels\?/, async (route) => {
      given++
      if (given <= 2) await held
      await route.continue().catch(() => {}) // given up meanwhile
    })
    await page.goto(onym.url + '/' + VIEWS.funnel)
    await page.waitForSelector('.progress [aria-label="How far it is"]')
    await page.waitForFunction(() => / · /.test(document.querySelector('.progress span')?.textContent ?? ''))
    const failed = page.waitForEvent('requestfailed')
    await page.locator('.progress').getByRole('button', { name: 'Cancel' }).click()
    assert.match((await failed).url(), /funnels\?/)
    await page.waitForSelector('.progress', { state: 'detached' })
    assert.equal(await page.locator('.failure').count(), 0)
    // Leaving the page gives up what it asked for, too.
    await page.locator('.answered').getByRole('button', { name: 'Ask again' }).click()
    await page.waitForSelector('.progress')
    const left = page.waitForEvent('requestfailed')
    await page.evaluate(() => (location.hash = '#/settings'))
    assert.match((await left).url(), /funnels\?/)
    release()
    await go(VIEWS.funnel)
    assert.equal(await page.locator('.funnel li').count(), STEPS.length)
    assert.equal(given, 3)
    faults.splice(0, faults.length, ...faults.filter((fault) => !/ERR_FAILED|ERR_ABORTED/.test(fault)))
  }))

test('events are text: no markup, no address, nothing unseen', () =>
  using({}, async ({ page, go }) => {
    for (const hash of [
      '#/people/u_hostile-user',
      '#/questions/trends?e=*&by=event&range=7d',
      '#/questions/paths?e=*&range=7d',
      '#/people?search=hostile-user',
    ]) {
      await go(hash)
      const bad = await page.evaluate(() => ({
        elements: document.querySelectorAll('img,script:not([src^="/ui/"]),iframe,object,embed').length,
        links: [...document.querySelectorAll('a')]
          .map((a) => a.getAttribute('href'))
          .filter((href) => !/^(#|\/api\/v1\/)/.test(href)),
        unseen: [
          ...(document.querySelector('main').innerText ?? '').matchAll(
            /[\u0000-\u0008\u000b-\u001f\u200b\u202a-\u202e\u2066-\u2069]/g,
          ),
        ].length,
      }))
      assert.deepEqual(bad, { elements: 0, links: [], unseen: 0 }, hash)
    }
    await go('#/people/u_hostile-user')
    assert.ok((await page.textContent('.timeline')).includes('<img src=x onerror=alert(1)>'))
    assert.ok((await page.textContent('.timeline')).includes('U+202E'))
    await page.locator('.moment button').first().click()
    await page.waitForSelector('.drawer .json')
    assert.equal(await page.locator('.drawer img, .drawer a').count(), 0)
  }))

test('a question is built by keyboard, and the address holds it', () =>
  using({}, async ({ page, go }) => {
    await go('#/questions/funnel')
    for (const [at, name] of [
      [1, 'page:/'],
      [2, 'Account Created'],
    ]) {
      await page.getByRole('combobox', { name: 'Step ' + at }).focus()
      await page.keyboard.type(name)
      await page.waitForSelector('[role=option]')
      await page.waitForFunction(
        (wanted) => document.querySelector('[role=option][aria-selected=true]')?.textContent.startsWith(wanted),
        name,
      )
      await page.keyboard.press('Enter')
      await page.waitForFunction(
        (wanted) => decodeURIComponent(location.hash.replaceAll('+', ' ')).includes('e=' + wanted),
        name,
      )
    }
    await settled(page)
    const hash = new URL(page.url()).hash
    assert.equal(await page.locator('.funnel li').count(), 2)
    const figures = await text(page, '.funnel .figures .cell:first-child')
    await go('#/')
    await go(hash)
    assert.deepEqual(await text(page, '.funnel .figures .cell:first-child'), figures)
    await page.goBack()
    await page.waitForFunction(() => document.title.startsWith('Home'))
  }))

test('what cannot be answered is said, and a session that has ended asks for the key', () =>
  using({}, async ({ page, go, context, faults }) => {
    await go(
      '#/questions/trends?e=%7B%22event%22%3A%22x%22%2C%22measure%22%3A%22sum%22%2C%22property%22%3A%22nonsense%22%7D',
    )
    await page.waitForSelector('.failure')
    assert.ok((await page.textContent('.failure')).length > 20)
    await context.clearCookies()
    await page.evaluate(() => (location.hash = '#/people?search=zzz'))
    await page.waitForSelector('#key')
    assert.match(await page.textContent('#problem'), /sign in again/)
    // The browser's own notes of answers of 400 are no faults of the page.
    faults.splice(0, faults.length, ...faults.filter((fault) => !/status of 400/.test(fault)))
  }))
