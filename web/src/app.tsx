// The shell: who is signed in, where one is, and what keys do.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, Session, call, isAnalyst, setRole, whenSignedOut } from './api'
import { forgetAnswers } from './answer'
import { isZone, ownZone } from './format'
import { useKeys } from './keys'
import { go, keysNow, nextTheme, setKeys, setZone, themeNow, usePlace, zoneNow } from './place'
import { Place, linkToken, placeHref } from './route'
import { Drawer, Empty, Sayer } from './ui'
import { Destinations } from './views/destinations'
import { Doctor } from './views/doctor'
import { Home } from './views/home'
import { Live } from './views/live'
import { People } from './views/people'
import { Person } from './views/person'
import { Questions } from './views/questions'
import { SignIn } from './views/signin'
import { Short } from './views/saved'
import { Settings } from './views/settings'
import { Sources } from './views/sources'
import { Start } from './views/start'

/** `least`: whom it is for; nobody is led to what they may not see. */
const VIEWS: { path: string; name: string; key: string; least?: 'analyst' }[] = [
  { path: '', name: 'Home', key: 'h' },
  { path: 'questions', name: 'Questions', key: 'q' },
  { path: 'people', name: 'People', key: 'p' },
  { path: 'live', name: 'Live', key: 'l' },
  { path: 'doctor', name: 'Doctor', key: 'o' },
  { path: 'destinations', name: 'Destinations', key: 'd' },
  { path: 'sources', name: 'Sources', key: 's' },
  { path: 'settings', name: 'Settings', key: 'e', least: 'analyst' },
]
const href = (path: string) => placeHref(path ? [path] : [])

const Brand = () => (
  <a class="brand" href={href('')}>
    <span class="mark" aria-hidden="true">
      ○●
    </span>{' '}
    Onym
  </a>
)
/** As index.html has it, so that the first paint waits for no script, and nothing blinks until it is known who asks. */
const Opening = () => (
  <div class="shell">
    <nav class="side" aria-label="Main">
      <Brand />
    </nav>
    <main aria-busy="true" />
  </div>
)

export const App = () => {
  const [session, setSession] = useState<Session | null>(null)
  const [isKnown, setKnown] = useState(false)
  const [says, setSays] = useState('')
  useEffect(() => {
    whenSignedOut(() => {
      forgetAnswers()
      setSession(null)
      setSays('The session has ended: sign in again.')
    })
    // The token leaves the address before anything else happens: no history, no screen shared by chance, shows it.
    const link = linkToken(location.hash)
    if (link) history.replaceState(null, '', location.pathname)
    const asked = link ? call<Session>('POST', 'session', { link }) : call<Session>('GET', 'session')
    asked
      .then(setSession, (error: ApiError) => {
        if (link || (error.status != 401 && error.status != 403)) setSays(error.message)
      })
      .finally(() => setKnown(true))
  }, [])
  setRole(session?.role ?? '')
  if (!isKnown) return <Opening />
  if (!session)
    return (
      <SignIn
        enter={(next) => {
          setSays('')
          setSession(next)
        }}
        says={says}
        key={says}
      />
    )
  return (
    <Shell
      session={session}
      leave={async () => {
        await call('DELETE', 'session').catch(() => {})
        forgetAnswers()
        setSays('')
        setSession(null)
      }}
    />
  )
}

