// Signs in, by the link that `onym ui` printed or by a key, and says who is signed in.
interface Session { role: string, expires_at: string }

const app = document.getElementById('app')!

function element(tag: string, attributes: Record<string, string> = {}, ...inside: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag)
  for (const name of Object.keys(attributes)) made.setAttribute(name, attributes[name])
  made.append(...inside)
  return made
}

async function ask(method: string, path: string, body?: object): Promise<Session> {
  const answer = await fetch(path, {
    method, body: body && JSON.stringify(body), headers: body ? { 'Content-Type': 'application/json' } : {},
  })
  const told = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(told.error ? told.error.message : `the server answered ${answer.status}`)
  return told
}

function showForm(problem = '') {
  const key = element('input', { id: 'key', type: 'password', autocomplete: 'current-password', required: '' }) as HTMLInputElement
  const form = element('form', {}, element('label', { for: 'key' }, 'Secret key'), key, element('button', {}, 'Sign in'))
  form.addEventListener('submit', event => {
    event.preventDefault()
    ask('POST', '/api/v1/session', { key: key.value.trim() }).then(showSession, error => showForm(error.message))
  })
  app.replaceChildren(element('h1', {}, 'Onym'), form, element('p', { role: 'alert' }, problem),
    element('p', {}, 'Or run onym ui on the server: it prints a link that signs you in.'))
  key.focus()
}

function showSession(session: Session) {
  const out = element('button', {}, 'Sign out')
  out.addEventListener('click', () => { ask('DELETE', '/api/v1/session').then(() => showForm(), error => showForm(error.message)) })
  app.replaceChildren(element('h1', {}, 'Onym'),
    element('p', {}, `Signed in as ${session.role}, until ${new Date(session.expires_at).toLocaleString()}.`), out)
}

const link = new URLSearchParams(location.hash.slice(1)).get('link')
if (link) {
  history.replaceState(null, '', location.pathname)
  ask('POST', '/api/v1/session', { link }).then(showSession, error => showForm(error.message))
} else {
  ask('GET', '/api/v1/session').then(showSession, () => showForm())
}
