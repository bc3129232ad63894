// A person: who it is, how Onym knows, and what they did, from before anybody knew.
import { useEffect, useState } from 'preact/hooks'
import { Cursor, Id, Link, Message, Person as PersonAnswer, call, isAdmin, messageName, personName } from '../api'
import { forgetAnswers, useAnswer } from '../answer'
import { clock, count, duration, instant, plural } from '../format'
import { lanesOf } from '../lanes'
import { IdentityPicture } from '../pictures/identity'
import { Lanes } from '../pictures/lanes'
import { go, zoneNow } from '../place'
import { Place, placeHref } from '../route'
import { keptOf, visits } from '../timeline'
import { Answered, Confirm, CopyButton, Drawer, Empty, Failure, Json, Scroll, Text, When, useSay } from '../ui'
import { WhyTwo } from './why'

interface History {
  history: { trait: string; value: unknown; time: string; set_by: Id; source: string | null }[]
}
interface Groups {
  groups: { group_id: string; traits: Record<string, unknown>; time: string }[]
}

export const Person = ({ place }: { place: Place }) => {
  const id = place.path[1]
  const path = 'people/' + encodeURIComponent(id)
  const asking = useAnswer<PersonAnswer>(path)
  const links = useAnswer<{ links: Link[]; more?: number }>(path + '/links')
  return (
    <section class="view person-page">
      <p class="crumb">
        <a href={placeHref(['people'])}>People</a>
      </p>
      {asking.error?.status == 404 ? (
        <Empty title="Nobody has this id.">
          <Text of={id} /> was never seen, or is erased.
        </Empty>
      ) : (
        <Answered asking={asking}>
          {(person) => (
            <Known
              person={person}
              path={path}
              links={links.answer?.links ?? []}
              moreLinks={links.answer?.more ?? 0}
              again={() => {
                asking.again()
                links.again()
              }}
            />
          )}
        </Answered>
      )}
    </section>
  )
}

const Known = ({
  person,
  path,
  links,
  moreLinks,
  again,
}: {
  person: PersonAnswer
  path: string
  links: Link[]
  moreLinks: number
  again: () => void
}) => {
  const history = useAnswer<History>(path + '/traits/history?limit=500')
  const groups = useAnswer<Groups>(path + '/groups')
  const setBy = new Map<string, History['history'][0]>()
  for (const one of history.answer?.history ?? []) if (!setBy.has(one.trait)) setBy.set(one.trait, one)
  const traits = Object.entries(person.traits)
  return (
    <>
      <header class="top who">
        <div>
          <h1>
            <Text of={person.user_ids.length ? personName(person) : 'Anonymous visitor'} most={80} />
          </h1>
          <p class="ids">
            {person.user_ids.map((one) => (
              <span class="tag">
                user <Text of={one} most={60} />
              </span>
            ))}
            {person.user_ids.length == 0 && <span class="tag">not signed up</span>}
            <span>{plural(person.events, 'event')}</span>{' '}
            <span>
              first seen <When at={person.first_seen} />
            </span>{' '}
            <span>
              last seen <When at={person.last_seen} relative />
            </span>
          </p>
        </div>
        <Actions person={person} path={path} shared={lanesOf(person, links, '').length} />
      </header>
      <div class="halves">
        <section>
          <h2>How Onym knows</h2>
          {links.length == 0 ? (
            <p class="note">
              {person.user_ids.length + person.anonymous_ids.length > 1
                ? 'Reading the links…'
                : person.user_ids.length
                  ? 'One user id, and no device was ever linked to it: calls from a server alone.'
                  : 'One device. Nobody has signed up or logged in on it yet.'}
            </p>
          ) : (
            <>
              <IdentityPicture person={person} links={links} more={moreLinks} again={again} />
              <Lanes person={person} links={links} />
            </>
          )}
          <WhyTwo person={person} />
        </section>
        <section>
          <h2>Traits</h2>
          {traits.length == 0 ? (
            <p class="note">
              None: an <code>identify</code> sets them.
            </p>
          ) : (
            <Scroll label="Traits">
              <table class="rows traits">
                <tbody>
                  {traits.map(([name, value]) => {
                    const by = setBy.get(name)
                    return (
                      <tr>
                        <th scope="row">
                          <Text of={name} most={60} />
                        </th>
                        <td>
                          <Text of={value} most={200} />
                        </td>
                        <td class="dim">
                          {by && (
                            <>
                              <When at={by.time} relative /> by <Text of={by.set_by.id} most={24} />
                            </>
                          )}
                        </td>
                      </tr>
                    )
                  })}
                </tbody>
              </table>
            </Scroll>
          )}
          {(groups.answer?.groups.length ?? 0) > 0 && (
            <>
              <h2>Groups</h2>
              <ul class="plain">
                {groups.answer!.groups.map((one) => (
                  <li>
                    <Text of={one.traits.name ?? one.group_id} most={60} />{' '}
                    <span class="dim">
                      <Text of={one.group_id} most={40} /> since <When at={one.time} />
                    </span>
                  </li>
                ))}
              </ul>
            </>
          )}
        </section>
      </div>
      <Timeline person={person} path={path} links={links} />
    </>
  )
}

