// Sources: what sends, how much, with what; and what to paste for another.
import { useState } from 'preact/hooks'
import { Trends, isAdmin } from '../api'
import { useAnswer } from '../answer'
import { Spark } from '../charts'
import { count } from '../format'
import { useNow } from '../now'
import { zoneNow } from '../place'
import { empty, rangeOf } from '../question'
import { placeHref } from '../route'
import { SNIPPETS } from '../snippets'
import { plain } from '../text'
import { AskedOver, Answered, CopyButton, Empty, Tabs, Text } from '../ui'

interface Source {
  name: string
  write_key: string
  enabled: boolean
  server: boolean
}
export interface KeyState {
  value: string
  set: (value: string) => void
  sources: Source[]
}

/** The write key for what is pasted: of the sources where they are told, else typed; it stays in this page. */
export const useWriteKey = (): KeyState => {
  const [typed, set] = useState<string | null>(null)
  const asked = useAnswer<{ sources: Source[] }>(isAdmin() ? 'sources' : null)
  const sources = (asked.answer?.sources ?? []).filter((one) => one.enabled)
  return { value: typed ?? sources[0]?.write_key ?? '', set, sources }
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
      <p class="more">
        <a href={placeHref(['live'], { fate: 'rejected' })}>What is refused, as it comes</a>; what was refused before:{' '}
        <code>onym tail --rejected --from 1d</code>
      </p>
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
