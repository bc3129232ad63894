// What every page does: find out who is here, and tell Onym. The library itself comes from /onym.js, which
// stands in the head and has made the page call by now.
import { albums } from './albums.js'
import { isHard, showSwitches } from './hard.js'
import { showKept } from './kept.js'

const one = (selector) => document.querySelector(selector)
const params = new URLSearchParams(location.search)

/** The member who is logged in, or null. */
const fetchMember = async () => {
  const answer = await fetch('/me')
  return answer.json()
}

/** Takes the parameter out of the address, so that a reload does not say again what it says. */
const takeParam = (name) => {
  const value = params.get(name)
  if (value !== null) {
    params.delete(name)
    history.replaceState(null, '', location.pathname + (params.size ? '?' + params : ''))
  }
  return value
}

const traitsOf = ({ name, email, plan, createdAt }) => ({ name, email, plan, createdAt })

/** The identity line of the footer: what the library knows. */
const showWho = () => {
  analytics.ready(() => {
    const user = analytics.user()
    const id = user.id()
    one('.who').innerHTML = `anonymous ${user.anonymousId().slice(0, 8)}…${id ? ' → <b></b>' : ''}`
    if (id) one('.who b').textContent = 'user ' + id
  })
}

const showCovers = () => {
  const covers = albums.slice(0, 9).map((album) => album.cover)
  one('.mosaic').innerHTML = covers.join('')
}

const fill = (member) => {
  for (const place of document.querySelectorAll('[data-member]')) {
    const value = member[place.dataset.member]
    place.textContent = place.dataset.member == 'createdAt' ? new Date(value).toLocaleDateString() : value
  }
  for (const radio of document.querySelectorAll('[name=plan]')) radio.checked = radio.value == member.plan
}

const PAGES = {
  '/': () => showCovers(),

  '/browse'() {
    const list = one('.albums')
    const player = one('.player')
    list.innerHTML = albums
      .map(
        ({ cover, title, artist }, index) =>
          `<li><button class="album" data-album="${index}" aria-pressed="false">${cover}` +
          '<span class="play" aria-hidden="true">▶</span>' +
          `<strong>${title}</strong><span class="small">${artist.replace('&', '&amp;')}</span></button></li>`,
      )
      .join('')
    list.addEventListener('click', (event) => {
      const button = event.target.closest('.album')
      if (!button) return
      const { title, artist, song, cover } = albums[button.dataset.album]
      for (const other of document.querySelectorAll('.album'))
        other.setAttribute('aria-pressed', other == button)
      player.hidden = false
      player.innerHTML =
        `<div>${cover}<div><strong></strong><br><span class="small"></span></div>` +
        '<span class="bar"><i></i></span></div>'
      player.querySelector('strong').textContent = song
      player.querySelector('.small').textContent = `${artist} · ${title}`
      analytics.track('Song Played', { song, artist, album: title })
    })
  },

  '/signup'() {
    one('#taken').hidden = takeParam('taken') === null
    analytics.stamp(one('#signup'), 'Sign Up Submitted', (form) => ({ plan: form.plan.value }))
    analytics.trackLink(one('#connect'), 'Connect Clicked')
  },

  '/login'() {
    one('#unknown').hidden = takeParam('unknown') === null
  },

  // The best place to track new users: in the browser, on the page that they see right after.
  '/welcome'(member) {
    showCovers()
    const via = takeParam('via')
    if (!member) return
    if (!via) return showKept(member, isHard('down'))
    analytics.identify(member.userId, traitsOf(member))
    analytics.track('Account Created', { via, plan: member.plan })
    if (isHard('redirect')) location.replace(location.href)
    else showKept(member, isHard('down'))
  },

  '/account'(member) {
    one('#saved').hidden = takeParam('saved') === null
    if (!member) return location.replace('/login')
    analytics.trackForm(one('#plan'), 'Plan Changed', (form) => ({ plan: form.plan.value }))
  },
}

showSwitches()
const member = await fetchMember()
document.body.dataset.visitor = member ? 'member' : 'guest'
for (const link of document.querySelectorAll('.top a')) {
  if (link.pathname == location.pathname && !link.matches('.logo'))
    link.setAttribute('aria-current', 'page')
}
if (member) {
  fill(member)
  if (takeParam('login') !== null) {
    analytics.identify(member.userId, traitsOf(member))
    analytics.track('Logged In')
  }
  // The last thing before the page goes: with this library it is safe.
  one('#logout').addEventListener('submit', () => {
    analytics.track('Logged Out')
    analytics.reset()
  })
}
PAGES[location.pathname]?.(member)
showWho()
