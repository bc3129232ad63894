// Questions: built by clicking, answered while it is built, and all of it in the address.
import { useState } from 'preact/hooks'
import type { Funnel, Paths, Retention, Signups, Trends } from '../api'
import { Asking, useAnswer } from '../answer'
import type { Behind } from '../behind'
import { Builder } from '../builder'
import { PeopleBehind } from '../people_behind'
import { replace, zoneNow } from '../place'
import {
  KINDS,
  Kind,
  Question,
  apiPath,
  fromParams,
  missing,
  rangeBefore,
  toBody,
  toCommand,
  toCsv,
  toCurl,
  toParams,
} from '../question'
import { Place, placeHref } from '../route'
import { Answered, CopyButton, Empty, Failure, saveFile } from '../ui'
import { FunnelPicture, funnelRows } from '../pictures/funnel'
import { PathsPicture, pathsRows } from '../pictures/paths'
import { RetentionPicture, retentionRows } from '../pictures/retention'
import { SignupsPicture, signupsRows } from '../pictures/signups'
import { TrendsPicture, trendsRows } from '../pictures/trends'
import { useNow } from '../now'
import { SaveQuestion, Saved, SavedList, SavedName } from './saved'

export const Questions = ({ place }: { place: Place }) =>
  place.path[1] == 'saved' ? <SavedQuestions /> : <OneQuestion place={place} />

const Kinds = ({ now, params }: { now: string; params?: (kind: Kind) => URLSearchParams }) => (
  <header class="top">
    <h1>Questions</h1>
    <nav class="kinds" aria-label="Kind of question">
      {KINDS.map((row) => (
        <a
          href={placeHref(['questions', row.kind], params?.(row.kind))}
          aria-current={row.kind == now ? 'page' : undefined}
          title={row.says}
        >
          {row.name}
        </a>
      ))}
      <a href={placeHref(['questions', 'saved'])} aria-current={now == 'saved' ? 'page' : undefined}>
        Saved
      </a>
    </nav>
  </header>
)

const SavedQuestions = () => (
  <section class="view questions">
    <Kinds now="saved" />
    <SavedList />
  </section>
)

const OneQuestion = ({ place }: { place: Place }) => {
  const kind = (KINDS.find((row) => row.kind == place.path[1])?.kind ?? 'funnel') as Kind
  const zone = zoneNow()
  const q = fromParams(kind, place.params, zone)
  const saved = place.params.get('saved')
  const known = useAnswer<Saved>(saved ? 'saved/' + encodeURIComponent(saved) : null)
  const set = (more: Partial<Question>) => {
    const params = toParams({ ...q, ...more }, zone)
    if (saved) params.set('saved', saved)
    replace(placeHref(['questions', kind], params))
  }
  const now = useNow()
  const lacks = missing(q)
  const body = lacks ? null : toBody(q, now)
  const [behind, setBehind] = useState<Behind | null>(null)
  const about = { q, body: body ?? {}, show: setBehind }
  return (
    <section class="view questions">
      <Kinds now={kind} params={(other) => toParams(carry(q, other, zone), zone)} />
      <SavedName known={known} now={toParams(q, zone).toString()} />
      <Builder q={q} set={set} />
      {!body && (
        <Empty title={lacks!}>
          {kind == 'funnel'
            ? 'For example: a page, the sign-up page, the event that says that somebody has signed up.'
            : 'Events are offered by how often they came.'}
        </Empty>
      )}
      {body && <Answer key={kind} about={about} known={known} />}
      {behind && (
        <PeopleBehind key={JSON.stringify(behind.from)} of={behind} close={() => setBehind(null)} zone={q.zone} />
      )}
    </section>
  )
}

/** What another kind of question can use of this one. */
const carry = (q: Question, kind: Kind, zone: string): Question => {
  const base = fromParams(kind, new URLSearchParams(), zone)
  const events = kind == 'signups' ? [] : kind == 'paths' ? q.events.slice(0, 1) : q.events
  return {
    ...base,
    events: events.map(({ event, where }) => ({ event, where })),
    where: q.where,
    range: q.range,
    from: q.from,
    to: q.to,
    zone: q.zone,
    by: kind == 'paths' || kind == 'signups' ? '' : q.by,
  }
}

export interface About {
  q: Question
  body: Record<string, any>
  show: (behind: Behind) => void
}

const Answer = ({ about, known }: { about: About; known: Asking<Saved> }) => {
  const { q, body } = about
  const path = apiPath(q.kind)
  const asking = useAnswer<any>(path, body)
  const before = q.compare && q.kind != 'paths' ? rangeBefore(body) : null
  const earlier = useAnswer<any>(before ? path : null, before ? { ...body, ...before } : undefined)
  const rows = (answer: any): unknown[][] =>
    q.kind == 'funnel'
      ? funnelRows(answer as Funnel)
      : q.kind == 'trends'
        ? trendsRows(answer as Trends)
        : q.kind == 'retention'
          ? retentionRows(answer as Retention)
          : q.kind == 'paths'
            ? pathsRows(answer as Paths)
            : signupsRows(answer as Signups)
  return (
    <>
      <Answered asking={asking} lines={8}>
        {(answer) => (
          <>
            {before && earlier.error && <Failure error={earlier.error} />}
            {q.kind == 'funnel' && <FunnelPicture answer={answer} before={earlier.answer} about={about} />}
            {q.kind == 'trends' && <TrendsPicture answer={answer} before={earlier.answer} about={about} />}
            {q.kind == 'retention' && <RetentionPicture answer={answer} before={earlier.answer} about={about} />}
            {q.kind == 'paths' && <PathsPicture answer={answer} about={about} />}
            {q.kind == 'signups' && <SignupsPicture answer={answer} before={earlier.answer} about={about} />}
          </>
        )}
      </Answered>
      <div class="copies">
        <span>Copy as</span>
        <CopyButton text={() => toCommand(q.kind, body)}>onym</CopyButton>
        <CopyButton text={() => toCurl(path, body, location.origin)}>curl</CopyButton>
        <CopyButton text={() => location.href}>link</CopyButton>
        <button
          type="button"
          class="quiet"
          disabled={!asking.answer}
          onClick={() => saveFile(`${q.kind}.csv`, toCsv(rows(asking.answer)))}
        >
          CSV
        </button>
        <button type="button" class="quiet" onClick={asking.again}>
          Ask again
        </button>
        <SaveQuestion kind={q.kind} body={body} params={toParams(q, zoneNow())} known={known} />
      </div>
    </>
  )
}
