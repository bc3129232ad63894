// Live: messages as they come, each with what became of it. Drawn at most four times a second, only the rows in view;
// paused it goes on counting. What the server had to skip is a row that says so, with a way to read it.
import { useEffect, useReducer, useRef, useState } from 'preact/hooks'
import { Message, isAnalyst } from '../api'
import { COLUMNS, Column, columnsAsked, columnsOf } from '../columns'
import { Feed, FeedRow, LiveRow, inView, isGap } from '../feed'
import { count, plural } from '../format'
import { useKeys } from '../keys'
import { isPasted, myIds, setMyId } from '../me'
import { replace, zoneNow } from '../place'
import { Place, placeHref } from '../route'
import { StreamState, journalEnd, listen } from '../stream'
import { plain } from '../text'
import { Empty, Field, Json, Text, useSay } from '../ui'
import { ByPosition, MessageDrawer } from './message'

const DRAW_MS = 250
const ROW = 30
/** How high the message is that a row shows where it stands; app.css has the same. */
const EXPANDED = 260
/** How much of the journal is read back for a look at what came before: some hundred messages. */
const EARLIER_BYTES = 200_000
const FATES = ['accepted', 'rejected', 'repeated', 'suppressed']
const TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias']
/** By id and by text nobody is found by readers. */
const FIELDS = ['source', 'event', 'id', 'text'] as const
const NAMES = ['type', 'fate', 'plan', 'source', 'event', 'id', 'text'] as const

