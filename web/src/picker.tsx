// A field that offers what there is: events by how often, fields, values. What is typed and not offered can be chosen,
// too. By keyboard: arrows, Enter, Esc; the list is told to screen readers as a combobox.
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { brief } from './format'
import { Text } from './ui'
import { plain } from './text'

export interface Choice {
  value: string
  label?: string
  count?: number
  group?: string
}

interface Props {
  value: string
  label: string
  placeholder: string
  load: () => Promise<Choice[]>
  choose: (value: string, choice?: Choice) => void
  remove?: () => void
  wide?: boolean
}

const SHOWN = 100

export const Picker = ({ value, label, placeholder, load, choose, remove, wide }: Props) => {
  const [isOpen, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const [choices, setChoices] = useState<Choice[] | null>(null)
  const [at, setAt] = useState(0)
  const id = useId()
  const list = useRef<HTMLUListElement>(null)

  const open = () => {
    if (isOpen) return
    setOpen(true)
    setTyped('')
    setAt(0)
    load().then(setChoices, () => setChoices([]))
  }
  const wanted = typed.toLowerCase()
  const fitting = (choices ?? []).filter((one) => (one.label ?? one.value).toLowerCase().includes(wanted))
  const isExact = fitting.some((one) => one.value == typed)
  const shown: Choice[] = [
    ...fitting.slice(0, SHOWN),
    ...(typed && !isExact ? [{ value: typed, label: `“${plain(typed, 40)}”`, group: 'as typed' }] : []),
  ]
  const take = (one: Choice | undefined) => {
    if (!one) return
    setOpen(false)
    choose(one.value, one.group == 'as typed' ? undefined : one)
  }
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' })
  }, [at])

  return (
    <span class={wide ? 'picker wide' : 'picker'}>
      <input
        role="combobox"
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={id}
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
        aria-activedescendant={isOpen && shown[at] ? `${id}-${at}` : undefined}
        value={isOpen ? typed : plain(value, 80)}
        placeholder={isOpen && value ? plain(value, 60) : placeholder}
        title={plain(value, 200)}
        onFocus={open}
        onClick={open}
        onBlur={() => setOpen(false)}
        onInput={(event) => {
          setTyped(event.currentTarget.value)
          setAt(0)
          setOpen(true)
        }}
        onKeyDown={(event) => {
          if (event.key == 'ArrowDown') (open(), setAt(Math.min(at + 1, shown.length - 1)))
          else if (event.key == 'ArrowUp') setAt(Math.max(at - 1, 0))
          else if (event.key == 'Enter' && isOpen) take(shown[at])
          else if (event.key == 'Escape' && isOpen) setOpen(false)
          else return
          event.preventDefault()
        }}
      />
      {remove && (
        <button type="button" class="quiet x" aria-label={'Remove ' + (plain(value, 40) || label)} onClick={remove}>
          ✕
        </button>
      )}
      <ul role="listbox" id={id} ref={list} aria-label={label} hidden={!isOpen}>
        {isOpen &&
          shown.map((one, n) => (
            <li
              role="option"
              id={`${id}-${n}`}
              aria-selected={n == at}
              onMouseDown={(event) => {
                event.preventDefault()
                take(one)
              }}
              onMouseMove={() => setAt(n)}
            >
              <span>
                <Text of={one.label ?? one.value} most={70} />
              </span>
              {one.group && <small>{one.group}</small>}
              {one.count !== undefined && <b>{brief(one.count)}</b>}
            </li>
          ))}
        {isOpen && choices === null && (
          <li class="note" role="presentation">
            loading…
          </li>
        )}
        {isOpen && choices !== null && shown.length == 0 && (
          <li class="note" role="presentation">
            nothing yet: type a name
          </li>
        )}
      </ul>
    </span>
  )
}
