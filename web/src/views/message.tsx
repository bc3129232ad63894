// A message in the drawer: what became of it, the call that would make it, what Onym put into it, which links it made,
// and what each destination said.
import { useEffect, useState } from 'preact/hooks'
import { ApiError, Link, Message, call, isAdmin, messageName } from '../api'
import { useAnswer } from '../answer'
import { CALLS, callCode } from '../call_code'
import { LiveRow, brokenLines } from '../feed'
import { instant } from '../format'
import { zoneNow } from '../place'
import { placeHref } from '../route'
import { Answered, Code, CopyButton, Drawer, Failure, Json, PersonLink, Tabs, Text, When } from '../ui'

export const ByPosition = ({ position, close }: { position: number; close: () => void }) => {
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

type Tab = 'call' | 'raw' | 'stamped' | 'links' | 'deliveries'

export const MessageDrawer = ({ row, close }: { row: LiveRow; close: () => void }) => {
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
        {row.plan && (
          <>
            <dt>tracking plan</dt>
            <dd class="broken">
              {row.plan.version && (
                <span class="dim">
                  version <Text of={row.plan.version} most={40} />
                </span>
              )}
              <ul class="plain">
                {brokenLines(row.plan).map((line) => (
                  <li>
                    <Text of={line} most={300} />
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
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
            ['deliveries', 'Deliveries'],
          ]}
        />
        <span>
          <CopyButton text={() => location.origin + location.pathname + placeHref(['live', String(row.position)])}>
            Copy link
          </CopyButton>
        </span>
      </div>
      {tab == 'call' &&
        (typeof message == 'string' ? (
          <p class="note">It is no message: see Raw.</p>
        ) : (
          <Call message={message} source={row.source} />
        ))}
      {tab == 'raw' && (
        <>
          <p class="copies">
            <CopyButton text={() => raw}>Copy JSON</CopyButton>
          </p>
          <Json of={message} />
        </>
      )}
      {tab == 'deliveries' && <Deliveries position={row.position} />}
      {(tab == 'stamped' || tab == 'links') && <More position={row.position} tab={tab} />}
    </Drawer>
  )
}

/** The call as somebody would write it, in the language that they write. */
const Call = ({ message, source }: { message: Message; source: string | null }) => {
  const [language, choose] = useState(CALLS[0][0])
  const sources = useAnswer<{ sources: { name: string; write_key: string }[] }>(isAdmin() ? 'sources' : null)
  const key = sources.answer?.sources.find((one) => one.name == source)?.write_key ?? 'WRITE_KEY'
  const code = callCode(message, language, location.origin, key)
  return (
    <>
      <div class="row">
        <Tabs label="Language" now={language} choose={choose} of={CALLS} />
        <CopyButton text={() => code}>Copy</CopyButton>
      </div>
      <Code of={code} />
    </>
  )
}

interface Delivery {
  destination: string
  type: string
  state: string
  text: string
  time?: string | null
  last_error?: string | null
  letter?: unknown
}
const TONES: Record<string, string> = { delivered: 'open', waiting: 'opening', dead: 'broken' }

const Deliveries = ({ position }: { position: number }) => {
  const asking = useAnswer<{ deliveries: Delivery[] }>(`messages/${position}/deliveries`, undefined, 5000)
  return (
    <Answered asking={asking} lines={3}>
      {({ deliveries }) =>
        deliveries.length == 0 ? (
          <p class="note">There is no destination to deliver to.</p>
        ) : (
          <ul class="plain">
            {deliveries.map((one) => (
              <li class="delivery">
                <p>
                  <i class={'dot ' + (TONES[one.state] ?? '')} />{' '}
                  <a href={placeHref(['destinations', one.destination])}>
                    <Text of={one.destination} most={60} />
                  </a>{' '}
                  <strong class={one.state == 'dead' ? 'bad' : ''}>{one.state}</strong>{' '}
                  {one.time && <When at={one.time} />}
                </p>
                <p class="note">
                  <Text of={one.text} most={300} />
                </p>
                {one.last_error && (
                  <p class="note">
                    Its last error: <Text of={one.last_error} most={300} />
                  </p>
                )}
                {one.letter != null && (
                  <details open={one.state == 'dead'}>
                    <summary>Request and answer</summary>
                    <Json of={one.letter} />
                  </details>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Answered>
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
