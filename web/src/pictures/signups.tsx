// Sign-ups: new users by what brought them, and the share that came with their history. Home has it, too.
import { useState } from 'preact/hooks'
import type { SignupGroup, Signups } from '../api'
import { Source, SIGNED_UP, bucketEnd } from '../behind'
import { Bars, OverTable, Series, Spark } from '../charts'
import { FEW, bucketTitle, count, share } from '../format'
import { groupName } from '../text'
import { AskedOver, Before, Empty, Scroll, Tabs, Text } from '../ui'
import type { About } from '../views/questions'
import { isStillOpen } from './trends'

type By = 'campaigns' | 'referrers' | 'first_events'
const BYS: [By, string][] = [
  ['campaigns', 'campaign'],
  ['referrers', 'referrer'],
  ['first_events', 'first event'],
]
const SHOWN = 6

/** The largest groups, and all others as one: what is left of each bucket. */
export const touchSeries = (answer: Signups, by: By): Series[] => {
  const groups = answer[by].slice(0, SHOWN)
  const series: Series[] = groups.map((group) => ({
    name: touchName(group, by),
    values: group.values,
    total: group.people,
  }))
  const rest = answer.values.map((n, at) => n - groups.reduce((sum, group) => sum + group.values[at], 0))
  const total = rest.reduce((sum, n) => sum + n, 0)
  if (total > 0) series.push({ name: 'others', values: rest, total })
  return series
}
const touchName = (group: SignupGroup, by: By) =>
  group.value === null
    ? by == 'campaigns'
      ? 'no campaign'
      : 'unknown'
    : group.value === ''
      ? 'direct'
      : groupName(group.value)

export const signupSource = (body: Record<string, unknown>, start: string, end: string): Source => ({
  kind: 'first',
  body,
  event: body.event ?? SIGNED_UP,
  start,
  end,
})

export const SignupsPicture = ({
  answer,
  before,
  about,
  isHome,
}: {
  answer: Signups
  before?: Signups | null
  about: Pick<About, 'body' | 'show'>
  isHome?: boolean
}) => {
  const [by, setBy] = useState<By>('campaigns')
  if (!answer.people)
    return (
      <>
        <Empty title="No sign-ups in this time.">
          A sign-up is{' '}
          {answer.event ? (
            <Text of={answer.event} />
          ) : (
            <>
              a person’s first event with a user id: <code>identify</code> makes one
            </>
          )}
          .
        </Empty>
        <AskedOver answer={answer} />
      </>
    )
  const over = {
    buckets: answer.buckets,
    unit: answer.unit,
    zone: answer.timezone,
    isOpen: isStillOpen(answer.buckets, answer.unit, answer.timezone),
    what: `New users by ${BYS.find(([name]) => name == by)![1]}`,
    series: touchSeries(answer, by),
    pick: (bucket: number) => {
      const start = answer.from && answer.from > answer.buckets[bucket] ? answer.from : answer.buckets[bucket]
      about.show({
        title: `New users, ${bucketTitle(answer.buckets[bucket], answer.unit, answer.timezone)}`,
        expected: answer.values[bucket],
        from: signupSource(about.body, start, bucketEnd(answer.buckets, bucket, answer.unit, answer.timezone)),
        says: 'All of them, whatever brought them; each with the event that made them a user.',
      })
    },
  }
  return (
    <figure>
      <div class="tiles">
        <div>
          <b>{count(answer.people)}</b>
          <span>new users</span>
          {before && <Before now={answer.people} before={before.people} />}
        </div>
        <div>
          <b>{share(answer.with_history_share)}</b>
          <span>came with their history: {count(answer.with_history)}</span>
          {before && before.people >= FEW && (
            <Before now={answer.with_history_share} before={before.with_history_share} is="share" />
          )}
          <svg width="100%" height="6" aria-hidden="true">
            <rect width="100%" height="6" rx="3" class="groove" />
            <rect width={`${100 * answer.with_history_share}%`} height="6" rx="3" class="s0" />
          </svg>
        </div>
        <div>
          <b>{count(answer.people - answer.with_history)}</b>
          <span>without: nothing links them to a visit</span>
          {before && <Before now={answer.people - answer.with_history} before={before.people - before.with_history} />}
        </div>
      </div>
      <div class="row">
        <h3>New users a {answer.unit}, by first-touch</h3>
        <Tabs label="By" of={BYS} now={by} choose={setBy} />
      </div>
      <div class={isHome ? '' : 'beside'}>
        <Bars {...over} height={isHome ? 210 : 260} />
        {!isHome && <OverTable {...over} />}
      </div>
      {isHome && (
        <details>
          <summary>The same as a table</summary>
          <OverTable {...over} />
        </details>
      )}
      {!isHome && <TouchTable answer={answer} by={by} />}
      <AskedOver answer={answer} more={over.isOpen ? <>the last {answer.unit} is not over</> : undefined} />
    </figure>
  )
}

const TouchTable = ({ answer, by }: { answer: Signups; by: By }) => (
  <Scroll label="First touch">
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">{BYS.find(([name]) => name == by)![1]}</th>
          <th scope="col" class="n">
            new users
          </th>
          <th scope="col" class="n">
            share
          </th>
          <th scope="col">over time</th>
        </tr>
      </thead>
      <tbody>
        {answer[by].map((group) => (
          <tr>
            <th scope="row">
              <Text of={touchName(group, by)} most={60} />
            </th>
            <td class="n">{count(group.people)}</td>
            <td class="n">{share(group.people / answer.people)}</td>
            <td>
              <Spark values={group.values} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

export const signupsRows = (answer: Signups): unknown[][] => [
  [answer.unit, 'new_users', 'with_history', ...answer.campaigns.map((group) => 'campaign: ' + groupName(group.value))],
  ...answer.buckets.map((bucket, at) => [
    bucket,
    answer.values[at],
    answer.with_history_values[at],
    ...answer.campaigns.map((group) => group.values[at]),
  ]),
]