const Shell = ({ session, leave }: { session: Session; leave: () => void }) => {
  const place = usePlace()
  const [isHelp, setHelp] = useState(false)
  const [said, say] = useState('')
  const [theme, setTheme] = useState(themeNow())
  const main = useRef<HTMLElement>(null)
  const view = place.path[0] ?? ''
  const keys: Record<string, () => void> = {
    '?': () => setHelp(true),
    '/': () => go(href('people')),
    t: () => setTheme(nextTheme()),
    c: () => void navigator.clipboard?.writeText(location.href).then(() => say('Link copied')),
  }
  const views = VIEWS.filter((one) => !one.least || isAnalyst())
  for (const one of views) keys['g ' + one.key] = () => go(href(one.path))
  keys['g f'] = () => go(href('questions'))
  useKeys(keys)
  useEffect(() => {
    if (!said) return
    const timer = setTimeout(() => say(''), 3000)
    return () => clearTimeout(timer)
  }, [said])
  useEffect(() => {
    const name =
      VIEWS.find((one) => one.path == (view == 's' ? 'questions' : view))?.name ?? (view == 'start' ? 'First run' : '')
    document.title = (name ? name + ' · ' : '') + 'Onym'
  }, [view])
  return (
    <Sayer value={say}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        To the content
      </a>
      <div class="shell">
        <nav class="side" aria-label="Main">
          <Brand />
          <ul>
            {views.map((one) => (
              <li>
                <a href={href(one.path)} aria-current={one.path == view ? 'page' : undefined}>
                  {one.name}
                  <kbd aria-hidden="true">g {one.key}</kbd>
                </a>
              </li>
            ))}
          </ul>
          <div class="foot">
            <button type="button" class="quiet" onClick={() => setTheme(nextTheme())} title="t">
              {theme == 'auto' ? 'Theme: system' : theme == 'light' ? 'Theme: light' : 'Theme: dark'}
            </button>
            <button type="button" class="quiet" onClick={() => setHelp(true)}>
              Help <kbd aria-hidden="true">?</kbd>
            </button>
            <button type="button" class="quiet" onClick={leave} title={`Signed in as ${session.role}`}>
              Sign out
            </button>
          </div>
        </nav>
        <main id="main" ref={main} tabIndex={-1}>
          <View place={place} />
        </main>
      </div>
      <p class={said ? 'said shown' : 'said'} role="status">
        {said}
      </p>
      {isHelp && <Help close={() => setHelp(false)} session={session} />}
    </Sayer>
  )
}

const View = ({ place }: { place: Place }) => {
  const [view, id] = place.path
  switch (view ?? '') {
    case '':
      return <Home place={place} />
    case 'questions':
      return <Questions place={place} />
    case 's':
      return <Short place={place} />
    case 'people':
      return id ? <Person place={place} key={id} /> : <People place={place} />
    case 'live':
      return <Live place={place} />
    case 'doctor':
      return <Doctor place={place} />
    case 'destinations':
      return <Destinations place={place} key={id} />
    case 'sources':
      return <Sources />
    case 'settings':
      return <Settings />
    case 'start':
      return <Start />
  }
  return (
    <section class="view">
      <Empty title="There is no such page.">
        <a href={href('')}>Home</a>
      </Empty>
    </section>
  )
}

const ROWS: [string, string][] = [
  ['?', 'this help'],
  ['/', 'search for a person; in Live, for a text'],
  ['j  k', 'to the next row, the one before'],
  ['Enter', 'open the row'],
  ['x', 'in Live: show the message in its place'],
  ['Esc', 'close'],
  ['space', 'pause Live, or go on'],
  ['c', 'copy the link to what is shown'],
  ['t', 'light, dark, as the system'],
]

const Help = ({ close, session }: { close: () => void; session: Session }) => {
  const [hasKeys, setHas] = useState(keysNow())
  const [zone, setTyped] = useState(zoneNow())
  return (
    <Drawer title="Help" close={close}>
      <h3>Keys</h3>
      <table class="rows keys">
        <tbody>
          {VIEWS.map((one) => (
            <tr>
              <th scope="row">
                <kbd>g</kbd> <kbd>{one.key}</kbd>
              </th>
              <td>go to {one.name}</td>
            </tr>
          ))}
          {ROWS.map(([key, text]) => (
            <tr>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="check">
        <input
          type="checkbox"
          checked={hasKeys}
          onChange={(event) => {
            setHas(event.currentTarget.checked)
            setKeys(event.currentTarget.checked)
          }}
        />{' '}
        single keys do something
      </label>
      <h3>Time zone</h3>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          setZone(zone)
          close()
        }}
      >
        <label>
          Times and days are those of{' '}
          <input
            value={zone}
            onInput={(event) => setTyped(event.currentTarget.value)}
            list="zones"
            aria-invalid={!isZone(zone)}
            spellcheck={false}
          />
        </label>
        <datalist id="zones">
          {[
            ownZone(),
            'UTC',
            'Europe/Berlin',
            'Europe/London',
            'America/New_York',
            'America/Los_Angeles',
            'Asia/Tokyo',
          ].map((one) => (
            <option value={one} />
          ))}
        </datalist>{' '}
        <button disabled={!isZone(zone)}>Use it</button>
      </form>
      <h3>Read on</h3>
      <p>
        First run:{' '}
        <a href="#/start" onClick={close}>
          what to paste, and a checklist
        </a>
        . The API: <a href="/api/v1/openapi.json">its description</a>. In a terminal: <code>onym help</code>.
      </p>
      <p class="over">
        Signed in as {session.role}
        {session.expires_at && <>, until {new Date(session.expires_at).toLocaleString()}</>}.
      </p>
    </Drawer>
  )
}
