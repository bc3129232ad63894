// Sources: what sends, how much, with what; and what to paste for another.
import { useState } from 'preact/hooks'
import { Trends, call, isAdmin } from '../api'
import { forgetAnswers, useAnswer } from '../answer'
import { Spark } from '../charts'
import { Counts, byReason } from '../counts'
import { count, duration } from '../format'
import { useNow } from '../now'
import { zoneNow } from '../place'
import { empty, rangeOf } from '../question'
import { placeHref } from '../route'
import { SNIPPETS } from '../snippets'
import { plain } from '../text'
import { Answered, AskedOver, Confirm, CopyButton, Empty, Failure, Scroll, Tabs, Text, When, useSay } from '../ui'

interface Source {
  name: string
  write_key: string
  enabled: boolean
  server: boolean
  kept: 'file' | 'page'
  old_key: string | null
  old_key_until: string | null
}
export interface KeyState {
  value: string
  set: (value: string) => void
  sources: Source[]
  all: Source[]
  again: () => void
}

/** The write key for what is pasted: of the sources where they are told, else typed; it stays in this page. */
export const useWriteKey = (): KeyState => {
  const [typed, set] = useState<string | null>(null)
  const asked = useAnswer<{ sources: Source[] }>(isAdmin() ? 'sources' : null)
  const all = asked.answer?.sources ?? []
  const sources = all.filter((one) => one.enabled)
  return { value: typed ?? sources[0]?.write_key ?? '', set, sources, all, again: asked.again }
}

export const KeyField = ({ state }: { state: KeyState }) => (
  <p class="keyfield">
    {state.sources.length > 0 ? (
      <label>
        For{' '}
        <select value={state.value} onChange={(event) => state.set(event.currentTarget.value)}>
          {state.sources.map((one) => (
            <option value={one.write_key}>{plain(one.name)}</option>
          ))}
        </select>
      </label>
    ) : (
      <label>
        Write key{' '}
        <input
          value={state.value}
          placeholder="onym keys shows it"
          onInput={(event) => state.set(event.currentTarget.value.trim())}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
    )}
  </p>
)

export const Sources = () => {
  const zone = zoneNow()
  const now = useNow()
  const range = rangeOf({ ...empty('trends', zone), range: '30d' }, now)
  const ask = (by: string) => ({ series: ['*'], unit: 'day', by, limit: 50, timezone: zone, ...range })
  const sources = useAnswer<Trends>('trends', ask('source'))
  const libraries = useAnswer<Trends>('trends', ask('context.library.name'))
  const versions = useAnswer<Trends>('trends', ask('context.library.version'))
  const key = useWriteKey()
  const [name, setName] = useState('Website')
  const snippet = SNIPPETS.find((one) => one.name == name)!
  const code = snippet.code(location.origin, key.value || 'YOUR_WRITE_KEY')
  const quiet = key.sources.filter(
    (one) => !sources.answer?.series[0]?.groups?.some((group) => group.value == one.name),
  )
  const table = (answer: Trends, title: string, isSource?: boolean) => {
    const groups = answer.series[0]?.groups ?? []
    if (!groups.length) return <Empty title="Nothing came in these 30 days." />
    return (
      <table class="numbers wide">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" class="n">
              events
            </th>
            <th scope="col">a day</th>
            <th scope="col">last day</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => {
            const last = group.values.reduce<number>((found, n, at) => (n ? at : found), -1)
            return (
              <tr>
                <th scope="row">
                  {isSource ? (
                    <a href={placeHref(['live'], { source: String(group.value ?? '') })}>
                      <Text of={group.value ?? '(none)'} most={50} />
                    </a>
                  ) : (
                    <Text of={group.value ?? '(none)'} most={50} />
                  )}
                </th>
                <td class="n">{count(group.total)}</td>
                <td>
                  <Spark values={group.values.map((n) => n ?? 0)} />
                </td>
                <td>{last < 0 ? '–' : answer.buckets[last].slice(0, 10)}</td>
              </tr>
            )
          })}
          {isSource &&
            quiet.map((one) => (
              <tr class="dim">
                <th scope="row">
                  <Text of={one.name} most={50} />
                </th>
                <td class="n">0</td>
                <td />
                <td>nothing in these 30 days</td>
              </tr>
            ))}
        </tbody>
      </table>
    )
  }
  return (
    <section class="view">
      <header class="top">
        <h1>Sources</h1>
      </header>
      <Answered asking={sources}>
        {(answer) => (
          <>
            {table(answer, 'source', true)}
            <AskedOver answer={answer} />
          </>
        )}
      </Answered>
      <div class="halves">
        <section>
          <h2>Libraries</h2>
          <Answered asking={libraries} lines={3}>
            {(answer) => table(answer, 'library')}
          </Answered>
        </section>
        <section>
          <h2>Versions</h2>
          <Answered asking={versions} lines={3}>
            {(answer) => table(answer, 'version')}
          </Answered>
        </section>
      </div>
      <h2>What was not taken</h2>
      <Refusals />
      {isAdmin() && <Keys state={key} />}
      <h2>Send from somewhere else</h2>
      <KeyField state={key} />
      <Tabs
        label="Language"
        now={name}
        choose={setName}
        of={SNIPPETS.map((one): [string, string] => [one.name, one.name])}
      />
      <p class="note">{snippet.says}</p>
      <pre class="code" tabIndex={0}>
        {code}
      </pre>
      <p class="copies">
        <CopyButton text={() => code}>Copy</CopyButton>
      </p>
    </section>
  )
}

