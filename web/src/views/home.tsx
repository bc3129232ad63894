// Home: do visitors become users, and does each bring their history along?
import { useEffect, useState } from 'preact/hooks'
import { EventList, Funnel, Signups, Trends, call } from '../api'
import { useAnswer } from '../answer'
import type { Behind } from '../behind'
import { bucketName, count, plural } from '../format'
import { guessSteps } from '../guess'
import { useNow } from '../now'
import { PeopleBehind } from '../people_behind'
import { FunnelPicture } from '../pictures/funnel'
import { SignupsPicture } from '../pictures/signups'
import { replace, zoneNow } from '../place'
import { RANGES, empty, toBody, toParams } from '../question'
import { Place, placeHref } from '../route'
import { Answered, Empty, Text } from '../ui'
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
  const steps = events ? guessSteps(events) : null
  const funnelQuestion = { ...empty('funnel', zone), range, events: (steps ?? []).map((event) => ({ event })) }
  const funnelBody = toBody(funnelQuestion, now)
  const funnel = useAnswer<Funnel>(steps ? 'funnels' : null, funnelBody)
  const hourAgo = Math.floor(now / 60_000) * 60_000 - 3_600_000
  const hour = useAnswer<Trends>(
    'trends',
    { series: ['*'], unit: 'hour', from: new Date(hourAgo).toISOString(), by: 'source', timezone: zone, limit: 20 },
    60_000,
  )
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
        {(answer) => <SignupsPicture answer={answer} isHome about={{ body, show: setBehind }} />}
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
            {(answer) => <LastHour answer={answer} zone={zone} />}
          </Answered>
        </section>
      </div>
      {behind && (
        <PeopleBehind key={JSON.stringify(behind.from)} of={behind} close={() => setBehind(null)} zone={zone} />
      )}
    </section>
  )
}

const LastHour = ({ answer, zone }: { answer: Trends; zone: string }) => {
  const groups = answer.series[0]?.groups ?? []
  const most = Math.max(1, ...groups.map((group) => group.total ?? 0))
  if (!groups.length)
    return (
      <Empty title="Nothing came in the last hour.">
        A source that should be sending: look at <a href={placeHref(['sources'])}>Sources</a>.
      </Empty>
    )
  return (
    <>
      <table class="numbers wide">
        <thead>
          <tr>
            <th scope="col">source</th>
            <th scope="col">
              <span class="sr">share</span>
            </th>
            <th scope="col" class="n">
              events
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr>
              <th scope="row">
                <a href={placeHref(['live'], { source: String(group.value ?? '') })}>
                  <Text of={String(group.value ?? '(none)')} most={40} />
                </a>
              </th>
              <td class="fill">
                <svg width="100%" height="10" aria-hidden="true">
                  <rect width={`${(100 * (group.total ?? 0)) / most}%`} height="10" rx="2" class="s0" />
                </svg>
              </td>
              <td class="n">{count(group.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="over">
        {plural(answer.series[0].total ?? 0, 'event')} by their own times, since{' '}
        {answer.from ? bucketName(answer.from, 'hour', zone) : 'an hour ago'} · {answer.timezone}
      </p>
    </>
  )
}
