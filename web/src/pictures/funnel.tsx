// A funnel: a row a step, which holds for two steps and for twenty, on a phone too. The solid part are those who got
// there; the hatched part those who got to the step before and no further. Both are buttons.
import type { Funnel, FunnelStep } from '../api'
import type { Behind } from '../behind'
import { FEW, count, duration, share } from '../format'
import { groupName, plain } from '../text'
import { AskedOver, Before, Empty, Scroll, Text } from '../ui'
import type { About } from '../views/questions'

const stepName = (step: FunnelStep, at: number) => step.event ?? `any ${at + 1} of them`

export const FunnelPicture = ({
  answer,
  before: earlier,
  about,
}: {
  answer: Funnel
  before?: Funnel | null
  about: Pick<About, 'body' | 'show'>
}) => {
  const behind = (step: number, outcome: 'converted' | 'dropped', expected: number, group?: { value: unknown }) => {
    const name = plain(stepName(answer.steps[step - 1], step - 1), 40)
    const { by, limit: _, ...rest } = about.body
    about.show({
      title:
        (outcome == 'converted' ? `Got to ${name}` : `${name}, and no further`) +
        (group ? ` · ${plain(groupName(group.value), 30)}` : ''),
      expected,
      from: { kind: 'funnel', body: group ? { ...rest, by } : rest, step, outcome, group },
    } satisfies Behind)
  }
  const first = answer.steps[0].people
  if (!first)
    return (
      <>
        <Empty title="Nobody did the first step in this time.">Try a longer range, or another first step.</Empty>
        <AskedOver answer={answer} />
      </>
    )
  const last = answer.steps[answer.steps.length - 1]
  return (
    <figure class="funnel">
      <p class="headline">
        <b>{share(last.from_first)}</b> get from the first step to the last: {count(last.people)} of {count(first)}{' '}
        people{last.median_ms !== null && <>, half of them within {duration(last.median_ms)}</>}{' '}
        {earlier && earlier.steps[0].people >= FEW && (
          <Before now={last.from_first} before={earlier.steps[earlier.steps.length - 1]?.from_first} is="share" />
        )}
      </p>
      <ol>
        {answer.steps.map((step, at) => {
          const before = at ? answer.steps[at - 1].people : step.people
          const dropped = before - step.people
          return (
            <li>
              <div class="step">
                <span class="ordinal">{at + 1}</span>
                <Text of={stepName(step, at)} most={80} />
                {earlier?.steps[at] && <Before now={step.people} before={earlier.steps[at].people} />}
                {at > 0 && (
                  <span class="note">
                    {step.median_from_previous_ms !== null && <>median {duration(step.median_from_previous_ms)}</>}
                  </span>
                )}
              </div>
              <div class="track">
                <svg width="100%" height="26" aria-hidden="true">
                  <defs>
                    <pattern id="lost" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                      <rect width="2" height="6" class="lost" />
                    </pattern>
                  </defs>
                  <rect width="100%" height="26" rx="3" class="groove" />
                  <rect
                    width={`${(100 * before) / first}%`}
                    height="26"
                    rx="3"
                    fill={dropped ? 'url(#lost)' : 'none'}
                    onClick={() => dropped && behind(at, 'dropped', dropped)}
                    class={dropped ? 'picks' : ''}
                  />
                  <rect
                    width={`${(100 * step.people) / first}%`}
                    height="26"
                    rx="3"
                    class="s0 picks"
                    onClick={() => behind(at + 1, 'converted', step.people)}
                  />
                </svg>
              </div>
              <div class="figures">
                <button
                  type="button"
                  class="cell"
                  onClick={() => behind(at + 1, 'converted', step.people)}
                  title="Who they are"
                >
                  {count(step.people)}
                </button>
                <span class="rate">{share(step.from_first)}</span>
                {at > 0 &&
                  (dropped > 0 ? (
                    <button
                      type="button"
                      class="cell lost"
                      onClick={() => behind(at, 'dropped', dropped)}
                      title="Who got no further"
                    >
                      −{count(dropped)} <small>{share(1 - step.from_previous)}</small>
                    </button>
                  ) : (
                    <span class="note">nobody lost</span>
                  ))}
              </div>
            </li>
          )
        })}
      </ol>
      {answer.groups.length > 0 && (
        <Scroll label="Breakdown">
          <table class="numbers groups">
            <thead>
              <tr>
                <th scope="col">{about.body.by}</th>
                {answer.steps.map((step, at) => (
                  <th scope="col" class="n">
                    <Text of={stepName(step, at)} most={24} />
                  </th>
                ))}
                <th scope="col" class="n">
                  all the way
                </th>
                <th scope="col" class="n">
                  median
                </th>
              </tr>
            </thead>
            <tbody>
              {answer.groups.map((group) => {
                const end = group.steps[group.steps.length - 1]
                return (
                  <tr>
                    <th scope="row">
                      <Text of={groupName(group.value)} most={40} />
                    </th>
                    {group.steps.map((step, at) => (
                      <td class="n">
                        {step.people ? (
                          <button
                            type="button"
                            class="cell"
                            onClick={() => behind(at + 1, 'converted', step.people, { value: group.value })}
                          >
                            {count(step.people)}
                          </button>
                        ) : (
                          0
                        )}
                      </td>
                    ))}
                    <td class="n">
                      <span class="meter">
                        <svg width="60" height="8" aria-hidden="true">
                          <rect width="60" height="8" rx="2" class="groove" />
                          <rect width={60 * end.from_first} height="8" rx="2" class="s0" />
                        </svg>
                      </span>{' '}
                      {share(end.from_first)}
                    </td>
                    <td class="n">{duration(end.median_ms)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
          {answer.groups_left_out > 0 && (
            <p class="note">{count(answer.groups_left_out)} smaller groups are not shown.</p>
          )}
        </Scroll>
      )}
      <AskedOver
        answer={answer}
        more={
          <>
            within {duration(answer.window_ms)},{' '}
            {answer.order == 'in_order' ? 'in order' : answer.order == 'strict' ? 'nothing between' : 'in any order'};
            the range is for the first step
          </>
        }
      />
    </figure>
  )
}

export const funnelRows = (answer: Funnel): unknown[][] => {
  const head = ['step', 'event', 'people', 'from_previous', 'from_first', 'median_ms', 'p90_ms']
  const row = (step: FunnelStep, at: number) => [
    at + 1,
    step.event,
    step.people,
    step.from_previous,
    step.from_first,
    step.median_ms,
    step.p90_ms,
  ]
  if (!answer.groups.length) return [head, ...answer.steps.map(row)]
  return [
    ['group', ...head],
    ...answer.steps.map((step, at) => ['(all)', ...row(step, at)]),
    ...answer.groups.flatMap((group) => group.steps.map((step, at) => [group.value, ...row(step, at)])),
  ]
}