export const Live = ({ place }: { place: Place }) => {
  const params = place.params
  const filter = new URLSearchParams()
  for (const name of NAMES) if (params.get(name)) filter.set(name, params.get(name)!)
  // Any of these ids: "only me".
  const mine = params.getAll('me')
  for (const id of mine) filter.append('id', id)
  const isPast = params.has('to')
  const key = [filter, params.get('from') ?? '', params.get('to') ?? ''].join(' ')
  const feed = useRef(new Feed())
  const [, draw] = useReducer<number, void>((n) => n + 1, 0)
  const [isPaused, setPaused] = useState(false)
  const [state, setState] = useState<StreamState>('opening')
  const [trouble, setTrouble] = useState('')
  const [atKey, setAt] = useState('')
  const [expanded, expand] = useState('')
  const [open, setOpen] = useState<LiveRow | null>(null)
  const [scroll, setScroll] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const paused = useRef(false)
  paused.current = isPaused
  const say = useSay()
  const zone = zoneNow()
  const opened = Number(place.path[1]) || 0

  useEffect(() => {
    const own = (feed.current = new Feed())
    const close = listen(filter, params.get('from'), params.get('to'), {
      tell: (name, data) => {
        if (name == 'message') own.add(data, performance.now())
        if (name == 'gap' && !(data.why == 'unreadable' && data.from == params.get('from'))) own.addGap(data)
        if (name != 'claimed') return
        const n = own.claim(data)
        if (n == 0 || paused.current) return
        say(`${plural(n, 'earlier event')} kept`)
        draw()
      },
      state: (now, why) => {
        setState(now)
        setTrouble(why)
      },
    })
    let rest = false
    const drawing = window.setInterval(() => {
      const before = own.rows.length ? own.rows[0].key : ''
      const isNew = !paused.current && own.take()
      if (isNew && list.current && list.current.scrollTop > ROW) {
        // who reads further down stays at what they read
        const added = before ? own.rows.findIndex((row) => row.key == before) : 0
        if (added > 0) list.current.scrollTop += added * ROW
      }
      const busy = isNew || own.rate(performance.now()) > 0 || (paused.current && own.waiting > 0)
      if (busy || rest) draw()
      rest = busy
    }, DRAW_MS)
    return () => {
      close()
      clearInterval(drawing)
    }
  }, [key])

  const rows = feed.current.rows
  const height = list.current?.clientHeight || 600
  // A row that is expanded takes more room, and those behind it stand lower.
  const wide = expanded ? rows.findIndex((row) => row.key == expanded) : -1
  const below = (n: number) => (wide >= 0 && n > wide ? EXPANDED : 0)
  const spare = wide >= 0 ? EXPANDED : 0
  const [from, to] = inView(Math.max(0, scroll - spare), height + spare, ROW, rows.length)
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(params)
    value ? next.set(name, value) : next.delete(name)
    replace(placeHref(['live'], next))
  }
  const move = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, rows.findIndex((row) => row.key == atKey) + by))
    setAt(rows[next]?.key ?? '')
    if (list.current) {
      const top = next * ROW + below(next)
      if (top < list.current.scrollTop) list.current.scrollTop = top
      if (top + ROW > list.current.scrollTop + list.current.clientHeight)
        list.current.scrollTop = top + ROW - list.current.clientHeight
    }
  }
  const show = (row: FeedRow | undefined) => row && !isGap(row) && setOpen(row)
  const toggle = () => {
    if (isPaused) feed.current.take()
    setPaused(!isPaused)
  }
  useKeys({
    ' ': toggle,
    j: () => move(1),
    k: () => move(-1),
    Enter: () => show(rows.find((row) => row.key == atKey)),
    x: () => expand(expanded == atKey ? '' : atKey),
    '/': () => document.getElementById('live-text')?.focus(),
  })
  const rate = feed.current.rate(performance.now())
  const columns = columnsOf(params.get('cols'))
  const isPhone = innerWidth <= 720
  const drawn = isPhone ? columns.filter((one) => one.narrow) : columns
  const chooseMe = (ids: string[]) => {
    const next = new URLSearchParams(params)
    next.delete('me')
    if (ids.length) next.delete('id')
    for (const id of ids) next.append('me', id)
    replace(placeHref(['live'], next))
  }
  /** What came before: the last pieces of the journal, from somewhere in them. */
  const showEarlier = async () => {
    const end = await journalEnd()
    set('from', String(Math.max(0, end - EARLIER_BYTES)))
  }

  return (
    <section class="view live">
      <header class="top">
        <h1>Live</h1>
        <p class="state" role="status">
          <i class={`dot ${isPaused ? 'paused' : state}`} />
          {isPaused
            ? `paused, ${count(feed.current.waiting)} waiting`
            : state == 'broken'
              ? trouble
                ? 'not connected: '
                : 'broken off; trying again'
              : state == 'opening'
                ? 'connecting…'
                : state == 'ended'
                  ? 'all that was asked for'
                  : `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))} a second`}
          {state == 'broken' && trouble && <Text of={trouble} most={200} />}
          <span class="dim">{count(feed.current.total)} since it was opened</span>
        </p>
        <button type="button" onClick={toggle} aria-pressed={isPaused}>
          {isPaused ? 'Go on' : 'Pause'} <kbd>space</kbd>
        </button>
      </header>
      <form class="options filters" onSubmit={(event) => event.preventDefault()}>
        <label class="select">
          <span class="sr">Type</span>
          <select value={params.get('type') ?? ''} onChange={(event) => set('type', event.currentTarget.value)}>
            <option value="">any type</option>
            {TYPES.map((one) => (
              <option>{one}</option>
            ))}
          </select>
        </label>
        <label class="select">
          <span class="sr">Fate</span>
          <select value={params.get('fate') ?? ''} onChange={(event) => set('fate', event.currentTarget.value)}>
            <option value="">any fate</option>
            {FATES.map((one) => (
              <option>{one}</option>
            ))}
            <option value="rejected,repeated,suppressed">not taken</option>
          </select>
        </label>
        <label class="select">
          <span class="sr">Tracking plan</span>
          <select value={params.get('plan') ?? ''} onChange={(event) => set('plan', event.currentTarget.value)}>
            <option value="">plan or not</option>
            <option value="broken">breaks the plan</option>
          </select>
        </label>
        {isAnalyst() && <OnlyMe now={mine} choose={chooseMe} />}
        {(isAnalyst() ? FIELDS : FIELDS.slice(0, 2)).map((name) => (
          <Field
            key={name}
            id={'live-' + name}
            name={name}
            value={params.get(name) ?? ''}
            placeholder={{ source: 'source', event: 'event', id: 'any id', text: 'text in it' }[name]}
            size={name == 'text' ? 18 : 12}
            set={(value) => set(name, value)}
          />
        ))}
        {(filter.size > 0 || mine.length > 0 || isPast || params.has('from')) && (
          <button type="button" class="quiet" onClick={() => replace(placeHref(['live']))}>
            Clear
          </button>
        )}
        <ColumnChoice shown={columns} set={(next) => set('cols', next ?? '')} />
      </form>
      <div
        class="feed"
        role="table"
        aria-label="Messages, newest first"
        aria-rowcount={rows.length}
        ref={(one) =>
          one?.style.setProperty('--columns', drawn.map((of) => (isPhone ? of.narrow : of.width)).join(' '))
        }
      >
        <div class="feed-head" role="row">
          {drawn.map((one) => (
            <span role="columnheader">{one.title}</span>
          ))}
        </div>
        <div
          class="feed-rows"
          role="rowgroup"
          ref={list}
          tabIndex={0}
          onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
        >
          {rows.length == 0 && (
            <div role="row">
              <div role="cell">
                <Empty title={filter.size > 0 ? 'Nothing that fits has come yet.' : 'Waiting for messages…'}>
                  Each is shown the second that it arrives. <a href={placeHref(['sources'])}>Sources</a> has what to
                  paste.
                  {!params.has('from') && (
                    <p>
                      <button type="button" onClick={showEarlier}>
                        Show what came before
                      </button>
                    </p>
                  )}
                </Empty>
              </div>
            </div>
          )}
          <div
            class="feed-space"
            role="presentation"
            ref={(one) => {
              if (one) one.style.height = rows.length * ROW + below(rows.length) + 'px'
            }}
          >
            {rows.slice(from, to).map((row, n) => (
              <FeedLine
                key={row.key}
                row={row}
                top={(from + n) * ROW + below(from + n)}
                isAt={row.key == atKey}
                isWide={row.key == expanded}
                expand={() => expand(row.key == expanded ? '' : row.key)}
                zone={zone}
                columns={drawn}
                index={from + n}
                show={() => {
                  setAt(row.key)
                  show(row)
                }}
              />
            ))}
          </div>
        </div>
      </div>
      {feed.current.fallen > 0 && (
        <p class="over">
          The newest 10,000 are here; {count(feed.current.fallen)} older ones are in the journal:{' '}
          <code>onym export</code>.
        </p>
      )}
      <p class="over">Times are when they were received, in {zone}.</p>
      {open && <MessageDrawer row={open} close={() => setOpen(null)} />}
      {opened > 0 && !open && <ByPosition position={opened} close={() => replace(placeHref(['live'], params))} />}
    </section>
  )
}

