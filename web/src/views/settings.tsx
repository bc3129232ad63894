// Settings: who is signed in, whose messages are kept out, and what is being erased.
import { useState } from 'preact/hooks'
import { call, isAdmin } from '../api'
import { forgetAnswers, useAnswer } from '../answer'
import { bytes, count, duration, plural } from '../format'
import { plain } from '../text'
import { Answered, Confirm, Failure, Scroll, Text, When, useSay } from '../ui'

interface OneSession {
  id: string
  role: string
  key: string | null
  created_at: string
  last_seen_at: string
  expires_at: string
  agent: string | null
  current: boolean
}
interface Id {
  type?: string
  id?: string
}

/** "Firefox on Linux" of what a browser says of itself. */
export const agentName = (agent: string | null): string => {
  if (!agent) return 'a program'
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrom(e|ium)\//.test(agent)
        ? 'Chrome'
        : /Safari\//.test(agent)
          ? 'Safari'
          : ''
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS X/.test(agent)
          ? 'macOS'
          : /Linux/.test(agent)
            ? 'Linux'
            : ''
  return browser ? browser + (system ? ' on ' + system : '') : agent
}

export const Settings = () => {
  const suppressed = useAnswer<{ count: number; ids: Id[] }>('suppressions')
  const erasures = useAnswer<{ erasures: Record<string, unknown>[] }>('erasures', undefined, 5000)
  const [problem, setProblem] = useState<any>(null)
  const say = useSay()
  const letIn = async (one: Id) => {
    try {
      await call('DELETE', `suppressions?${one.type}=${encodeURIComponent(one.id ?? '')}`)
      say('Let in again')
      forgetAnswers()
      suppressed.again()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <section class="view">
      <header class="top">
        <h1>Settings</h1>
      </header>
      {isAdmin() && <Signed />}
      {problem && <Failure error={problem} />}
      <h2>Kept out</h2>
      <Answered asking={suppressed} lines={2}>
        {(answer) => {
          const ids = answer.ids
          return ids.length ? (
            <>
              <p>{plural(answer.count, 'id')}; what comes with one of them is dropped.</p>
              <ul class="plain suppressed">
                {ids.map((one) => (
                  <li>
                    <span class="dim">{(one.type ?? '').replace('_', ' ')}</span>{' '}
                    <code>
                      <Text of={one.id} most={80} />
                    </code>
                    {isAdmin() && (one.type == 'user_id' || one.type == 'anonymous_id') && (
                      <Confirm
                        ask="Let in again…"
                        says="Messages with it are taken again; what came meanwhile stays left out."
                        run={() => letIn(one)}
                      />
                    )}
                  </li>
                ))}
              </ul>
              {answer.count > ids.length && (
                <p class="note">
                  The first {count(ids.length)}; <code>onym suppressions</code> lists all.
                </p>
              )}
            </>
          ) : (
            <p class="note">Nobody: no id is suppressed.</p>
          )
        }}
      </Answered>
      <h2>Erasures under way</h2>
      <Answered asking={erasures} lines={2}>
        {(answer) =>
          answer.erasures.length ? (
            <ul class="plain">
              {answer.erasures.map((one) => (
                <li>
                  <Text of={one} most={400} />
                </li>
              ))}
            </ul>
          ) : (
            <p class="note">None.</p>
          )
        }
      </Answered>
      <Storage />
      {isAdmin() && <Audit />}
      <p class="over">
        What is kept for how long, keys with their roles, and all other options stand in <code>onym.yaml</code>.
      </p>
    </section>
  )
}

interface Entry {
  number: number
  at: string
  who: string
  role: string
  method: string
  path: string
  status: number
  about: string | null
}

/** What an order is, in words; `*` stands for whom or what it is about. */
const ORDERS: [string, RegExp, string][] = [
  ['POST', /\/session$/, 'signed in'],
  ['DELETE', /\/session$/, 'signed out'],
  ['POST', /\/session\/link$/, 'made a link to sign in'],
  ['DELETE', /\/sessions\//, 'ended a session'],
  ['DELETE', /\/people\//, 'erased a person'],
  ['POST', /\/unmerge$/, 'took links back'],
  ['POST', /\/restore$/, 'let links count again'],
  ['POST', /\/suppressions$/, 'suppressed ids'],
  ['DELETE', /\/suppressions$/, 'let ids in again'],
  ['POST', /\/sources$/, 'made a source'],
  ['POST', /\/sources\/.*\/(disable|enable|rotate)$/, ''],
  ['POST', /\/replay$/, 'replayed'],
  ['POST', /\/redo$/, 'tried dead letters again'],
  ['POST', /\/test$/, 'sent a test event'],
  ['POST', /\/saved$/, 'saved a question'],
  ['DELETE', /\/saved\//, 'deleted a saved question'],
]
const VERBS: Record<string, string> = { disable: 'switched off', enable: 'switched on', rotate: 'changed the key of' }
export const orderName = (method: string, path: string): string => {
  const row = ORDERS.find(([how, where]) => how == method && where.test(path))
  if (row) return row[2] || VERBS[path.split('/').pop()!]
  return `${method} ${path}`
}

const Audit = () => {
  const [before, setBefore] = useState<number[]>([])
  const last = before[before.length - 1]
  const asking = useAnswer<{ entries: Entry[]; next: number | null }>(
    'audit?limit=50' + (last === undefined ? '' : '&before=' + last),
  )
  return (
    <>
      <h2>Who did what</h2>
      <Answered asking={asking} lines={3}>
        {({ entries, next }) =>
          entries.length == 0 ? (
            <p class="note">Nothing yet.</p>
          ) : (
            <>
              <Scroll label="Who did what">
                <table class="rows audit">
                  <thead>
                    <tr>
                      <th scope="col">when</th>
                      <th scope="col">who</th>
                      <th scope="col">role</th>
                      <th scope="col">did</th>
                      <th scope="col">about</th>
                      <th scope="col">answer</th>
                    </tr>
                  </thead>
                  <tbody>
                    {entries.map((one) => (
                      <tr class={one.status >= 400 ? 'refused' : ''}>
                        <td>
                          <When at={one.at} />
                        </td>
                        <td>
                          <Text of={one.who} most={50} />
                        </td>
                        <td>{one.role}</td>
                        <td title={plain(`${one.method} ${one.path}`, 120)}>
                          <Text of={orderName(one.method, one.path)} most={80} />
                        </td>
                        <td>
                          <Text of={one.about ?? '–'} most={50} />
                        </td>
                        <td class={one.status >= 400 ? 'bad' : 'dim'}>
                          {one.status < 400 ? 'done' : `refused, ${one.status}`}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
              <p class="copies">
                {before.length > 0 && (
                  <button type="button" class="quiet" onClick={() => setBefore(before.slice(0, -1))}>
                    Newer
                  </button>
                )}
                {next !== null && (
                  <button type="button" class="quiet" onClick={() => setBefore([...before, next])}>
                    Older
                  </button>
                )}
              </p>
            </>
          )
        }
      </Answered>
    </>
  )
}

const Signed = () => {
  const sessions = useAnswer<{ sessions: OneSession[] }>('sessions')
  const [problem, setProblem] = useState<any>(null)
  const say = useSay()
  const end = async (one: OneSession) => {
    try {
      await call('DELETE', 'sessions/' + encodeURIComponent(one.id))
      say('Signed out there')
      sessions.again()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <>
      <h2>Who is signed in</h2>
      {problem && <Failure error={problem} />}
      <Answered asking={sessions} lines={2}>
        {(answer) => (
          <Scroll label="Sessions">
            <table class="rows">
              <thead>
                <tr>
                  <th scope="col">with</th>
                  <th scope="col">role</th>
                  <th scope="col">key</th>
                  <th scope="col">signed in</th>
                  <th scope="col">last seen</th>
                  <th scope="col">until</th>
                  <th scope="col">
                    <span class="sr">what to do</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {answer.sessions.map((one) => (
                  <tr>
                    <th scope="row" title={one.agent ?? ''}>
                      <Text of={agentName(one.agent)} most={40} />
                      {one.current && <span class="tag accent">this one</span>}
                    </th>
                    <td>{one.role}</td>
                    <td>
                      <Text of={one.key ?? 'the secret key'} most={40} />
                    </td>
                    <td>
                      <When at={one.created_at} relative />
                    </td>
                    <td>
                      <When at={one.last_seen_at} relative />
                    </td>
                    <td>
                      <When at={one.expires_at} />
                    </td>
                    <td>
                      {!one.current && (
                        <Confirm ask="Sign out…" says="That browser has to sign in again." run={() => end(one)} />
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </Answered>
    </>
  )
}

interface Stored {
  parts: { name: string; bytes: number }[]
  bytes: number
  free_bytes: number
  retention_days: number | null
  bytes_a_day: number | null
  measured_over_days: number | null
  bytes_at_retention: number | null
  full_in_days: number | null
}
const PARTS: Record<string, string> = {
  journal: 'messages',
  'derived/index': 'what questions read',
  'derived/state': 'people and their traits',
  'derived/dedup': 'what came before, to know repetitions',
  deliver: 'what destinations have yet to get',
}

/** How much there is, how much comes, and when the disk is full. */
const Storage = () => {
  const asking = useAnswer<Stored>('storage', undefined, 60_000)
  return (
    <>
      <h2>On the disk</h2>
      <Answered asking={asking} lines={3}>
        {(told) => {
          const parts = [...told.parts].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1))
          const all = Math.max(1, told.bytes)
          let x = 0
          return (
            <figure class="pipe">
              <p class="headline">
                <b>{bytes(told.bytes)}</b> kept, {bytes(told.free_bytes)} free
                {told.bytes_a_day !== null && (
                  <>
                    ; <b>{bytes(told.bytes_a_day)}</b> come a day
                  </>
                )}
              </p>
              <p>
                {told.full_in_days !== null ? (
                  <strong class={told.full_in_days < 30 ? 'bad' : ''}>
                    Full in {plural(Math.floor(told.full_in_days), 'day')} as it goes now.
                  </strong>
                ) : told.bytes_a_day === null ? (
                  <span class="note">The journal is too young to say how fast it grows.</span>
                ) : told.retention_days !== null ? (
                  <>
                    Messages go after {plural(told.retention_days, 'day')}: it comes to some{' '}
                    {bytes(told.bytes_at_retention)}.
                  </>
                ) : null}
              </p>
              <svg width="100%" height="22" role="img" aria-label="What takes how much; the list below has the numbers">
                {parts.map((one, n) => {
                  const left = x
                  x += (100 * one.bytes) / all
                  return <rect x={left + '%'} width={(100 * one.bytes) / all + '%'} height="22" class={'s' + (n % 8)} />
                })}
              </svg>
              <ul class="plain inline">
                {parts.map((one, n) => (
                  <li>
                    <i class={'swatch s' + (n % 8)} /> {PARTS[one.name] ?? <Text of={one.name} most={40} />}{' '}
                    <b>{bytes(one.bytes)}</b>
                  </li>
                ))}
              </ul>
              {told.measured_over_days !== null && (
                <p class="over">What comes a day was measured over {duration(told.measured_over_days * 86_400_000)}.</p>
              )}
            </figure>
          )
        }}
      </Answered>
    </>
  )
}
