// The doctor: what is wrong with the tracking, for whom, what it does to a number, and what mends it. The worst first;
// what is muted, not sure yet or over stands below.
import { useEffect, useState } from 'preact/hooks'
import { Cursor, Person, call, isAdmin, isAnalyst } from '../api'
import { forgetAnswers, useAnswer } from '../answer'
import { count, plural, share } from '../format'
import { replace } from '../place'
import { Place, placeHref } from '../route'
import {
  Answered,
  Code,
  Confirm,
  CopyButton,
  Drawer,
  Empty,
  Failure,
  Field,
  PersonLink,
  Tabs,
  Text,
  When,
  useSay,
} from '../ui'

export interface Finding {
  code: string
  title: string
  severity: 'error' | 'warning' | 'info'
  count: number
  of: number
  of_what: string
  share: number
  share_at_least: number
  people: number
  people_at_least?: boolean
  source: string | null
  library: string | null
  version: string | null
  event: string | null
  field: string | null
  cases_of_version?: number
  versions?: { library: string | null; version: string | null; count: number }[]
  pages?: { page: string; count: number }[]
  first_seen: string
  last_seen: string
  examples?: { position: number; message_id: string }[]
  why: string
  effect: string
  mend: { sdk: string; code: string }[]
  data_mend: string | null
  docs: string
  fingerprint: string
  state: 'new' | 'open' | 'muted' | 'resolved'
  found?: string
  reopened?: boolean
  muted?: { reason: string; until: string | null } | null
}
type Few = Pick<
  Finding,
  'code' | 'title' | 'count' | 'of' | 'of_what' | 'share' | 'share_at_least' | 'source' | 'event'
>
type Over = Pick<Finding, 'code' | 'title' | 'source' | 'event' | 'fingerprint' | 'last_seen'> & { resolved: string }
export interface Findings {
  findings: Finding[]
  too_few: Few[]
  resolved: Over[]
  from: string
  to: string
  messages: number
  is_cut: boolean
  with_imports: boolean
  young_sources: number
}

