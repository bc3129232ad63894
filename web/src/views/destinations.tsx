// Destinations: what becomes of messages on their way out: taken, delivered, tried again, refused, dead; and what to do.
import { useState } from 'preact/hooks'
import { Destination, call, isAdmin, isAnalyst } from '../api'
import { useAnswer } from '../answer'
import { count, duration, plural } from '../format'
import { DeliveryPlots } from '../pictures/delivery'
import { Place, placeHref } from '../route'
import { DeadLetters } from './letters'
import { Answered, Confirm, Empty, Failure, Json, Scroll, Text, When, useSay } from '../ui'

const tone = (one: Destination) =>
  one.state == 'disabled'
    ? 'none'
    : one.last_error && (!one.last_success_at || (one.last_error_at ?? '') > one.last_success_at)
      ? 'broken'
      : 'open'

export const Destinations = ({ place }: { place: Place }) => {
  const asking = useAnswer<{ destinations: Destination[] }>('destinations', undefined, 3000)
  const name = place.path[1]
  return (
    <section class="view">
      <header class="top">
        <h1>
          {name ? (
            <>
              <a href={placeHref(['destinations'])}>Destinations</a> / <Text of={name} most={60} />
            </>
          ) : (
            'Destinations'
          )}
        </h1>
      </header>
      <Answered asking={asking}>
        {({ destinations }) => {
          if (name) {
            const one = destinations.find((other) => other.name == name)
            return one ? <One of={one} again={asking.again} /> : <Empty title="There is no destination of that name." />
          }
          if (!destinations.length)
            return (
              <Empty title="No destination yet.">
                Mixpanel, KISSmetrics, Intercom or a webhook: a few lines in <code>onym.yaml</code>, then{' '}
                <code>onym destinations test NAME</code>.
              </Empty>
            )
          return (
            <Scroll label="Destinations">
              <table class="rows">
                <thead>
                  <tr>
                    <th scope="col">destination</th>
                    <th scope="col">state</th>
                    <th scope="col" class="n">
                      delivered
                    </th>
                    <th scope="col" class="n">
                      waiting
                    </th>
                    <th scope="col" class="n">
                      tried again
                    </th>
                    <th scope="col" class="n">
                      dead
                    </th>
                    <th scope="col" class="n">
                      a second
                    </th>
                    <th scope="col" class="n">
                      behind
                    </th>
                    <th scope="col">last error</th>
                  </tr>
                </thead>
                <tbody>
                  {destinations.map((one) => (
                    <tr>
                      <th scope="row">
                        <a href={placeHref(['destinations', one.name])}>
                          <Text of={one.name} most={40} />
                        </a>{' '}
                        <span class="dim">{one.type}</span>
                      </th>
                      <td>
                        <i class={'dot ' + tone(one)} /> {one.state}
                      </td>
                      <td class="n">{count(one.delivered)}</td>
                      <td class="n">{count(one.unfinished)}</td>
                      <td class="n">{count(one.retried)}</td>
                      <td class="n">{one.dead_letters ? <strong class="bad">{count(one.dead_letters)}</strong> : 0}</td>
                      <td class="n">{count(Math.round(one.messages_per_second * 10) / 10)}</td>
                      <td class="n">{duration(one.lag_ms)}</td>
                      <td>
                        {one.last_error ? (
                          <>
                            <Text of={one.last_error} most={60} />{' '}
                            <span class="dim">
                              <When at={one.last_error_at} relative />
                            </span>
                          </>
                        ) : (
                          <span class="none">–</span>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )
        }}
      </Answered>
    </section>
  )
}

const One = ({ of, again }: { of: Destination; again: () => void }) => {
  const say = useSay()
  const [problem, setProblem] = useState<any>(null)
  const [outcome, setOutcome] = useState<any>(null)
  const [isBusy, setBusy] = useState(false)
  const [from, setFrom] = useState('7d')
  const path = 'destinations/' + encodeURIComponent(of.name)
  const run = async (what: string, body: unknown, done: (answer: any) => void) => {
    setBusy(true)
    setProblem(null)
    try {
      done(await call('POST', `${path}/${what}`, body))
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
    again()
  }
  // All that was taken has come to exactly one end, or waits.
  const parts: [string, number, string][] = [
    ['delivered', of.delivered, 's0'],
    ['not wanted', of.skipped, 's7'],
    ['refused or dead', of.refused, 'bad'],
    ['waiting', of.unfinished, 'groove'],
  ]
  const all = Math.max(
    1,
    parts.reduce((sum, [, n]) => sum + (Number(n) || 0), 0),
  )
  let x = 0
  return (
    <>
      <p class="ids">
        <span class="tag">{of.type}</span>
        <span>
          <i class={'dot ' + tone(of)} /> {of.state}
          {of.waits_until && (
            <>
              {' '}
              until <When at={of.waits_until} />
            </>
          )}
        </span>
        <span>
          last success <When at={of.last_success_at} relative />
        </span>
        <span>{duration(of.lag_ms)} behind</span>
        <span>
          {plural(of.requests, 'request')}, {plural(of.retried, 'message')} tried again
        </span>
      </p>
      {of.last_error && (
        <p class="failure">
          <strong>Last error</strong> <Text of={of.last_error} most={500} />{' '}
          <span class="dim">
            <When at={of.last_error_at} />
          </span>
        </p>
      )}
      <figure class="pipe">
        <svg
          width="100%"
          height="22"
          role="img"
          aria-label="What became of the messages taken; the list has the numbers"
        >
          {parts.map(([, told, tint]) => {
            const n = Number(told) || 0
            const left = x
            x += (100 * n) / all
            return n > 0 && <rect x={left + '%'} width={(100 * n) / all + '%'} height="22" class={tint} />
          })}
        </svg>
        <ul class="plain inline">
          {parts.map(([name, n, tint]) => (
            <li>
              <i class={'swatch ' + tint} /> {name} <b>{count(n)}</b>
            </li>
          ))}
        </ul>
        <p class="over">
          Since this process began, of {count(of.taken)} messages taken; {count(of.dead_letters)} dead letters are kept
          in all.
        </p>
      </figure>
      {of.replay && (of.replay.is_under_way || of.replay.taken > 0) && (
        <p class="note">
          Replay: {of.replay.is_under_way ? `${count(of.replay.left_bytes)} bytes of journal left, ` : 'ended, '}
          {count(of.replay.delivered)} of {count(of.replay.taken)} delivered.
        </p>
      )}
      {isAdmin() && (
        <div class="row actions">
          <button type="button" disabled={isBusy} onClick={() => run('test', {}, setOutcome)}>
            {isBusy ? 'Under way…' : 'Send a test event'}
          </button>
          <span>
            <label>
              Send again what came since{' '}
              <select value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
                {['1d', '7d', '30d', '90d', '365d'].map((one) => (
                  <option>{one}</option>
                ))}
              </select>
            </label>
            <Confirm
              ask="Replay…"
              says={
                <>
                  Everything of the last {from} goes to {of.name} once more; what it has already, it knows by the same
                  keys where it has such.
                </>
              }
              run={() =>
                run('replay', { from: new Date(Date.now() - Number.parseInt(from) * 86_400_000).toISOString() }, () =>
                  say('The replay is under way'),
                )
              }
            />
          </span>
        </div>
      )}
      {problem && <Failure error={problem} />}
      {outcome && (
        <section>
          <h2>{outcome.is_delivered ? 'Delivered' : 'Not delivered'}</h2>
          {outcome.error && (
            <p>
              <Text of={outcome.error} />
            </p>
          )}
          <Json of={outcome.exchanges} />
        </section>
      )}
      <DeliveryPlots path={path} />
      {isAnalyst() && (
        <DeadLetters
          path={path}
          kept={of.dead_letters}
          redo={(number) => run('redo', number === undefined ? {} : { number }, () => say('Tried again'))}
        />
      )}
    </>
  )
}
