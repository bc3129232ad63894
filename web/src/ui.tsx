// Small parts that every view is made of.
import { ComponentChildren, Ref, createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, Common, Person, isAnalyst, personName } from './api'
import type { Asking } from './answer'
import { ago, change, count, duration, instant, points, share } from './format'
import { useKeys } from './keys'
import { zoneNow } from './place'
import { personHref } from './route'
import { pieces, plain, valueText } from './text'

/** Hostile text, shown: what cannot be seen is told by name. */
export const Text = ({ of, most = 200 }: { of: unknown; most?: number }) => {
  const split = pieces(valueText(of), most)
  return (
    <bdi>
      {split.pieces.map((piece) =>
        piece.mark ? (
          <span class="unseen" title="a character that cannot be seen">
            {piece.mark}
          </span>
        ) : (
          piece.text
        ),
      )}
      {split.cut > 0 && <span class="cut">… {count(split.cut)} more</span>}
    </bdi>
  )
}

const said = createContext<(text: string) => void>(() => {})
export const Sayer = said.Provider
/** Says something for a moment, to everybody: also to those who do not see it. */
export const useSay = () => useContext(said)

export const CopyButton = ({
  text,
  children,
  title,
}: {
  text: () => string
  children: ComponentChildren
  title?: string
}) => {
  const say = useSay()
  return (
    <button
      type="button"
      class="quiet"
      title={title}
      onClick={async () => say((await copy(text())) ? 'Copied' : 'This browser does not let a page copy')}
    >
      {children}
    </button>
  )
}
export const copy = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // over plain HTTP from another machine there is no clipboard: the old way
    const area = document.createElement('textarea')
    area.value = text
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

export const saveFile = (name: string, text: string, type = 'text/csv') => {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

export const Failure = ({ error, again }: { error: ApiError; again?: () => void }) => (
  <div class="failure" role="alert">
    <strong>
      {error.status == 413
        ? 'Too large to answer'
        : error.status == 429
          ? 'Too much at once'
          : error.status == 403
            ? 'Not allowed'
            : 'That did not work'}
    </strong>
    <p>
      <Text of={error.message} />
      {error.field && (
        <>
          {' '}
          (
          <code>
            <Text of={error.field} />
          </code>
          )
        </>
      )}
    </p>
    {again && (
      <button type="button" onClick={again}>
        Try again
      </button>
    )}
  </div>
)

/** A field whose text counts once it is left, or Enter is pressed; until then nothing that is drawn anew takes it away. */
export const Field = ({
  name,
  value,
  placeholder,
  set,
  id,
  size = 12,
}: {
  name: string
  value: string
  placeholder: string
  set: (value: string) => void
  id?: string
  size?: number
}) => {
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  return (
    <label>
      <span class="sr">{name}</span>
      <input
        id={id}
        value={typed}
        placeholder={placeholder}
        size={size}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => set(event.currentTarget.value.trim())}
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  )
}

export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <strong>{title}</strong>
    {children && <div>{children}</div>}
  </div>
)

/** Where an answer stands: nothing yet, how far it is, what went wrong, or what is made of it. */
export const Answered = <T,>({
  asking,
  children,
  lines = 5,
}: {
  asking: Asking<T>
  children: (answer: T) => ComponentChildren
  lines?: number
}) => (
  <div class={asking.isAsking && asking.answer ? 'answered stale' : 'answered'} aria-busy={asking.isAsking}>
    {asking.progress && (
      <div class="progress" role="status">
        <progress max={1} value={asking.progress.share ?? undefined} aria-label="How far it is" />
        <span>
          {asking.progress.isWaiting
            ? 'waits for its turn'
            : asking.progress.share === null
              ? 'counting'
              : share(asking.progress.share)}{' '}
          · {duration(asking.progress.ms)}
        </span>
        <button type="button" class="quiet" onClick={asking.cancel}>
          Cancel
        </button>
      </div>
    )}
    {asking.error && <Failure error={asking.error} again={asking.again} />}
    {asking.answer !== null && children(asking.answer)}
    {asking.answer === null &&
      !asking.error &&
      (asking.isAsking ? (
        <Lines n={lines} />
      ) : (
        <button type="button" onClick={asking.again}>
          Ask again
        </button>
      ))}
  </div>
)
const Lines = ({ n }: { n: number }) => (
  <div class="lines" aria-hidden="true">
    {Array.from({ length: n }, () => (
      <i />
    ))}
  </div>
)

/** What was asked, printed under each picture. */
export const AskedOver = ({ answer, more }: { answer: Common; more?: ComponentChildren }) => {
  const zone = answer.timezone
  const day = (text: string | null, open: string) => {
    if (!text) return open
    const shown = instant(text, zone)
    return shown.endsWith('00:00:00') ? shown.slice(0, 10) : shown
  }
  return (
    <p class="over">
      {answer.from || answer.to ? (
        <>
          {day(answer.from, 'the beginning')} up to {day(answer.to, 'now')} (not included)
        </>
      ) : (
        'All time'
      )}
      {' · '}
      {zone}
      {' · '}
      {count(answer.matched)} events counted of {count(answer.rows)} read
      {more && <> · {more}</>}
      {!answer.complete && answer.behind && (
        <strong> · not everything is in it yet: {share(answer.behind.share_applied)} applied</strong>
      )}
      {(answer.warnings ?? []).map((warning) => (
        <span class="warning">
          {warning.field && (
            <code>
              <Text of={warning.field} />
            </code>
          )}{' '}
          <Text of={warning.message} />
        </span>
      ))}
    </p>
  )
}

