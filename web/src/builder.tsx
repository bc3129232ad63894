// Builds a question: events with their filters, what to break down by, over which time.
import { eventChoices, fieldChoices, valueChoices } from './choices'
import { isZone, ownZone } from './format'
import { Picker } from './picker'
import { Asked, Filter, MEASURES, OPS, Question, RANGES, UNITS, needsProperty, needsValue } from './question'
import { valueText } from './text'

type Set = (more: Partial<Question>) => void

const Select = ({
  label,
  value,
  of,
  set,
  isShown,
}: {
  label: string
  value: string
  of: [string, string][]
  set: (value: string) => void
  isShown?: boolean
}) => (
  <label class="select">
    {isShown ? <span>{label}</span> : <span class="sr">{label}</span>}
    <select value={value} onChange={(event) => set(event.currentTarget.value)}>
      {!of.some(([name]) => name == value) && <option value={value}>{value}</option>}
      {of.map(([name, text]) => (
        <option value={name}>{text}</option>
      ))}
    </select>
  </label>
)

/** What was typed is a number where it looks like one; in quotes it stays a text. */
const readValue = (text: string, kind?: string): unknown => {
  if (kind == 'number' || kind == 'boolean' || kind == 'object') return JSON.parse(text)
  if (kind === undefined) return text
  if (/^".*"$/.test(text)) return text.slice(1, -1)
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

const Filters = ({ of, set }: { of: Filter[]; set: (filters: Filter[]) => void }) => {
  const change = (at: number, more: Partial<Filter>) => set(of.map((one, n) => (n == at ? { ...one, ...more } : one)))
  return (
    <>
      {of.map((filter, at) => (
        <span class="filter">
          <Picker
            label="Property"
            placeholder="property"
            value={filter.field}
            load={() => fieldChoices()}
            choose={(field) => change(at, { field, value: undefined })}
            remove={() => set(of.filter((_, n) => n != at))}
          />
          <Select
            label="How"
            value={filter.op}
            of={OPS}
            set={(op) => change(at, { op, ...(needsValue(op) ? {} : { value: undefined }) })}
          />
          {needsValue(filter.op) && (
            <Picker
              label="Value"
              placeholder="value"
              value={filter.value === undefined ? '' : valueText(filter.value)}
              load={() => valueChoices(filter.field)}
              choose={(value, choice) =>
                change(at, { value: choice ? readValue(value, choice.group) : readValue(value, 'typed') })
              }
            />
          )}
        </span>
      ))}
    </>
  )
}
const newFilter: Filter = { field: '', op: '=' }

const EventRow = ({
  asked,
  name,
  change,
  remove,
  canMeasure,
  move,
}: {
  asked: Asked
  name: string
  change: (asked: Asked) => void
  remove?: () => void
  canMeasure?: boolean
  move?: () => void
}) => (
  <div class="event">
    <span class="ordinal">{name}</span>
    {canMeasure && (
      <Select
        label="Measure"
        value={asked.measure ?? 'count'}
        of={MEASURES}
        set={(measure) => change({ ...asked, measure: measure == 'count' ? undefined : measure })}
      />
    )}
    {canMeasure && needsProperty(asked.measure) && (
      <Picker
        label="Number"
        placeholder="a number"
        value={asked.property ?? ''}
        load={() => fieldChoices(true)}
        choose={(property) => change({ ...asked, property })}
      />
    )}
    <Picker
      wide
      label={name}
      placeholder="choose an event"
      value={asked.event}
      load={eventChoices}
      choose={(event) => change({ ...asked, event })}
      remove={remove}
    />
    {asked.where && asked.where.length > 0 && <span class="where">where</span>}
    <Filters of={asked.where ?? []} set={(where) => change({ ...asked, where: where.length ? where : undefined })} />
    {asked.event && (
      <button
        type="button"
        class="quiet small"
        onClick={() => change({ ...asked, where: [...(asked.where ?? []), newFilter] })}
      >
        + filter
      </button>
    )}
    {move && (
      <button type="button" class="quiet small" onClick={move} aria-label={`Move ${name} up`} title="Move up">
        ↑
      </button>
    )}
  </div>
)

export const Builder = ({ q, set }: { q: Question; set: Set }) => {
  const events = q.events.length ? q.events : [{ event: '' }]
  const change = (at: number, asked: Asked) =>
    set({ events: at < q.events.length ? q.events.map((one, n) => (n == at ? asked : one)) : [...q.events, asked] })
  const remove = (at: number) => set({ events: q.events.filter((_, n) => n != at) })
  const swap = (at: number) =>
    set({ events: q.events.map((one, n) => (n == at ? q.events[at - 1] : n == at - 1 ? q.events[at] : one)) })
  const isMany = q.kind == 'funnel' || q.kind == 'trends'
  const most = q.kind == 'funnel' ? 20 : 16
  const units = UNITS.filter((unit) => q.kind != 'retention' || unit != 'hour').map((unit): [string, string] => [
    unit,
    unit,
  ])
  const zones = [...new Set([q.zone, ownZone(), 'UTC'])].map((zone): [string, string] => [zone, zone])
  return (
    <form class="builder" onSubmit={(event) => event.preventDefault()}>
      <div class="events">
        {q.kind == 'signups' && (
          <EventRow
            name="A sign-up is"
            asked={q.events[0] ?? { event: '' }}
            change={(asked) => set({ events: [asked] })}
            remove={q.events.length ? () => set({ events: [] }) : undefined}
          />
        )}
        {q.kind == 'signups' && !q.events.length && (
          <span class="note">Left empty: a person’s first event with a user id.</span>
        )}
        {isMany &&
          events.map((asked, at) => (
            <EventRow
              name={q.kind == 'funnel' ? `Step ${at + 1}` : String.fromCharCode(65 + at)}
              asked={asked}
              change={(next) => change(at, next)}
              canMeasure={q.kind == 'trends'}
              remove={q.events.length > at ? () => remove(at) : undefined}
              move={q.kind == 'funnel' && at > 0 ? () => swap(at) : undefined}
            />
          ))}
        {isMany && q.events.length > 0 && q.events.length < most && (
          <EventRow
            key={'new' + q.events.length}
            name={q.kind == 'funnel' ? `Step ${q.events.length + 1}` : '+'}
            asked={{ event: '' }}
            change={(next) => change(q.events.length, next)}
          />
        )}
        {q.kind == 'retention' && (
          <EventRow
            name="Begins with"
            asked={events[0]}
            change={(next) => set({ events: [next, ...q.events.slice(1)] })}
          />
        )}
        {q.kind == 'retention' && q.events.length > 0 && (
          <EventRow
            name="Comes back with"
            asked={q.events[1] ?? { event: '*' }}
            change={(next) => set({ events: [q.events[0], next] })}
          />
        )}
        {q.kind == 'paths' && (
          <EventRow
            name={q.direction == 'before' ? 'Before' : 'After'}
            asked={events[0]}
            change={(next) => set({ events: [next] })}
          />
        )}
      </div>
      <div class="options">
        <Select label="Range" value={q.range} of={RANGES} set={(range) => set({ range })} />
        {q.range == 'dates' && (
          <>
            <label>
              from <input type="date" value={q.from} onChange={(event) => set({ from: event.currentTarget.value })} />
            </label>
            <label>
              to <input type="date" value={q.to} onChange={(event) => set({ to: event.currentTarget.value })} />
            </label>
          </>
        )}
        {(q.kind == 'trends' || q.kind == 'signups' || q.kind == 'retention') && (
          <Select label="by" isShown value={q.unit} of={units} set={(unit) => set({ unit })} />
        )}
        {q.kind == 'funnel' && (
          <>
            <Select
              label="within"
              isShown
              value={q.window}
              set={(window) => set({ window })}
              of={[
                ['30m', '30 minutes'],
                ['1h', '1 hour'],
                ['24h', '1 day'],
                ['7d', '7 days'],
                ['14d', '14 days'],
                ['30d', '30 days'],
                ['90d', '90 days'],
              ]}
            />
            <Select
              label="Order"
              value={q.order}
              set={(order) => set({ order })}
              of={[
                ['in_order', 'in order'],
                ['strict', 'nothing between'],
                ['any', 'in any order'],
              ]}
            />
          </>
        )}
        {q.kind == 'retention' && (
          <>
            <Select
              label="periods"
              isShown
              value={String(q.periods)}
              set={(periods) => set({ periods: Number(periods) })}
              of={[4, 6, 8, 12, 24].map((n): [string, string] => [String(n), String(n)])}
            />
            <Select
              label="Counted"
              value={q.mode}
              set={(mode) => set({ mode })}
              of={[
                ['n_day', 'in that period'],
                ['unbounded', 'in it or later'],
              ]}
            />
          </>
        )}
        {q.kind == 'paths' && (
          <>
            <Select
              label="Direction"
              value={q.direction}
              set={(direction) => set({ direction })}
              of={[
                ['after', 'what follows'],
                ['before', 'what came before'],
              ]}
            />
            <Select
              label="steps"
              isShown
              value={String(q.depth)}
              set={(depth) => set({ depth: Number(depth) })}
              of={[1, 2, 3, 4, 5, 6].map((n): [string, string] => [String(n), String(n)])}
            />
            <Select
              label="within"
              isShown
              value={q.within}
              set={(within) => set({ within })}
              of={[
                ['30m', '30 minutes'],
                ['1h', '1 hour'],
                ['1d', '1 day'],
                ['7d', '7 days'],
                ['30d', '30 days'],
              ]}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={q.collapse}
                onChange={(event) => set({ collapse: event.currentTarget.checked })}
              />{' '}
              repeats as one
            </label>
          </>
        )}
        {(q.kind == 'funnel' || q.kind == 'trends' || q.kind == 'retention') && (
          <span class="by">
            <span>broken down by</span>
            <Picker
              label="Break down by"
              placeholder="nothing"
              value={q.by}
              load={() => fieldChoices()}
              choose={(by) => set({ by })}
              remove={q.by ? () => set({ by: '' }) : undefined}
            />
          </span>
        )}
        {q.kind != 'paths' && q.range != 'all' && (
          <label class="check">
            <input
              type="checkbox"
              checked={q.compare}
              onChange={(event) => set({ compare: event.currentTarget.checked })}
            />{' '}
            and the period before
          </label>
        )}
        <Select label="Zone" value={q.zone} of={zones} set={(zone) => isZone(zone) && set({ zone })} />
      </div>
      <div class="all">
        <Filters of={q.where} set={(where) => set({ where })} />
        <button type="button" class="quiet small" onClick={() => set({ where: [...q.where, newFilter] })}>
          + filter for all events
        </button>
      </div>
    </form>
  )
}
