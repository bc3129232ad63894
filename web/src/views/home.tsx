// Home: do visitors become users, and does each bring their history along?
import { useEffect, useState } from 'preact/hooks'
import { EventList, Funnel, Signups, call } from '../api'
import { useAnswer } from '../answer'
import type { Behind } from '../behind'
import { Spark } from '../charts'
import { Counts, bySource } from '../counts'
import { FEW, count, plural } from '../format'
import { guessSteps } from '../guess'
import { useNow } from '../now'
import { PeopleBehind } from '../people_behind'
import { FunnelPicture } from '../pictures/funnel'
import { SignupsPicture } from '../pictures/signups'
import { replace, zoneNow } from '../place'
import { RANGES, empty, rangeBefore, toBody, toParams } from '../question'
import { Place, placeHref } from '../route'
import { Answered, Empty, Text } from '../ui'
import { DoctorSays } from './doctor'
import { Start } from './start'

export const Home = ({ place }: { place: Place }) => {
  const zone = zoneNow()
  const now = useNow()
  const range = place.params.get('range') ?? '30d'
  const [events, setEvents] = useState<EventList | null>(null)
  const [behind, setBehind] = useState<Behind | null>(null)
  useEffect(() => {
    let isHere = true
    call<EventList>('POST', 'events', { limit: 200 }).then(
      (all) => isHere && setEvents(all),
      () => {},
    )
    return () => void (isHere = false)
  }, [])
  const q = { ...empty('signups', zone), range }
  const body = toBody(q, now)
  const signups = useAnswer<Signups>('signups', body, 120_000)
  const rangeBack = rangeBefore(body)
  // Asked once the first is there: the page is not later for it.
  const before = useAnswer<Signups>(signups.answer && rangeBack ? 'signups' : null, { ...body, ...rangeBack }, 600_000)
  const steps = events ? guessSteps(events) : null
  const funnelQuestion = { ...empty('funnel', zone), range, events: (steps ?? []).map((event) => ({ event })) }
  const funnelBody = toBody(funnelQuestion, now)
  const funnel = useAnswer<Funnel>(steps ? 'funnels' : null, funnelBody)
  const hour = useAnswer<Counts>('live/counts?minutes=60', undefined, 10_000)
  if (events && events.events.length == 0) return <Start />
  return (
    <section class="view home">
      <header class="top">
        <h1>Visitors who became users</h1>
        <label class="select">
          <span class="sr">Range</span>
          <select value={range} onChange={(event) => replace(placeHref([], { range: event.currentTarget.value }))}>
            {RANGES.filter(([name]) => name != 'dates' && name != '1d').map(([name, text]) => (
              <option value={name}>{text}</option>
            ))}
          </select>
        </label>
      </header>
      <Answered asking={signups} lines={8}>
        {(answer) => (
          <SignupsPicture
            answer={answer}
            before={before.answer && before.answer.people >= FEW ? before.answer : null}
            isHome
            about={{ body, show: setBehind }}
          />
        )}
      </Answered>
      <p class="more">
        <a href={placeHref(['questions', 'signups'], toParams(q, zone))}>Open in Questions</a>
      </p>
      <div class="halves">
        <section>
          <div class="row">
            <h2>The way to the sign-up</h2>
            <a href={placeHref(['questions', 'funnel'], toParams(funnelQuestion, zone))}>Change the steps</a>
          </div>
          {steps && (
            <Answered asking={funnel}>
              {(answer) => <FunnelPicture answer={answer} about={{ body: funnelBody, show: setBehind }} />}
            </Answered>
          )}
        </section>
        <section>
          <div class="row">
            <h2>The last hour, by source</h2>
            <a href={placeHref(['live'])}>Live</a>
          </div>
          <Answered asking={hour} lines={3}>
            {(answer) => <LastHour answer={answer} />}
          </Answered>
          <DoctorSays isAsked={signups.answer !== null} />
        </section>
      </div>
      {behind && (
        <PeopleBehind key={JSON.stringify(behind.from)} of={behind} close={() => setBehind(null)} zone={zone} />
      )}
    </section>
  )
}

const LastHour = ({ answer }: { answer: Counts }) => {
  const sources = bySource(answer)
  if (!sources.length)
    return (
      <Empty title="Nothing came in the last hour.">
        A source that should be sending: look at <a href={placeHref(['sources'])}>Sources</a>.
      </Empty>
    )
  return (
    <>
      <table class="numbers wide hour">
        <thead>
          <tr>
            <th scope="col">source</th>
            <th scope="col">a minute</th>
            <th scope="col" class="n">
              taken
            </th>
            <th scope="col" class="n">
              not taken
            </th>
          </tr>
        </thead>
        <tbody>
          {sources.map((one) => (
            <tr>
              <th scope="row">
                <a href={placeHref(['live'], { source: one.name ?? '' })}>
                  <Text of={one.name ?? '(none)'} most={40} />
                </a>
              </th>
              <td>
                <Spark values={one.minutes} />
              </td>
              <td class="n">{count(one.accepted)}</td>
              <td class="n">
                {one.others ? (
                  <a href={placeHref(['live'], { source: one.name ?? '', fate: 'rejected,repeated,suppressed' })}>
                    {count(one.others)}
                  </a>
                ) : (
                  0
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="over">
        {plural(
          sources.reduce((sum, one) => sum + one.accepted + one.others, 0),
          'message',
        )}{' '}
        by when they came · not taken: rejected, repeated or suppressed
        {!answer.complete && ' · not all is counted yet'}
      </p>
    </>
  )
}
