// What became of messages at a destination over the last day: how many, what went wrong, how late.
import { useState } from 'preact/hooks'
import { useAnswer } from '../answer'
import { Bars, Lines, OverTable, Series } from '../charts'
import { duration } from '../format'
import { zoneNow } from '../place'
import { grouped } from '../scale'
import { Answered, Tabs, When } from '../ui'

export interface Told {
  from: string
  counted_from: string
  series: Record<'received' | 'delivered' | 'retried' | 'dead' | 'filtered' | 'lag_ms', number[]>
}
const SPANS: [string, string][] = [
  ['60', 'hour'],
  ['360', '6 hours'],
  ['1440', 'day'],
]
/** At most so many bars: minutes are added up to five, or fifteen. */
const BARS = 96

export const DeliveryPlots = ({ path }: { path: string }) => {
  const [minutes, choose] = useState('60')
  const asking = useAnswer<Told>(`${path}/series?minutes=${minutes}`, undefined, 10_000)
  return (
    <section class="plots">
      <div class="row">
        <h2>What became of messages</h2>
        <Tabs label="Of the last" of={SPANS} now={minutes} choose={choose} />
      </div>
      <Answered asking={asking} lines={6}>
        {(told) => {
          const all = told.series.delivered.length
          const each = Math.ceil(all / BARS)
          const groups = Math.ceil(all / each)
          const end = Date.parse(told.from) + all * 60_000
          const buckets = Array.from({ length: groups }, (_, at) =>
            new Date(Math.max(Date.parse(told.from), end - (groups - at) * each * 60_000)).toISOString(),
          )
          const row = (name: string, of: keyof Told['series']): Series => {
            const values = grouped(told.series[of], each)
            return { name, values, total: values.reduce((sum, n) => sum + n, 0) }
          }
          const over = { buckets, unit: 'hour', zone: zoneNow(), isOpen: true, height: 120 }
          const unit = each == 1 ? 'a minute' : `in ${each} minutes`
          const done = [row('delivered', 'delivered'), row('filtered', 'filtered')]
          const wrong = [row('tried again', 'retried'), row('dead', 'dead')]
          const late = grouped(told.series.lag_ms, each, true).map((ms) => ms / 1000)
          const seconds = (n: number | null) => (n === null ? '–' : duration(n * 1000))
          return (
            <>
              <div class="thirds">
                <figure>
                  <h3>Messages {unit}</h3>
                  <Bars {...over} what={`Messages ${unit}`} series={done} />
                </figure>
                <figure>
                  <h3>Troubles {unit}</h3>
                  <Bars {...over} what={`Troubles ${unit}`} series={wrong} />
                </figure>
                <figure>
                  <h3>Behind, in seconds</h3>
                  <Lines
                    {...over}
                    what="How far behind, at most"
                    series={[{ name: 'behind', values: late }]}
                    format={seconds}
                  />
                </figure>
              </div>
              <details>
                <summary>The same as a table</summary>
                <OverTable
                  {...over}
                  what="What became of messages"
                  series={[row('received', 'received'), ...done, ...wrong]}
                />
              </details>
              <p class="over">
                {told.counted_from > told.from && (
                  <>
                    Counted since <When at={told.counted_from} />, when Onym was started ·{' '}
                  </>
                )}
                {zoneNow()}
              </p>
            </>
          )
        }}
      </Answered>
    </section>
  )
}
