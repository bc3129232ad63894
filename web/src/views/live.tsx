// Live: messages as they come, each with what became of it. Drawn at most four times a second, only the rows in view;
// paused it goes on counting. What the server had to skip is a row that says so, with a way to read it.
import { useEffect, useReducer, useRef, useState } from 'preact/hooks'
import { ApiError, Link, Message, call, messageName } from '../api'
import { useAnswer } from '../answer'
import { callCode } from '../call_code'
import { Feed, FeedRow, LiveRow, inView, isGap, resumeFrom } from '../feed'
import { clock, count, instant, plural } from '../format'
import { useKeys } from '../keys'
import { replace, zoneNow } from '../place'
import { shellWord } from '../question'
import { Place, placeHref } from '../route'
import { Answered, CopyButton, Drawer, Empty, Failure, Json, PersonLink, Tabs, Text, useSay } from '../ui'
import { summary } from './person'

const DRAW_MS = 250
const ROW = 30
const FATES = ['accepted', 'rejected', 'repeated', 'suppressed']
const TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias']
const NAMES = ['type', 'fate', 'source', 'event', 'id', 'text'] as const

export const Live = ({ place }: { place: Place }) => {
  const params = place.params
  const filter = new URLSearchParams()
  for (const name of NAMES) if (params.get(name)) filter.set(name, params.get(name)!)
  const isPast = params.has('to')
  const key = [filter, params.get('from') ?? '', params.get('to') ?? ''].join(' ')
  const feed = useRef(new Feed())
  const [, draw] = useReducer<number, void>((n) => n + 1, 0)
  const [isPaused, setPaused] = useState(false)
  const [state, setState] = useState<'opening' | 'open' | 'broken' | 'ended'>('opening')
  const [trouble, setTrouble] = useState('')
  const [at, setAt] = useState(-1)
  const [open, setOpen] = useState<LiveRow | null>(null)
  const [scroll, setScroll] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const paused = useRef(false)
  paused.current = isPaused
  const say = useSay()
  const zone = zoneNow()
  const opened = Number(place.path[1]) || 0

  useEffect(() => {
    const mine = (feed.current = new Feed())
    let stream: EventSource | null = null
    let timer = 0
    setState('opening')
    setTrouble('')
    const connect = () => {
      if (document.hidden) return
      const asked = new URLSearchParams(filter)
      // Where this page left off, after the tab was hidden or the server restarted: nothing is lost, nothing twice.
      if (mine.lastId) asked.set('last_id', mine.lastId)
      asked.set('from', mine.lastId ? resumeFrom(mine.lastId) : (params.get('from') ?? 'now'))
      if (isPast) asked.set('to', params.get('to')!)
      stream = new EventSource('/api/v1/live?' + asked)
      stream.onopen = () => setState('open')
      stream.onmessage = (event) => mine.add(JSON.parse(event.data), event.lastEventId, performance.now())
      stream.addEventListener('gap', (event) => mine.addGap(JSON.parse(event.data), event.lastEventId))
      stream.addEventListener('claimed', (event) => {
        const n = mine.claim(JSON.parse(event.data))
        if (n > 0 && !paused.current) {
          say(`${plural(n, 'earlier event')} kept`)
          draw()
        }
      })
      stream.addEventListener('end', () => {
        stream?.close()
        setState('ended')
      })
      stream.addEventListener('trouble', (event) => {
        stream?.close()
        setTrouble(String(JSON.parse(event.data).message ?? ''))
        setState('broken')
      })
      stream.onerror = () => {
        if (stream?.readyState != EventSource.CLOSED) return setState('opening')
        // Refused, not broken off. A stream does not say why: the question does.
        setState('broken')
        call('GET', 'live?to=0&' + filter).then(
          () => setTrouble(''),
          (error) => setTrouble(error.message),
        )
        timer = window.setTimeout(connect, 3000)
      }
    }
    const follow = () => {
      if (document.hidden) {
        stream?.close()
        clearTimeout(timer)
      } else connect()
    }
    connect()
    document.addEventListener('visibilitychange', follow)
    let rest = false
    const drawing = window.setInterval(() => {
      const before = mine.rows.length ? mine.rows[0].key : ''
      const isNew = !paused.current && mine.take()
      if (isNew && list.current && list.current.scrollTop > ROW) {
        // who reads further down stays at what they read
        const added = before ? mine.rows.findIndex((row) => row.key == before) : 0
        if (added > 0) list.current.scrollTop += added * ROW
      }
      const busy = isNew || mine.rate(performance.now()) > 0 || (paused.current && mine.waiting > 0)
      if (busy || rest) draw()
      rest = busy
    }, DRAW_MS)
    return () => {
      stream?.close()
      clearTimeout(timer)
      clearInterval(drawing)
      document.removeEventListener('visibilitychange', follow)
    }
  }, [key])

  const rows = feed.current.rows
  const height = list.current?.clientHeight || 600
  const [from, to] = inView(scroll, height, ROW, rows.length)
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(params)
    value ? next.set(name, value) : next.delete(name)
    replace(placeHref(['live'], next))
  }
  const move = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at + by))
    setAt(next)
    if (list.current) {
      const top = next * ROW
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
    Enter: () => show(rows[at]),
    '/': () => document.getElementById('live-text')?.focus(),
  })
  const rate = feed.current.rate(performance.now())

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
          </select>
        </label>
        {(['source', 'event', 'id', 'text'] as const).map((name) => (
          <label>
            <span class="sr">{name}</span>
            <input
              id={'live-' + name}
              value={params.get(name) ?? ''}
              placeholder={{ source: 'source', event: 'event', id: 'any id', text: 'text in it' }[name]}
              size={name == 'text' ? 18 : 12}
              onChange={(event) => set(name, event.currentTarget.value.trim())}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        ))}
        {(filter.size > 0 || isPast) && (
          <button type="button" class="quiet" onClick={() => replace(placeHref(['live']))}>
            Clear
          </button>
        )}
      </form>
      <div class="feed" role="table" aria-label="Messages, newest first" aria-rowcount={rows.length}>
        <div class="feed-head" role="row">
          <span role="columnheader">time</span>
          <span role="columnheader">type</span>
          <span role="columnheader">event</span>
          <span role="columnheader">person</span>
          <span role="columnheader">source</span>
          <span role="columnheader">fate</span>
          <span role="columnheader">properties</span>
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
                </Empty>
              </div>
            </div>
          )}
          <div
            class="feed-space"
            role="presentation"
            ref={(one) => {
              if (one) one.style.height = rows.length * ROW + 'px'
            }}
          >
            {rows.slice(from, to).map((row, n) => (
              <FeedLine
                key={row.key}
                row={row}
                top={(from + n) * ROW}
                isAt={from + n == at}
                zone={zone}
                index={from + n}
                show={() => {
                  setAt(from + n)
                  show(row)
                }}
              />
            ))}
          </div>
        </div>
      </div>
      {feed.current.fallen > 0 && (
        <p class="over">
          The newest 1,000 are here; {count(feed.current.fallen)} older ones are in the journal:{' '}
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
  show,
  zone,
  index,
}: {
  row: FeedRow
  top: number
  isAt: boolean
  show: () => void
  zone: string
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
    <div
      class={`feed-row ${row.fate}${isAt ? ' at' : ''}`}
      role="row"
      aria-rowindex={index + 1}
      ref={place}
      onClick={show}
    >
      <time role="cell" dateTime={row.received_at}>
        {clock(row.received_at, zone, true)}
      </time>
      <span role="cell" class={'type ' + (message.type ?? '')}>
        {message.type && TYPES.includes(message.type) ? message.type : '?'}
      </span>
      <span role="cell" class="name">
        <button type="button" onClick={show}>
          <Text
            of={
              typeof row.message == 'string'
                ? row.message
                : messageName(message) || (row.count ? plural(row.count, 'message') : '–')
            }
            most={70}
          />
        </button>
      </span>
      <span role="cell" onClick={(event) => event.stopPropagation()}>
        {row.person ? <PersonLink person={row.person} compact /> : <span class="none">–</span>}
      </span>
      <span role="cell">
        <Text of={row.source ?? '–'} most={20} />
      </span>
      <span role="cell" class="fate">
        {row.fate}
        {row.reason && row.fate != 'repeated' && (
          <>
            {' '}
            · <Text of={row.reason} most={40} />
          </>
        )}
      </span>
      <span role="cell" class="dim properties">
        <Text of={summary(message)} most={120} />
      </span>
    </div>
  )
}

