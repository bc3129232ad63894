// The switches "make it hard": what usually loses a sign-up, for who wants to see that nothing is lost here.
const SAYS = {
  redirect: 'The welcome page identifies you and goes on in the same tick.',
  down: 'Onym answers each call from this browser with 503. Switch it off, and watch them arrive.',
  blocker: 'Nothing at /analytics.js/ and /v1/ can be reached any more; this site has a path of its own.',
}
const LIFE_S = 600

export const isHard = (name) => window.rdio.hard.includes(name)

const write = (names) => {
  document.cookie = `rdio_hard=${names.join('.')}; path=/; samesite=lax; max-age=${names.length ? LIFE_S : 0}`
  window.rdio.hard = names
}

/** The usual script, asked for where it should be blocked: that it is, is shown and not just said. */
const tryUsual = (line) => {
  const { onym, key, own } = window.rdio
  fetch(`${onym}/analytics.js/v1/${key}/analytics.min.js`).then(
    () => (line.textContent += ' (The usual script still answers here.)'),
    () => (line.textContent += ` The usual script: blocked. In use: /${own}/.`),
  )
}

export const showSwitches = () => {
  const form = document.querySelector('.hard')
  if (!window.rdio.own) form.blocker.closest('label').remove()
  const boxes = [...form.querySelectorAll('input')]
  const line = form.querySelector('p')
  for (const box of boxes) box.checked = isHard(box.name)
  line.textContent = boxes.filter((box) => box.checked).map((box) => SAYS[box.name]).join(' ')
  if (window.rdio.own && isHard('blocker')) tryUsual(line)
  form.addEventListener('change', () => {
    write(boxes.filter((box) => box.checked).map((box) => box.name))
    location.reload()
  })
  form.hidden = false
}
