// Settings: who is signed in, whose messages are kept out, and what is being erased.
import { useState } from 'preact/hooks'
import { call } from '../api'
import { useAnswer } from '../answer'
import { count } from '../format'
import { Answered, Confirm, Failure, Text, When, useSay } from '../ui'

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
  const sessions = useAnswer<{ sessions: OneSession[] }>('sessions')
  const suppressed = useAnswer<{ count: number; ids: Id[] }>('suppressions')
  const erasures = useAnswer<{ erasures: Record<string, unknown>[] }>('erasures', undefined, 5000)
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
    <section class="view">
      <header class="top">
        <h1>Settings</h1>
      </header>
      <h2>Who is signed in</h2>
      {problem && <Failure error={problem} />}
      <Answered asking={sessions} lines={2}>
        {(answer) => (
          <div class="scroll" tabIndex={0} role="region" aria-label="Sessions">
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
          </div>
        )}
      </Answered>
      <h2>Kept out</h2>
      <Answered asking={suppressed} lines={2}>
        {(answer) => {
          const ids = answer.ids
          return ids.length ? (
            <p>
              {count(answer.count)} ids:{' '}
              {ids.slice(0, 50).map((one) => (
                <>
                  <code>
                    <Text of={typeof one == 'string' ? one : `${one.type ?? ''} ${one.id ?? ''}`} most={80} />
                  </code>{' '}
                </>
              ))}
            </p>
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
      <p class="over">
        What is kept for how long, keys with their roles, and all other options stand in <code>onym.yaml</code>.
      </p>
    </section>
  )
}