const ByPosition = ({ position, close }: { position: number; close: () => void }) => {
  const [row, setRow] = useState<any>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  useEffect(() => {
    setRow(null)
    setProblem(null)
    call<any>('GET', 'messages/' + position).then(setRow, setProblem)
  }, [position])
  if (row)
    return (
      <MessageDrawer
        row={{ key: String(position), position, fate: 'accepted', source: null, received_at: '', person: null, ...row }}
        close={close}
      />
    )
  return (
    <Drawer title={`Position ${position}`} close={close}>
      {problem ? <Failure error={problem} /> : <p role="status">Reading…</p>}
    </Drawer>
  )
}

type Tab = 'call' | 'raw' | 'stamped' | 'links'

const MessageDrawer = ({ row, close }: { row: LiveRow; close: () => void }) => {
  const [tab, setTab] = useState<Tab>('call')
  const message = row.message
  const raw = typeof message == 'string' ? message : JSON.stringify(message)
  return (
    <Drawer
      title={
        <>
          {typeof message == 'string' ? (
            'What came'
          ) : (
            <>
              <span class="type">{message.type}</span> <Text of={messageName(message)} most={60} />
            </>
          )}
        </>
      }
      close={close}
    >
      <dl class="facts">
        <dt>fate</dt>
        <dd class={'fate ' + row.fate}>
          {row.fate}
          {row.reason && (
            <>
              {' '}
              · <Text of={row.reason} />
            </>
          )}
          {row.field && (
            <>
              {' '}
              in{' '}
              <code>
                <Text of={row.field} />
              </code>
            </>
          )}
          {row.text && (
            <p>
              <Text of={row.text} most={400} />
            </p>
          )}
        </dd>
        <dt>person</dt>
        <dd>{row.person ? <PersonLink person={row.person} /> : 'nobody'}</dd>
        <dt>source</dt>
        <dd>
          <Text of={row.source ?? '–'} />
        </dd>
        <dt>received</dt>
        <dd>{row.received_at ? instant(row.received_at, zoneNow()) : '–'}</dd>
        <dt>position</dt>
        <dd>{row.position}</dd>
      </dl>
      <div class="row">
        <Tabs
          label="Show"
          now={tab}
          choose={setTab}
          of={[
            ['call', 'Call'],
            ['raw', 'Raw'],
            ['stamped', 'Stamped'],
            ['links', 'Links'],
          ]}
        />
        <span>
          <CopyButton
            text={() =>
              `curl ${location.origin}/v1/batch -u WRITE_KEY: -H 'Content-Type: application/json' \\\n     -d ${shellWord(`{"batch":[${raw}]}`)}`
            }
          >
            curl
          </CopyButton>
          <CopyButton text={() => location.origin + location.pathname + placeHref(['live', String(row.position)])}>
            Copy link
          </CopyButton>
        </span>
      </div>
      {tab == 'call' &&
        (typeof message == 'string' ? (
          <p class="note">It is no message: see Raw.</p>
        ) : (
          <pre class="json" tabIndex={0}>
            {callCode(message)
              .split('\n')
              .map((line, n) => (
                <>
                  {n > 0 && '\n'}
                  <Text of={line} most={4000} />
                </>
              ))}
          </pre>
        ))}
      {tab == 'raw' && <Json of={message} />}
      {(tab == 'stamped' || tab == 'links') && <More position={row.position} tab={tab} />}
    </Drawer>
  )
}