const WHY: Record<string, string> = {
  behind: 'since this page was too far behind',
  not_kept: 'since they are not kept any more',
  unreadable: 'since they cannot be read: onym verify says more',
  suppressed: 'since they are of suppressed ids',
}

const FeedLine = ({
  row,
  top,
  isAt,
  isWide,
  expand,
  show,
  zone,
  columns,
  index,
}: {
  row: FeedRow
  top: number
  isAt: boolean
  isWide: boolean
  expand: () => void
  show: () => void
  zone: string
  columns: Column[]
  index: number
}) => {
  const place = (one: HTMLElement | null) => {
    if (one) one.style.transform = `translateY(${top}px)`
  }
  if (isGap(row)) {
    const { from, to, count: n, why } = row.gap
    return (
      <div class="feed-row gap" role="row" aria-rowindex={index + 1} ref={place}>
        <span role="cell">
          {n === null ? 'Messages' : plural(n, 'message')} not told here, {WHY[why ?? ''] ?? 'from position ' + from}
          {to > from && (why == 'behind' || !why) && (
            <>
              {' · '}
              <a href={placeHref(['live'], { from: String(from), to: String(to) })}>read them</a>
            </>
          )}
        </span>
      </div>
    )
  }
  const message: Message = typeof row.message == 'string' ? {} : (row.message ?? {})
  return (
    <>
      <div
        class={`feed-row ${row.fate}${isAt ? ' at' : ''}`}
        role="row"
        aria-rowindex={index + 1}
        ref={place}
        onClick={show}
      >
        {columns.map((one, n) => (
          <span
            role="cell"
            class={one.tone?.(row, message)}
            onClick={one.name == 'person' ? (event) => event.stopPropagation() : undefined}
          >
            {n == 0 && (
              <button
                type="button"
                class="expand"
                aria-expanded={isWide}
                aria-label={isWide ? 'Fold' : 'Expand here'}
                onClick={(event) => {
                  event.stopPropagation()
                  expand()
                }}
              >
                {isWide ? '▾' : '▸'}
              </button>
            )}
            {one.show(row, message, zone, show)}
          </span>
        ))}
      </div>
      {isWide && (
        <div class="feed-more" role="row" ref={place}>
          <div role="cell">
            <Json of={row.message} />
          </div>
        </div>
      )}
    </>
  )
}

/** Only one's own messages, to see what a click of oneself sends. */
const OnlyMe = ({ now, choose }: { now: string[]; choose: (ids: string[]) => void }) => {
  const [isAsking, setAsking] = useState(false)
  if (isAsking)
    return (
      <span class="me">
        <Field
          id="live-me"
          name="Your anonymous id or user id"
          value=""
          placeholder="your anonymous id"
          size={20}
          set={(id) => {
            setAsking(false)
            if (!id) return
            setMyId(id)
            choose([id])
          }}
        />{' '}
        <small class="dim">
          In the console of your site: <code>analytics.user().anonymousId()</code>
        </small>
        <button type="button" class="quiet" onClick={() => setAsking(false)}>
          Not now
        </button>
      </span>
    )
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-pressed={now.length > 0}
        title={now.length > 0 ? plain(now.join(', '), 200) : 'Only messages with your own ids'}
        onClick={() => {
          const ids = now.length > 0 ? [] : myIds()
          if (now.length == 0 && ids.length == 0) setAsking(true)
          else choose(ids)
        }}
      >
        Only me
      </button>
      {now.length > 0 && isPasted() && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setMyId('')
            choose([])
            setAsking(true)
          }}
        >
          Another id…
        </button>
      )}
    </>
  )
}

/** Which columns are shown; the address keeps it, so that a link shows the same. */
const ColumnChoice = ({ shown, set }: { shown: Column[]; set: (next: string | null) => void }) => (
  <details class="menu">
    <summary>Columns</summary>
    <fieldset>
      <legend class="sr">Columns</legend>
      {COLUMNS.map((one) => (
        <label class="check">
          <input
            type="checkbox"
            checked={shown.includes(one)}
            disabled={shown.length == 1 && shown.includes(one)}
            onChange={() => set(columnsAsked(COLUMNS.filter((other) => shown.includes(other) != (other == one))))}
          />{' '}
          {one.title}
        </label>
      ))}
    </fieldset>
  </details>
)