const SINCE: [string, string][] = [
  ['1d', '1 day'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
]
const SEVERITIES: [Finding['severity'], string, string][] = [
  ['error', 'Errors', 'data is lost, or two people are mixed'],
  ['warning', 'Warnings', 'numbers are wrong'],
  ['info', 'Habits', 'nothing is wrong yet'],
]
export const TONES = { error: 'broken', warning: 'paused', info: 'none' }

export const findingsPath = (params: URLSearchParams) => {
  const asked = new URLSearchParams({ since: params.get('since') ?? '7d' })
  if (params.get('source')) asked.set('source', params.get('source')!)
  if (params.get('imports')) asked.set('imports', 'true')
  return 'findings?' + asked
}

export const Doctor = ({ place }: { place: Place }) => {
  const { params } = place
  const path = findingsPath(params)
  const asking = useAnswer<Findings>(path)
  const [people, setPeople] = useState<Finding | null>(null)
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(params)
    value ? next.set(name, value) : next.delete(name)
    replace(placeHref(['doctor'], next))
  }
  return (
    <section class="view doctor">
      <header class="top">
        <h1>Doctor</h1>
        <form class="options filters" onSubmit={(event) => event.preventDefault()}>
          <label class="select">
            <span class="sr">Of the last</span>
            <select value={params.get('since') ?? '7d'} onChange={(event) => set('since', event.currentTarget.value)}>
              {SINCE.map(([name, text]) => (
                <option value={name}>{text}</option>
              ))}
            </select>
          </label>
          <Field
            name="Source"
            value={params.get('source') ?? ''}
            placeholder="any source"
            set={(value) => set('source', value)}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={params.has('imports')}
              onChange={(event) => set('imports', event.currentTarget.checked ? '1' : '')}
            />{' '}
            imported messages, too
          </label>
        </form>
      </header>
      <Answered asking={asking}>
        {(told) => {
          const open = told.findings.filter((one) => one.state != 'muted')
          const muted = told.findings.filter((one) => one.state == 'muted')
          const card = (one: Finding) => (
            <Card
              key={one.fingerprint}
              of={one}
              again={asking.again}
              who={() => setPeople(one)}
              isOpen={place.path[1] == one.fingerprint}
            />
          )
          return (
            <>
              <p class="headline">
                <b>{open.length ? plural(open.length, 'finding') : 'Nothing is wrong'}</b> in{' '}
                {plural(told.messages, 'message')}
              </p>
              {told.messages == 0 && (
                <Empty title="No message to look at.">
                  {told.with_imports ? (
                    'A longer time, or another source?'
                  ) : (
                    <>Imported messages are left out unless you say so above; so is what came before the time.</>
                  )}
                </Empty>
              )}
              {SEVERITIES.map(([severity, title, says]) => {
                const those = open.filter((one) => one.severity == severity)
                return (
                  those.length > 0 && (
                    <section>
                      <h2>
                        {title} <small>{says}</small>
                      </h2>
                      {those.map(card)}
                    </section>
                  )
                )
              })}
              {muted.length > 0 && (
                <details>
                  <summary>{plural(muted.length, 'muted finding')}</summary>
                  {muted.map(card)}
                </details>
              )}
              <Fews of={told.too_few} />
              <Overs of={told.resolved} />
              <p class="over">
                What arrived from <When at={told.from} /> to <When at={told.to} />
                {told.is_cut && ': the newest of it, as much as memory holds'}
                {!told.with_imports && ' · imported messages are left out'}
                {told.young_sources > 0 &&
                  ` · of ${plural(told.young_sources, 'source')} younger than two days only errors are told`}{' '}
                · in a terminal: <code>onym doctor</code>
              </p>
            </>
          )
        }}
      </Answered>
      {people && (
        <WhoOf
          of={people}
          query={path.slice('findings'.length)}
          key={people.fingerprint}
          close={() => setPeople(null)}
        />
      )}
    </section>
  )
}

const Scope = ({ of }: { of: { source: string | null; event: string | null; field?: string | null } }) => (
  <>
    {of.event && (
      <span class="tag">
        <Text of={of.event} most={50} />
      </span>
    )}{' '}
    {of.field && (
      <span class="tag">
        <Text of={of.field} most={50} />
      </span>
    )}{' '}
    {of.source && (
      <span class="dim">
        in <Text of={of.source} most={40} />
      </span>
    )}
  </>
)

/** How many of how many, and from what on that is sure. */
const Share = ({ of }: { of: Few }) => (
  <span title={`with 95 % certainty at least ${share(of.share_at_least)}`}>
    <b>{count(of.count)}</b> of {count(of.of)} {of.of_what} ({share(of.share)})
  </span>
)