interface Told {
  stamped?: { path: string; change: string; value: unknown; was?: unknown }[]
  links?: Link[]
}

/** What Onym put into the message, and which links it made. */
const More = ({ position, tab }: { position: number; tab: 'stamped' | 'links' }) => {
  const asking = useAnswer<Told>('messages/' + position)
  return (
    <Answered asking={asking} lines={3}>
      {({ stamped, links }) =>
        tab == 'stamped' ? (
          stamped?.length ? (
            <table class="rows">
              <tbody>
                {stamped.map((one) => (
                  <tr>
                    <th scope="row">
                      <code>
                        <Text of={one.path} />
                      </code>
                    </th>
                    <td>{one.change.replace('_', ' ')}</td>
                    <td>
                      <Text of={one.value} most={200} />
                      {one.was !== undefined && (
                        <span class="dim">
                          {' '}
                          was <Text of={one.was} most={200} />
                        </span>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p class="note">Nothing: it is kept as it came.</p>
          )
        ) : links?.length ? (
          <ul class="plain">
            {links.map((link) => (
              <li>
                <Text of={link.from.id} most={80} /> and <Text of={link.to.id} most={80} />
                {link.removed && <strong> taken back</strong>}
              </li>
            ))}
          </ul>
        ) : (
          <p class="note">None: it names one id, or none.</p>
        )
      }
    </Answered>
  )
}
