// Retention: a table of cohorts, shaded by how many came back. What has not been seen yet is hatched and empty, never
// 0 %; what is not over yet has a hatched edge.
import type { Retention } from '../api'
import { periodStart } from '../behind'
import { Lines } from '../charts'
import { bucketTitle, count, share } from '../format'
import { groupName } from '../text'
import { AskedOver, Empty, Scroll, Text } from '../ui'
import type { About } from '../views/questions'

/** 0 to 10: how dark a cell is. Never 0 for somebody. */
export const shade = (x: number | null) => (x === null || x <= 0 ? 0 : Math.max(1, Math.min(10, Math.ceil(x * 10))))

export const RetentionPicture = ({
  answer,
  before,
  about,
}: {
  answer: Retention
  before?: Retention | null
  about: About
}) => {
  const { body } = about
  const zone = answer.timezone,
    unit = answer.unit
  if (!answer.cohorts.length)
    return (
      <>
        <Empty title="Nobody began in this time.">Try a longer range, or another event.</Empty>
        <AskedOver answer={answer} />
      </>
    )
  const now = Date.now()
  const isUnder = (start: string, k: number) =>
    Date.parse(periodStart(start, unit, answer.mode == 'unbounded' ? answer.periods + 1 : k + 1, zone)) > now
  const cohortEnd = (start: string) => {
    const end = periodStart(start, unit, 1, zone)
    return answer.to && Date.parse(answer.to) < Date.parse(end) ? answer.to : end
  }
  const pickBorn = (at: number) => {
    const one = answer.cohorts[at]
    about.show({
      title: `Began: ${bucketTitle(one.start, unit, zone)}`,
      expected: one.people,
      from: { kind: 'first', body, event: body.birth, from: body.from, start: one.start, end: cohortEnd(one.start) },
    })
  }
  const pick = (at: number, k: number) => {
    const one = answer.cohorts[at]
    const n = one.returned[k]
    if (!n) return
    const from = k == 0 ? one.start : periodStart(one.start, unit, k, zone)
    const to =
      answer.mode == 'unbounded'
        ? periodStart(one.start, unit, answer.periods + 1, zone)
        : periodStart(one.start, unit, k + 1, zone)
    about.show({
      title: `${bucketTitle(one.start, unit, zone)}: back in ${unit} ${k}`,
      expected: n,
      from: {
        kind: 'returned',
        body: body,
        birth: body.birth,
        back: body.return ?? body.birth,
        isSame: k == 0,
        start: one.start,
        end: cohortEnd(one.start),
        from,
        to,
      },
    })
  }
  const periods = Array.from({ length: answer.periods + 1 }, (_, k) => k)
  const total = answer.total
  return (
    <figure>
      <p class="headline">
        <b>{count(total.people)}</b> people began
        {total.shares[1] !== null && total.shares[1] !== undefined && (
          <>
            ; <b>{share(total.shares[1])}</b> of those who could came back in {unit} 1
          </>
        )}
      </p>
      <Lines
        buckets={periods.map(String)}
        unit="period"
        zone={zone}
        isOpen={false}
        what="Share that came back"
        height={150}
        series={
          answer.groups?.length
            ? answer.groups
                .slice(0, 8)
                .map((group) => ({ name: groupName(group.value), values: percent(group.shares) }))
            : [
                { name: 'everybody', values: percent(total.shares) },
                ...(before
                  ? [{ name: 'the period before', values: percent(before.total.shares), isDashed: true }]
                  : []),
              ]
        }
        format={(n) => (n === null ? 'not seen yet' : n.toFixed(1) + ' %')}
      />
      <Scroll label="Cohorts">
        <table class="numbers retention">
          <caption class="sr">
            People by the {unit} in which they began, and how many came back in each {unit} after
          </caption>
          <thead>
            <tr>
              <th scope="col">{unit}</th>
              <th scope="col" class="n">
                people
              </th>
              {periods.map((k) => (
                <th scope="col" class="n">
                  {k}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(before ? [total, before.total] : [total]).map((of) => (
              <tr class={of == total ? 'total' : 'earlier'}>
                <th scope="row">{of == total ? 'everybody' : 'the period before'}</th>
                <td class="n">{count(of.people)}</td>
                {periods.map((k) => (
                  <td
                    class={of.eligible[k] ? `n h${shade(of.shares[k])}` : 'n unseen-yet'}
                    title={of.eligible[k] ? `${count(of.returned[k])} of ${count(of.eligible[k])}` : 'not seen yet'}
                  >
                    {of.eligible[k] ? share(of.shares[k]) : ''}
                  </td>
                ))}
              </tr>
            ))}
            {answer.groups?.map((group) => (
              <tr class="group">
                <th scope="row">
                  <Text of={groupName(group.value)} most={30} />
                </th>
                <td class="n">{count(group.people)}</td>
                {periods.map((k) => (
                  <td class={group.eligible[k] ? `n h${shade(group.shares[k])}` : 'n unseen-yet'}>
                    {group.eligible[k] ? share(group.shares[k]) : ''}
                  </td>
                ))}
              </tr>
            ))}
            {answer.cohorts.map((one, at) => (
              <tr>
                <th scope="row">{bucketTitle(one.start, unit, zone)}</th>
                <td class="n">
                  <button type="button" class="cell" onClick={() => pickBorn(at)}>
                    {count(one.people)}
                  </button>
                </td>
                {periods.map((k) => {
                  const n = one.returned[k]
                  if (n === null || n === undefined)
                    return (
                      <td class="n unseen-yet" title="not seen yet">
                        <span class="sr">not seen yet</span>
                      </td>
                    )
                  const x = n / one.people
                  const text = share(x)
                  return (
                    <td
                      class={`n h${shade(x)}${isUnder(one.start, k) ? ' under-way' : ''}`}
                      title={`${count(n)} of ${count(one.people)}${isUnder(one.start, k) ? ', not over yet' : ''}`}
                    >
                      {n ? (
                        <button type="button" class="cell" onClick={() => pick(at, k)}>
                          {text}
                        </button>
                      ) : (
                        text
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <AskedOver answer={answer} more={<>hatched: not seen yet, or not over</>} />
    </figure>
  )
}
const percent = (shares: (number | null)[]) => shares.map((x) => (x === null ? null : x * 100))

export const retentionRows = (answer: Retention): unknown[][] => [
  [answer.unit, 'people', ...Array.from({ length: answer.periods + 1 }, (_, k) => `returned_${k}`)],
  ...answer.cohorts.map((one) => [one.start, one.people, ...one.returned]),
]