const Card = ({ of, again, who, isOpen }: { of: Finding; again: () => void; who: () => void; isOpen: boolean }) => (
  <article class={'finding ' + of.severity}>
    <h3>
      <span>
        <i class={'dot ' + TONES[of.severity]} aria-hidden="true" /> <Text of={of.title} most={160} />
      </span>{' '}
      <code>
        <Text of={of.code} most={24} />
      </code>{' '}
      <Scope of={of} />
      {(of.state == 'new' || of.reopened) && <span class="tag accent">{of.reopened ? 'back again' : 'new'}</span>}
    </h3>
    <p class="row facts-line">
      <span>
        <Share of={of} />
        {of.people > 0 && (
          <>
            {' · '}
            {isAnalyst() ? (
              <button type="button" class="cell" onClick={who}>
                {of.people_at_least && 'over '}
                {plural(of.people, 'person', 'people')}
              </button>
            ) : (
              plural(of.people, 'person', 'people')
            )}
          </>
        )}
      </span>
      <span class="dim">
        last <When at={of.last_seen} relative />
      </span>
    </p>
    <p>
      <Text of={of.effect} most={400} />
    </p>
    <details open={isOpen}>
      <summary>Why, examples, and what mends it</summary>
      <p>
        <Text of={of.why} most={600} />
      </p>
      <dl class="facts">
        {of.library && (
          <>
            <dt>sent by</dt>
            <dd>
              <Text of={`${of.library} ${of.version ?? ''}`} most={80} />
              {of.cases_of_version != null && of.cases_of_version < of.count && (
                <span class="dim"> {count(of.cases_of_version)} of them</span>
              )}
            </dd>
          </>
        )}
        {(of.pages?.length ?? 0) > 0 && (
          <>
            <dt>pages</dt>
            <dd>
              {of.pages!.map((one) => (
                <div>
                  <Text of={one.page} most={200} /> <span class="dim">{count(one.count)}</span>
                </div>
              ))}
            </dd>
          </>
        )}
        <dt>seen</dt>
        <dd>
          from <When at={of.first_seen} /> to <When at={of.last_seen} />
        </dd>
        {(of.examples?.length ?? 0) > 0 && (
          <>
            <dt>examples</dt>
            <dd class="examples">
              {of.examples!.map((one) => (
                <a href={placeHref(['live', String(one.position)])}>position {one.position}</a>
              ))}
            </dd>
          </>
        )}
      </dl>
      <Mends of={of} />
      {isAdmin() && <Mute of={of} again={again} />}
    </details>
  </article>
)

const Mends = ({ of }: { of: Finding }) => {
  const [sdk, choose] = useState(of.mend[0]?.sdk ?? '')
  const mend = of.mend.find((one) => one.sdk == sdk) ?? of.mend[0]
  return (
    <>
      {mend && (
        <>
          <div class="row">
            {of.mend.length > 1 ? (
              <Tabs
                label="For"
                now={mend.sdk}
                choose={choose}
                of={of.mend.map((one): [string, string] => [one.sdk, one.sdk])}
              />
            ) : (
              <span class="dim">What mends it ({mend.sdk})</span>
            )}
            <CopyButton text={() => mend.code}>Copy</CopyButton>
          </div>
          <Code of={mend.code} class="code" />
        </>
      )}
      {of.data_mend && (
        <p>
          <strong>What is there already:</strong> <Text of={of.data_mend} most={600} />
        </p>
      )}
    </>
  )
}

const UNTIL: [string, string][] = [
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', 'a year'],
]