/** Reasons in words; docs/protocol.md has all of them. */
const REASONS: Record<string, string> = {
  repeated: 'came before: its messageId is known',
  suppressed: 'names a suppressed id',
  source_disabled: 'its source is switched off',
  key_rotated: 'its write key was replaced',
  project_not_found: 'its write key names no source',
  origin_not_allowed: 'the page that sent it may not',
  bad_request: 'it is no message',
  no_user_anon_id: 'neither a user id nor an anonymous id',
  id_required: 'an id is missing',
  event_not_defined: 'an event without a name',
}
const reasonWords = (reason: string) =>
  REASONS[reason] ??
  (reason.startsWith('plan_')
    ? `the tracking plan says no: ${reason.slice(5).replaceAll('_', ' ')}`
    : reason.replaceAll('_', ' '))

/** Of the last day, by reason. */
const Refusals = () => {
  const asking = useAnswer<Counts>('live/counts?minutes=1440', undefined, 15_000)
  return (
    <>
      <Answered asking={asking} lines={2}>
        {(told) => {
          const rows = byReason(told)
          return (
            <>
              {rows.length == 0 ? (
                <p class="note">Everything was taken.</p>
              ) : (
                <Scroll label="What was not taken, by reason">
                  <table class="numbers wide refused">
                    <thead>
                      <tr>
                        <th scope="col">reason</th>
                        <th scope="col">source</th>
                        <th scope="col" class="n">
                          messages
                        </th>
                        <th scope="col">by the hour</th>
                      </tr>
                    </thead>
                    <tbody>
                      {rows.slice(0, 100).map((row) => (
                        <tr>
                          <th scope="row">
                            <Text of={reasonWords(row.reason)} most={80} />{' '}
                            <code>
                              <Text of={row.reason} most={64} />
                            </code>
                          </th>
                          <td>
                            <Text of={row.source ?? '(no source)'} most={50} />
                          </td>
                          <td class="n">{count(row.total)}</td>
                          <td>
                            <Spark values={row.hours} />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </Scroll>
              )}
              <p class="over">
                The last 24 hours, counted since <When at={told.counted_from} />.{' '}
                <a href={placeHref(['live'], { fate: 'rejected' })}>What is rejected, as it comes</a>; in a terminal{' '}
                <code>onym tail --rejected --from 1d</code>
              </p>
            </>
          )
        }}
      </Answered>
    </>
  )
}

const GRACE = ['0', '1', '24', '168', '720']
const graceName = (hours: string) =>
  hours == '0' ? 'ends at once' : 'goes on for ' + duration(Number(hours) * 3_600_000)

/** Sources with their keys; those made here can be switched off, and get another key. */
const Keys = ({ state }: { state: KeyState }) => {
  const say = useSay()
  const [problem, setProblem] = useState<any>(null)
  const [name, setName] = useState('')
  const [isServer, setServer] = useState(false)
  const [grace, setGrace] = useState('24')
  const order = async (path: string, body: unknown, says: string) => {
    setProblem(null)
    try {
      const row = await call<Source>('POST', path, body)
      say(says)
      forgetAnswers()
      state.again()
      if (row.enabled) state.set(row.write_key)
      return true
    } catch (error) {
      setProblem(error)
      return false
    }
  }
  const of = (one: Source, what: string) => `sources/${encodeURIComponent(one.name)}/${what}`
  return (
    <>
      <h2>Write keys</h2>
      <Scroll label="Write keys">
        <table class="rows keys">
          <thead>
            <tr>
              <th scope="col">source</th>
              <th scope="col">write key</th>
              <th scope="col">of</th>
              <th scope="col">kept in</th>
              <th scope="col">
                <span class="sr">what to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {state.all.map((one) => (
              <tr class={one.enabled ? '' : 'dim'}>
                <th scope="row">
                  <Text of={one.name} most={50} />
                  {!one.enabled && <span class="tag">switched off</span>}
                </th>
                <td>
                  <code>
                    <Text of={one.write_key} most={60} />
                  </code>{' '}
                  <CopyButton text={() => one.write_key} title={'Copy the write key of ' + plain(one.name, 40)}>
                    Copy key
                  </CopyButton>
                  {one.old_key && (
                    <small>
                      {' '}
                      the old one,{' '}
                      <code>
                        <Text of={one.old_key} most={40} />
                      </code>
                      , is good until <When at={one.old_key_until} />
                    </small>
                  )}
                </td>
                <td>{one.server ? 'a server' : 'browsers, apps'}</td>
                <td>{one.kept == 'page' ? 'this page' : <code>onym.yaml</code>}</td>
                <td>
                  {one.kept == 'page' && (
                    <span class="actions">
                      <Confirm
                        ask="Another key…"
                        says={
                          <label>
                            It gets a new write key; the old one{' '}
                            <select value={grace} onChange={(event) => setGrace(event.currentTarget.value)}>
                              {GRACE.map((hours) => (
                                <option value={hours}>{graceName(hours)}</option>
                              ))}
                            </select>
                          </label>
                        }
                        run={() =>
                          void order(of(one, 'rotate'), { grace_hours: Number(grace) }, 'It has another write key')
                        }
                      />
                      {one.enabled ? (
                        <Confirm
                          ask="Switch off…"
                          says="What comes with its key is rejected from now on."
                          run={() => void order(of(one, 'disable'), {}, 'Switched off')}
                        />
                      ) : (
                        <button
                          type="button"
                          class="quiet"
                          onClick={() => void order(of(one, 'enable'), {}, 'It is on again')}
                        >
                          Switch on
                        </button>
                      )}
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <form
        class="options make"
        onSubmit={async (event) => {
          event.preventDefault()
          if (await order('sources', { name: name.trim(), server: isServer }, 'The source is there')) setName('')
        }}
      >
        <label>
          A new source{' '}
          <input
            id="source-name"
            value={name}
            placeholder="its name"
            onInput={(event) => setName(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={isServer} onChange={(event) => setServer(event.currentTarget.checked)} />{' '}
          calls come from a server
        </label>
        <button disabled={!name.trim()}>Make it</button>
      </form>
      {problem && <Failure error={problem} />}
    </>
  )
}
