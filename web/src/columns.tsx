// The columns of Live: which there are, how wide each is, and what it shows of a row.
import { ComponentChildren } from 'preact'
import { Message, messageName } from './api'
import { LiveRow, brokenWords } from './feed'
import { clock, plural } from './format'
import { PersonLink, Text } from './ui'
import { summary } from './views/person'

export interface Column {
  name: string
  title: string
  /** As CSS has it, and on a phone; '' there: not shown. */
  width: string
  narrow: string
  isUsual?: boolean
  show: (row: LiveRow, message: Message, zone: string, open: () => void) => ComponentChildren
  tone?: (row: LiveRow, message: Message) => string
}

const TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias']
const typeOf = (message: Message) => (TYPES.includes(message.type ?? '') ? message.type! : '?')
const dash = <span class="none">–</span>
const text = (of: unknown, most: number) =>
  of === null || of === undefined || of === '' ? dash : <Text of={of} most={most} />

export const COLUMNS: Column[] = [
  {
    name: 'time',
    title: 'time',
    width: '118px',
    narrow: '74px',
    isUsual: true,
    show: (row, _, zone) => <time dateTime={row.received_at}>{clock(row.received_at, zone, true)}</time>,
  },
  {
    name: 'type',
    title: 'type',
    width: '58px',
    narrow: '56px',
    isUsual: true,
    show: (_, message) => typeOf(message),
    tone: (_, message) => 'type ' + typeOf(message),
  },
  {
    name: 'event',
    title: 'event',
    width: 'minmax(120px, 1.4fr)',
    narrow: 'minmax(0, 1.4fr)',
    isUsual: true,
    tone: () => 'name',
    show: (row, message, _, open) => (
      <button type="button" onClick={open}>
        <Text
          of={
            typeof row.message == 'string'
              ? row.message
              : messageName(message) || (row.count ? plural(row.count, 'message') : '–')
          }
          most={70}
        />
      </button>
    ),
  },
  {
    name: 'person',
    title: 'person',
    width: 'minmax(100px, 1fr)',
    narrow: 'minmax(0, 1fr)',
    isUsual: true,
    show: (row) => (row.person ? <PersonLink person={row.person} compact /> : dash),
  },
  {
    name: 'source',
    title: 'source',
    width: '90px',
    narrow: '',
    isUsual: true,
    show: (row) => text(row.source, 20),
  },
  {
    name: 'library',
    title: 'library',
    width: 'minmax(90px, .8fr)',
    narrow: '',
    show: (_, message) => {
      const library = message.context?.library
      return text(library?.name && `${library.name} ${library.version ?? ''}`, 40)
    },
  },
  {
    name: 'fate',
    title: 'fate',
    width: 'minmax(150px, 1.2fr)',
    narrow: '78px',
    isUsual: true,
    tone: () => 'fate',
    show: (row) => (
      <>
        {row.plan && (
          <strong class="breaks">
            plan: <Text of={brokenWords(row.plan)} most={60} />
          </strong>
        )}
        {/* What breaks the plan and is told so was accepted, unless something else is said. */}
        {row.plan ? row.fate != 'accepted' && <> · {row.fate}</> : row.fate}
        {row.reason && row.fate != 'repeated' && (
          <>
            {' '}
            · <Text of={row.reason} most={40} />
          </>
        )}
      </>
    ),
  },
  {
    name: 'page',
    title: 'page',
    width: 'minmax(80px, 1fr)',
    narrow: '',
    show: (_, message) => text(message.context?.page?.path ?? message.properties?.path, 60),
  },
  {
    name: 'user',
    title: 'user id',
    width: 'minmax(80px, .8fr)',
    narrow: '',
    show: (_, message) => text(message.userId, 40),
  },
  {
    name: 'device',
    title: 'anonymous id',
    width: 'minmax(90px, 1fr)',
    narrow: '',
    show: (_, message) => text(message.anonymousId, 40),
  },
  {
    name: 'ip',
    title: 'address',
    width: '110px',
    narrow: '',
    show: (_, message) => text(message.context?.ip, 40),
  },
  { name: 'position', title: 'position', width: '96px', narrow: '', show: (row) => row.position },
  {
    name: 'properties',
    title: 'properties',
    width: 'minmax(0, 1.8fr)',
    narrow: '',
    isUsual: true,
    tone: () => 'dim properties',
    show: (_, message) => <Text of={summary(message)} most={120} />,
  },
]

/** `asked`: names with commas between, as the address has them. */
export const columnsOf = (asked: string | null): Column[] => {
  const names = asked?.split(',')
  const found = COLUMNS.filter((one) => (names ? names.includes(one.name) : one.isUsual))
  return found.length ? found : COLUMNS.filter((one) => one.isUsual)
}
/** Null where they are the usual ones. */
export const columnsAsked = (shown: Column[]): string | null =>
  COLUMNS.every((one) => !!one.isUsual == shown.includes(one)) ? null : shown.map((one) => one.name).join(',')