const Mute = ({ of, again }: { of: Finding; again: () => void }) => {
  const say = useSay()
  const [reason, setReason] = useState('')
  const [until, setUntil] = useState('30d')
  const [problem, setProblem] = useState<any>(null)
  const run = async (what: 'mute' | 'unmute') => {
    setProblem(null)
    try {
      await call('POST', `findings/${of.fingerprint}/${what}`, what == 'mute' ? { reason: reason.trim(), until } : {})
      say(what == 'mute' ? 'Muted' : 'Told again')
      forgetAnswers()
      again()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <div class="mute">
      {of.state == 'muted' ? (
        <p>
          Muted
          {of.muted?.until && (
            <>
              {' '}
              until <When at={of.muted.until} />
            </>
          )}
          : <Text of={of.muted?.reason || 'no reason given'} most={200} />{' '}
          <button type="button" class="quiet" onClick={() => run('unmute')}>
            Tell it again
          </button>
        </p>
      ) : (
        <Confirm
          ask="Mute…"
          says={
            <>
              <label>
                <span class="sr">Why</span>
                <input
                  value={reason}
                  placeholder="why: the kiosk in the lobby"
                  maxLength={200}
                  size={28}
                  onInput={(event) => setReason(event.currentTarget.value)}
                />
              </label>{' '}
              <label>
                for{' '}
                <select value={until} onChange={(event) => setUntil(event.currentTarget.value)}>
                  {UNTIL.map(([name, text]) => (
                    <option value={name}>{text}</option>
                  ))}
                </select>
              </label>
            </>
          }
          run={() => run('mute')}
        />
      )}
      {problem && <Failure error={problem} />}
    </div>
  )
}

const Fews = ({ of }: { of: Few[] }) =>
  of.length == 0 ? null : (
    <details>
      <summary>{count(of.length)} not sure yet: too few cases</summary>
      <ul class="plain">
        {of.map((one) => (
          <li>
            <Text of={one.title} most={120} /> <code>{one.code}</code> <Scope of={one} />: <Share of={one} />
          </li>
        ))}
      </ul>
    </details>
  )

const Overs = ({ of }: { of: Over[] }) =>
  of.length == 0 ? null : (
    <details>
      <summary>{count(of.length)} over: no new case for seven days</summary>
      <ul class="plain">
        {of.map((one) => (
          <li>
            <Text of={one.title} most={120} /> <code>{one.code}</code> <Scope of={one} />, last{' '}
            <When at={one.last_seen} relative />
          </li>
        ))}
      </ul>
    </details>
  )

/** Whom a finding is about, as the same question of the doctor has them. */
const WhoOf = ({ of, query, close }: { of: Finding; query: string; close: () => void }) => {
  const [people, setPeople] = useState<Person[]>([])
  const [cursor, setCursor] = useState<Cursor | null>(null)
  const [problem, setProblem] = useState<any>(null)
  const load = async (from: string | null) => {
    try {
      const page = await call<{ people: (Person | null)[]; cursor: Cursor }>(
        'POST',
        `findings/${of.fingerprint}/people${query}`,
        { limit: 50, ...(from ? { cursor: from } : {}) },
      )
      setPeople((old) => [...old, ...page.people.filter((one): one is Person => one !== null)])
      setCursor(page.cursor)
    } catch (error) {
      setProblem(error)
    }
  }
  useEffect(() => void load(null), [])
  return (
    <Drawer title={`${of.title} · ${plural(of.people, 'person', 'people')}`} close={close}>
      {problem && <Failure error={problem} />}
      {!cursor && !problem && <p role="status">Reading who they are…</p>}
      <ol class="people">
        {people.map((person) => (
          <li>
            <PersonLink person={person} />
            <span />
            <span class="n">{plural(person.events, 'event')}</span>
          </li>
        ))}
      </ol>
      {cursor?.has_more && (
        <button type="button" onClick={() => load(cursor.next)}>
          Show more
        </button>
      )}
    </Drawer>
  )
}

/** Home's part: the worst, and how many there are. */
export const DoctorSays = ({ isAsked }: { isAsked: boolean }) => {
  const asking = useAnswer<Findings>(isAsked ? 'findings?since=7d' : null, undefined, 300_000)
  return (
    <section class="says">
      <div class="row">
        <h2>What the doctor says</h2>
        <a href={placeHref(['doctor'])}>Doctor</a>
      </div>
      <Answered asking={asking} lines={3}>
        {(told) => {
          const open = told.findings.filter((one) => one.state != 'muted')
          if (!open.length)
            return (
              <p class="note">
                {told.messages
                  ? `Nothing is wrong in the ${plural(told.messages, 'message')} of the last 7 days.`
                  : 'No message came in the last 7 days, imported ones aside.'}
              </p>
            )
          return (
            <>
              <ul class="plain">
                {open.slice(0, 4).map((one) => (
                  <li>
                    <i class={'dot ' + TONES[one.severity]} aria-hidden="true" />{' '}
                    <span class="sr">{one.severity}: </span>
                    <a href={placeHref(['doctor', one.fingerprint])}>
                      <Text of={one.title} most={90} />
                    </a>{' '}
                    <Scope of={one} />
                    <p class="note">
                      <Text of={one.effect} most={200} />
                    </p>
                  </li>
                ))}
              </ul>
              {open.length > 4 && <p class="note">and {plural(open.length - 4, 'finding')} more.</p>}
            </>
          )
        }}
      </Answered>
    </section>
  )
}