/** What it was in the period before; `is` a number of people, or a share. */
export const Before = ({
  now,
  before,
  is = 'count',
}: {
  now: number
  before: number | undefined
  is?: 'count' | 'share'
}) =>
  before === undefined ? null : (
    <small class="before">
      before: {is == 'count' ? count(before) : share(before)}{' '}
      {is == 'count' ? change(now, before) && `(${change(now, before)})` : `(${points(now, before)})`}
    </small>
  )

export const PersonLink = ({ person, compact }: { person: Person; compact?: boolean }) => {
  const isKnown = person.user_ids.length > 0
  const name = (
    <Text of={isKnown ? personName(person) : (person.anonymous_ids[0] ?? person.person_id)} most={compact ? 28 : 60} />
  )
  // Readers are told words in place of people: there is no page behind them.
  if (!isAnalyst()) return <span class="dim">{name}</span>
  return (
    <a
      href={personHref(person.person_id)}
      class={isKnown ? 'person' : 'person anonymous'}
      title={plain(person.person_id, 80)}
    >
      {name}
    </a>
  )
}

export const When = ({ at, relative }: { at: string | null | undefined; relative?: boolean }) =>
  at ? (
    <time dateTime={at} title={instant(at, zoneNow()) + ' ' + zoneNow()}>
      {relative ? ago(at, Date.now(), zoneNow()) : instant(at, zoneNow())}
    </time>
  ) : (
    <span class="none">–</span>
  )

/** A panel at the side, over what it belongs to. Esc closes it; what had the focus gets it back. */
export const Drawer = ({
  title,
  close,
  children,
}: {
  title: ComponentChildren
  close: () => void
  children: ComponentChildren
}) => {
  const panel = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    panel.current?.focus()
    return () => before?.focus?.()
  }, [])
  useKeys({ Escape: close })
  return (
    <>
      <div class="shade" onClick={close} />
      <div
        class="drawer"
        role="dialog"
        aria-modal="true"
        aria-labelledby="drawer-title"
        tabIndex={-1}
        ref={panel}
        onKeyDown={(event) => stayInside(event, panel.current!)}
      >
        <header>
          <h2 id="drawer-title">{title}</h2>
          <button type="button" class="quiet" onClick={close} aria-label="Close">
            ✕
          </button>
        </header>
        <div class="inside">{children}</div>
      </div>
    </>
  )
}
const stayInside = (event: KeyboardEvent, panel: HTMLElement) => {
  if (event.key != 'Tab') return
  const reachable = [
    ...panel.querySelectorAll<HTMLElement>(
      'a[href],button:not([disabled]),input,select,textarea,summary,[tabindex="0"]',
    ),
  ].filter((one) => one.offsetParent !== null)
  const at = reachable.indexOf(document.activeElement as HTMLElement)
  if (!reachable.length) return event.preventDefault()
  if (event.shiftKey && at <= 0) (event.preventDefault(), reachable[reachable.length - 1].focus())
  else if (!event.shiftKey && at == reachable.length - 1) (event.preventDefault(), reachable[0].focus())
}

/** Text of strangers in lines, told as text. */
export const Code = ({ of, class: name = 'json' }: { of: string; class?: string }) => (
  <pre class={name} tabIndex={0}>
    {of.split('\n').map((line, at) => (
      <>
        {at > 0 && '\n'}
        <Text of={line} most={4000} />
      </>
    ))}
  </pre>
)
export const Json = ({ of }: { of: unknown }) => <Code of={JSON.stringify(of, null, 2)} />

export const Tabs = <T extends string>({
  of,
  now,
  choose,
  label,
}: {
  of: [T, ComponentChildren][]
  now: T
  choose: (name: T) => void
  label: string
}) => (
  <div class="tabs" role="group" aria-label={label}>
    {of.map(([name, text]) => (
      <button type="button" aria-pressed={name == now} onClick={() => choose(name)}>
        {text}
      </button>
    ))}
  </div>
)

/** What may be wider than the page, and then scrolls by itself: by keyboard, too, which needs a name. `hold`: its element. */
export const Scroll = ({
  label,
  hold,
  children,
}: {
  label: string
  hold?: Ref<HTMLDivElement>
  children: ComponentChildren
}) => (
  <div ref={hold} class="scroll" tabIndex={0} role="region" aria-label={label}>
    {children}
  </div>
)

/** A step that cannot be taken back: says what happens, and wants a second click. */
export const Confirm = ({
  ask,
  says,
  run,
}: {
  ask: ComponentChildren
  says: ComponentChildren
  run: () => void | Promise<void>
}) => {
  const [isOpen, setOpen] = useState(false)
  if (!isOpen)
    return (
      <button type="button" class="quiet" onClick={() => setOpen(true)}>
        {ask}
      </button>
    )
  return (
    <span class="confirm" role="group">
      {says}{' '}
      <button
        type="button"
        onClick={() => {
          setOpen(false)
          void run()
        }}
      >
        Yes, do it
      </button>{' '}
      <button type="button" class="quiet" onClick={() => setOpen(false)}>
        No
      </button>
    </span>
  )
}
