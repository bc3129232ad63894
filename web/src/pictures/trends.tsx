// Trends: a line for each event, or for each group of the first; bars where one thing is counted.
import type { Trends } from '../api'
import { bucketEnd, ofBucket } from '../behind'
import { Bars, Lines, OverTable, Series } from '../charts'
import { bucketTitle, count } from '../format'
import { groupName, plain } from '../text'
import { AskedOver, Empty } from '../ui'
import type { About } from '../views/questions'

const label = (one: Trends['series'][0]) =>
  one.measure == 'count' ? one.event : `${one.measure} ${one.property ? one.property + ' of ' : ''}${one.event}`

export const isStillOpen = (buckets: string[], unit: string, zone: string) =>
  buckets.length > 0 && Date.parse(bucketEnd(buckets, buckets.length - 1, unit, zone)) > Date.now()

export const TrendsPicture = ({ answer, before, about }: { answer: Trends; before: Trends | null; about: About }) => {
  const { q, body } = about
  if (!answer.buckets.length || answer.series.every((one) => one.values.every((n) => !n)))
    return (
      <>
        <Empty title="None of these events in this time." />
        <AskedOver answer={answer} />
      </>
    )
  const groups = answer.series.length == 1 ? answer.series[0].groups : undefined
  const series: Series[] = groups?.length
    ? groups.slice(0, 8).map((group) => ({ name: groupName(group.value), values: group.values, total: group.total }))
    : answer.series.map((one) => ({ name: label(one), values: one.values, total: one.total }))
  const shown = series.length
  if (before && !groups?.length)
    before.series.forEach((one) =>
      series.push({
        name: before.series.length == 1 ? 'the period before' : label(one) + ', before',
        values: answer.buckets.map((_, at) => one.values[at] ?? 0),
        total: one.total,
        isDashed: true,
      }),
    )
  const over = {
    buckets: answer.buckets,
    unit: answer.unit,
    zone: answer.timezone,
    series,
    isOpen: isStillOpen(answer.buckets, answer.unit, answer.timezone),
    what: 'Trends',
    pick: (bucket: number, n: number) => {
      if (n >= shown) return
      const at = groups?.length || n < 0 ? 0 : n
      const event = (body.series as unknown[])[at]
      const from = ofBucket(
        body,
        event,
        answer.buckets[bucket],
        bucketEnd(answer.buckets, bucket, answer.unit, answer.timezone),
      )
      const one = answer.series[at]
      const group = groups?.length && n >= 0 ? groups[n] : null
      if (group && from.kind == 'funnel') {
        from.body = { ...from.body, by: q.by, attribution: 'any' }
        from.group = { value: group.value }
      }
      about.show({
        title: `${plain(one.event, 40)}, ${bucketTitle(answer.buckets[bucket], answer.unit, answer.timezone)}${group ? ' · ' + plain(groupName(group.value), 30) : ''}`,
        expected: one.measure == 'people' && !q.by ? one.values[bucket] : null,
        from,
        says: one.measure == 'people' ? undefined : 'Everybody who did it then, with the first time they did.',
      })
    },
  }
  const isOne = series.length == 1 && ['count', 'people', 'sum'].includes(answer.series[0].measure)
  return (
    <figure>
      <p class="headline">
        {answer.series.map((one, at) => (
          <span>
            {at > 0 && ' · '}
            <b>{count(one.total)}</b> {plain(label(one), 40)}
          </span>
        ))}
      </p>
      <div class="beside">
        {isOne ? <Bars {...over} height={260} /> : <Lines {...over} height={260} />}
        <OverTable {...over} />
      </div>
      {groups && (answer.series[0].groups_left_out ?? 0) > 0 && (
        <p class="note">{count(answer.series[0].groups_left_out)} smaller groups are not shown.</p>
      )}
      <AskedOver answer={answer} more={over.isOpen ? <>the last {answer.unit} is not over</> : undefined} />
    </figure>
  )
}

export const trendsRows = (answer: Trends): unknown[][] => {
  const columns = answer.series.flatMap((one): [string, (number | null)[]][] =>
    one.groups?.length
      ? one.groups.map((group) => [`${label(one)}: ${groupName(group.value)}`, group.values])
      : [[label(one), one.values]],
  )
  return [
    [answer.unit, ...columns.map(([name]) => name)],
    ...answer.buckets.map((bucket, at) => [bucket, ...columns.map(([, values]) => values[at])]),
  ]
}