const Actions = ({ person, path, shared }: { person: PersonAnswer; path: string; shared: number }) => {
  const say = useSay()
  const [problem, setProblem] = useState<any>(null)
  const ids = [
    ...person.user_ids.map((id) => ({ type: 'user_id', id })),
    ...person.anonymous_ids.map((id) => ({ type: 'anonymous_id', id })),
  ]
  return (
    <div class="actions">
      <CopyButton text={() => location.href}>Copy link</CopyButton>
      <CopyButton text={() => person.person_id}>Copy id</CopyButton>
      <a class="button quiet" href={'/api/v1/' + path + '/export'} download={'person.ndjson'}>
        Export
      </a>
      {isAdmin() && (
        <Confirm
          ask="Suppress…"
          says={
            <>
              From now on every message with one of these {plural(ids.length, 'id')} is dropped, and delivered to nobody
              {shared > 0 && `; ${plural(shared, 'device')} of them ${shared == 1 ? 'is' : 'are'} shared with others`}.
              What was kept before stays. Settings ends it.
            </>
          }
          run={async () => {
            try {
              await call('POST', 'suppressions', {
                user_ids: person.user_ids,
                anonymous_ids: person.anonymous_ids,
              })
              say(`${plural(ids.length, 'id')} suppressed`)
              forgetAnswers()
            } catch (error) {
              setProblem(error)
            }
          }}
        />
      )}
      <Confirm
        ask="Erase…"
        says={
          <>
            All {plural(person.events, 'event')} and {plural(ids.length, 'id')} go from the disk, for good.
          </>
        }
        run={async () => {
          try {
            await call('DELETE', path)
            say('The erasure is under way')
            go(placeHref(['people']))
          } catch (error) {
            setProblem(error)
          }
        }}
      />
      {problem && <Failure error={problem} />}
    </div>
  )
}

const Timeline = ({ person, path, links }: { person: PersonAnswer; path: string; links: Link[] }) => {
  const zone = zoneNow()
  const [events, setEvents] = useState<Message[]>([])
  const [cursor, setCursor] = useState<Cursor | null>(null)
  const [problem, setProblem] = useState<any>(null)
  const [open, setOpen] = useState<Message | null>(null)
  const [isBusy, setBusy] = useState(true)
  const load = async (from: string | null) => {
    setBusy(true)
    try {
      const page = await call<{ events: Message[]; cursor: Cursor }>(
        'GET',
        `${path}/events?limit=200${from ? '&cursor=' + encodeURIComponent(from) : ''}`,
      )
      setEvents((old) => (from ? [...old, ...page.events] : page.events))
      setCursor(page.cursor)
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  useEffect(() => void load(null), [path])
  const claims = new Map<string, string>()
  for (const link of links) {
    const device = [link.from, link.to].find((one) => one.type == 'anonymous_id')
    const user = [link.from, link.to].find((one) => one.type == 'user_id')
    if (!device || !user || link.removed) continue
    const old = claims.get(device.id)
    if (!old || link.time < old) claims.set(device.id, link.time)
  }
  const all = visits(events, claims)
  const kept = keptOf(all)
  return (
    <section class="timeline" aria-busy={isBusy}>
      <div class="row">
        <h2>What they did</h2>
        {kept > 0 && (
          <span class="note">
            <i class="shaded" /> {plural(kept, 'event')} from before the sign-up or log-in, kept
            {cursor?.has_more ? ' (so far read)' : ''}
          </span>
        )}
      </div>
      {problem && <Failure error={problem} again={() => load(null)} />}
      {all.map((visit) => (
        <section class="visit">
          <h3>
            {instant(visit.start, zone).slice(0, 10)}{' '}
            <small>
              {clock(visit.start, zone)}
              {visit.end != visit.start && <> · {duration(Date.parse(visit.end) - Date.parse(visit.start))}</>} ·{' '}
              {plural(visit.moments.length, 'event')}
            </small>
          </h3>
          <ol>
            {visit.moments.map((moment) => (
              <li class={moment.isAnonymous ? 'moment anonymous' : moment.isClaim ? 'moment claim' : 'moment'}>
                <button type="button" onClick={() => setOpen(moment.message)}>
                  <time dateTime={moment.time}>{clock(moment.time, zone)}</time>
                  <span class={'type ' + moment.message.type}>{moment.message.type}</span>
                  <span class="name">
                    <Text of={messageName(moment.message)} most={80} />
                  </span>
                  <span class="dim properties">
                    <Text of={summary(moment.message)} most={120} />
                  </span>
                  {moment.isClaim && <span class="tag accent">known from here</span>}
                </button>
              </li>
            ))}
          </ol>
        </section>
      ))}
      {events.length == 0 &&
        !problem &&
        (isBusy ? <p class="note">Reading…</p> : <Empty title="No events.">This person is known by ids alone.</Empty>)}
      {cursor?.has_more && (
        <button type="button" disabled={isBusy} onClick={() => load(cursor.next)}>
          Earlier ({count(Math.max(0, person.events - events.length))} more)
        </button>
      )}
      <p class="over">
        Times are in {zone}; a pause of 30 minutes begins another visit. Shaded: nobody knew yet who it was.
      </p>
      {open && (
        <Drawer
          title={
            <>
              <span class="type">{open.type}</span> <Text of={messageName(open)} most={60} />
            </>
          }
          close={() => setOpen(null)}
        >
          <p class="copies">
            <CopyButton text={() => JSON.stringify(open, null, 2)}>Copy JSON</CopyButton>
          </p>
          <Json of={open} />
        </Drawer>
      )}
    </section>
  )
}

/** The first properties or traits, in a line. */
export const summary = (message: Message): string => {
  const of = message.type == 'identify' || message.type == 'group' ? message.traits : message.properties
  const shown = Object.entries(of ?? {})
    .filter(([name]) => message.type != 'page' || !/^(path|url|search|referrer)$/.test(name))
    .slice(0, 3)
  return shown.map(([name, value]) => `${name}=${typeof value == 'string' ? value : JSON.stringify(value)}`).join('  ')
}
