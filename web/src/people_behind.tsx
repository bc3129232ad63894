// The list behind a number: each person with the events that counted.
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from './api'
import { Behind, Page, Reason, Row, TooMany, readPeople } from './behind'
import { count, duration, plural } from './format'
import { groupName, plain } from './text'
import { Drawer, Failure, PersonLink, Text, When } from './ui'

export const PeopleBehind = ({ of, close, zone }: { of: Behind; close: () => void; zone: string }) => {
  const [rows, setRows] = useState<Row[]>([])
  const [last, setLast] = useState<Page | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)

  useEffect(() => {
    const mine = new AbortController()
    readPeople(of.from, cursor, mine.signal).then(
      (page) => {
        if (mine.signal.aborted) return
        setLast(page)
        setRows((old) => (cursor ? [...old, ...page.rows] : page.rows))
      },
      (problem) => mine.signal.aborted || setError(problem),
    )
    return () => mine.abort()
  }, [cursor])

  return (
    <Drawer
      title={
        <>
          {of.title}
          {last?.total != null && <> · {plural(last.total, 'person', 'people')}</>}
        </>
      }
      close={close}
    >
      {of.says && <p class="over">{of.says}</p>}
      {error &&
        (error instanceof TooMany ? (
          <p>
            More than 20,000 people: narrow the range, or ask <code>onym funnel --people</code>.
          </p>
        ) : (
          <Failure error={error as ApiError} />
        ))}
      {last && of.expected !== null && last.total !== null && last.total != of.expected && (
        <p class="note">
          The picture says {count(of.expected)}: events have come since it was asked. Ask again to see them agree.
        </p>
      )}
      {!last && !error && <p role="status">Reading who they are…</p>}
      <ol class="people">
        {rows.slice(0, 2000).map((row) => (
          <li>
            <PersonLink person={row.person} />
            {row.group !== undefined && row.group !== null && (
              <span class="tag">
                <Text of={groupName(row.group)} most={30} />
              </span>
            )}
            <span class="n">{plural(row.person.events, 'event')}</span>
            {row.reason && <Why reason={row.reason} of={of} />}
            <ol class="chain">
              {row.steps.map((step, at) => (
                <li>
                  <Text of={step.event ?? 'event'} most={40} /> <When at={step.time} />
                  {at > 0 && (
                    <small> after {duration(Date.parse(step.time) - Date.parse(row.steps[at - 1].time))}</small>
                  )}
                </li>
              ))}
            </ol>
          </li>
        ))}
      </ol>
      {last?.next && (
        <button type="button" onClick={() => setCursor(last.next)}>
          Show more
        </button>
      )}
      {last?.total === 0 && <p>Nobody.</p>}
      <p class="over">Times are in {zone}.</p>
    </Drawer>
  )
}

/** Why somebody got no further, in words. */
const Why = ({ reason, of }: { reason: Reason; of: Behind }) => {
  const steps = of.from.kind == 'funnel' ? (of.from.body.steps as unknown[] | undefined) : undefined
  const asked = steps?.[reason.step - 1] as string | { event?: string } | undefined
  const name = plain(typeof asked == 'string' ? asked : (asked?.event ?? `step ${reason.step}`), 60)
  const late = typeof reason.late_ms == 'number' ? duration(reason.late_ms) : ''
  const says: Record<string, string> = {
    never: `never did ${name}`,
    before: `did ${name} only before`,
    too_late: `did ${name}, ${late} too late for the window`,
    step_too_late: `did ${name}, ${late} later than that step may take`,
    between: `did something else before ${name}`,
    excluded: `did what the question leaves out before ${name}`,
  }
  return (
    <p class="reason">
      {says[reason.code] ?? `got no further: ${plain(reason.code, 40)}`}
      {reason.time && (
        <>
          {' '}
          (<When at={reason.time} />)
        </>
      )}
    </p>
  )
}
