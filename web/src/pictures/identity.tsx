// The identity picture: which ids are one person, and which messages said so. An edge is a button: it tells the message,
// and offers to take it back. Beside it the same as a list.
import { useState } from 'preact/hooks'
import { Id, Link, Person, call } from '../api'
import { useWidth } from '../charts'
import { plural } from '../format'
import { IdEdge, NODE_HEIGHT, NODE_WIDTH, alongEdge, layIdentity } from '../identity'
import { forgetAnswers, useAnswer } from '../answer'
import { plain } from '../text'
import { Confirm, Failure, Scroll, Text, When, useSay } from '../ui'

const HEADS = { external: 'external ids', user_id: 'user ids', anonymous_id: 'devices' }
const RULES: Record<string, string> = {
  message: 'a message with both ids',
  alias: 'an alias call',
  alias_of_user: 'an alias of a user',
}

export const IdentityPicture = ({
  person,
  links,
  more,
  again,
}: {
  person: Person
  links: Link[]
  more: number
  again: () => void
}) => {
  const [ref, width] = useWidth<HTMLDivElement>()
  const [open, setOpen] = useState<string | null>(null)
  const picture = layIdentity(person, links, Math.max(width - 2, 430))
  const edge = picture.edges.find((one) => one.key == open) ?? null
  const at = (one: IdEdge) =>
    one.from.column == one.to.column
      ? { x: one.from.x + NODE_WIDTH + 32, y: (one.from.y + one.to.y) / 2 }
      : alongEdge(one, picture.edges)
  const label = (one: IdEdge) =>
    `${plain(one.from.id, 40)} and ${plain(one.to.id, 40)}: ${plural(one.count, 'message')}${one.removed ? ', taken back' : ''}`
  const columns = [...new Map(picture.nodes.map((node) => [node.x, node])).values()]
  return (
    <div class="identity">
      <Scroll label="Identity: picture" hold={ref}>
        <svg
          width={picture.width + 2}
          height={picture.height + 24}
          role="group"
          aria-label={`${plural(person.user_ids.length, 'user id')} and ${plural(person.anonymous_ids.length, 'device')}; the list below says the same`}
        >
          {columns.map((node) => (
            <text class="head" x={node.x + 1} y={12}>
              {HEADS[node.column == 1 ? 'user_id' : node.column == 2 ? 'anonymous_id' : 'external']}
            </text>
          ))}
          <g transform="translate(1,20)">
            {picture.edges.map((one) => (
              <g class={`edge${one.removed ? ' removed' : ''}${open == one.key ? ' open' : ''}`}>
                <path d={one.d} stroke-width={Math.min(5, 1 + Math.log2(one.count) / 2)} />
                <path d={one.d} class="hit" onClick={() => setOpen(one.key)} />
                <g
                  role="button"
                  tabindex={0}
                  aria-label={label(one)}
                  onClick={() => setOpen(one.key)}
                  onKeyDown={(event) => {
                    if (event.key == 'Enter' || event.key == ' ') (event.preventDefault(), setOpen(one.key))
                  }}
                >
                  <rect x={at(one).x - 15} y={at(one).y - 9} width="30" height="18" rx="9" />
                  <text x={at(one).x} y={at(one).y + 4} text-anchor="middle">
                    {one.count > 999 ? '999+' : one.count}
                  </text>
                </g>
              </g>
            ))}
            {picture.nodes.map((node) => (
              <g
                class={`id ${node.type}${node.type == 'user_id' && !person.user_ids.includes(node.id) ? ' other' : ''}`}
              >
                <title>
                  {plain(node.id, 300) +
                    (node.type == 'user_id' && !person.user_ids.includes(node.id) ? ', another person' : '')}
                </title>
                <rect x={node.x} y={node.y - NODE_HEIGHT / 2} width={NODE_WIDTH} height={NODE_HEIGHT} rx="4" />
                <text x={node.x + 9} y={node.y + 4}>
                  {plain((node.column == 0 && node.type != 'folded' ? node.type + ' ' : '') + node.id, 25)}
                </text>
              </g>
            ))}
          </g>
        </svg>
      </Scroll>
      {edge && <EdgeDetails edge={edge} links={links} again={again} close={() => setOpen(null)} />}
      {(picture.hidden > 0 || more > 0) && (
        <p class="note">
          {picture.hidden > 0 && <>{plural(picture.hidden, 'id')} are folded. </>}
          {more > 0 && <>{plural(more, 'link')} more are not read.</>}
        </p>
      )}
      <details>
        <summary>The same as a list</summary>
        <ul class="plain">
          {picture.edges.map((one) => (
            <li>
              <Text of={one.from.id} most={60} /> and <Text of={one.to.id} most={60} />: {plural(one.count, 'message')},{' '}
              {RULES[one.rules[0]] ?? one.rules[0]}, first <When at={one.first} />
              {one.removed && <strong> taken back</strong>}
            </li>
          ))}
        </ul>
      </details>
    </div>
  )
}

const EdgeDetails = ({
  edge,
  links,
  again,
  close,
}: {
  edge: IdEdge
  links: Link[]
  again: () => void
  close: () => void
}) => {
  const say = useSay()
  const [problem, setProblem] = useState<any>(null)
  const keys = [edge.from.key, edge.to.key]
  const own = links
    .filter(
      (link) => keys.includes(link.from.type + ':' + link.from.id) && keys.includes(link.to.type + ':' + link.to.id),
    )
    .sort((a, b) => a.position - b.position)
  const change = async (how: 'unmerge' | 'restore') => {
    try {
      for (const position of [
        ...new Set(own.filter((link) => link.removed == (how == 'restore')).map((link) => link.position)),
      ])
        await call('POST', 'people/' + how, { position })
      say(how == 'unmerge' ? 'Taken back' : 'Counts again')
      forgetAnswers()
      again()
      close()
    } catch (error) {
      setProblem(error)
    }
  }
  const messages = new Set(own.map((link) => link.position)).size
  return (
    <div class="edge-details" role="status">
      <p>
        <strong>
          <Text of={edge.from.id} most={60} />
        </strong>{' '}
        and{' '}
        <strong>
          <Text of={edge.to.id} most={60} />
        </strong>
        : {plural(messages, 'message')} {messages == 1 ? 'says' : 'say'} so
        {edge.first != edge.last ? (
          <>
            , from <When at={edge.first} /> to <When at={edge.last} />
          </>
        ) : (
          <>
            , <When at={edge.first} />
          </>
        )}
        .
      </p>
      <ul class="plain">
        {own.slice(0, 5).map((link) => (
          <li>
            <When at={link.time} /> <span class={'type ' + link.message_type}>{link.message_type}</span> from{' '}
            <Text of={link.source ?? '?'} most={30} />, {RULES[link.rule] ?? link.rule},{' '}
            <a href={`#/live/${link.position}`}>position {link.position}</a>
            {link.removed && <strong> taken back</strong>}
          </li>
        ))}
      </ul>
      {own.length > 5 && <p class="note">and {plural(own.length - 5, 'message')} more.</p>}
      <p class="copies">
        {edge.removed ? (
          <Confirm
            ask="Count it again…"
            says={
              <>
                {messages == 1 ? 'This message joins' : `These ${plural(messages, 'message')} join`} the two again.{' '}
                <WhatMoves edge={edge} restores />
              </>
            }
            run={() => change('restore')}
          />
        ) : (
          <Confirm
            ask="Take back…"
            says={
              <>
                {messages == 1 ? 'This message no longer joins' : `These ${plural(messages, 'message')} no longer join`} the
                two. What other messages say still holds.{' '}
                <WhatMoves edge={edge} /> It can be undone.
              </>
            }
            run={() => change('unmerge')}
          />
        )}
        <button type="button" class="quiet" onClick={close}>
          Close
        </button>
      </p>
      {problem && <Failure error={problem} />}
    </div>
  )
}

interface Foresight {
  messages: number
  events: number
  moves: { id: Id; from: string | null; to: string | null; events: number }[]
  moves_left_out: number
}

/** What would become of whom, as the API works it out from all evidence but this: asked once it is about to be done. */
const WhatMoves = ({ edge, restores }: { edge: IdEdge; restores?: boolean }) => {
  const asked = new URLSearchParams({ a: `${edge.from.type}:${edge.from.id}`, b: `${edge.to.type}:${edge.to.id}` })
  if (restores) asked.set('restore', 'true')
  const { answer, error } = useAnswer<Foresight>('people/foresee?' + asked)
  if (error) return <Text of={error.message} most={200} />
  if (!answer) return <span role="status">Working out what moves…</span>
  if (answer.moves.length == 0) return <strong class="moves">Nothing moves: other evidence says the same.</strong>
  return (
    <span class="moves">
      <strong>
        {plural(answer.messages, 'message')}: {plural(answer.events, 'event')} {answer.events == 1 ? 'moves' : 'move'}.
      </strong>
      <ul class="plain">
        {answer.moves.slice(0, 8).map((move) => (
          <li>
            {KINDS[move.id.type] ?? move.id.type} <Text of={move.id.id} most={50} />
            {move.events > 0 && <>, {plural(move.events, 'event')}</>}: from{' '}
            <Text of={move.from ?? 'nobody'} most={50} /> to <Text of={move.to ?? 'nobody'} most={50} />
          </li>
        ))}
      </ul>
      {answer.moves.length > 8 && <>and {plural(answer.moves.length - 8 + answer.moves_left_out, 'more id')}.</>}
    </span>
  )
}
const KINDS: Record<string, string> = { user_id: 'user', anonymous_id: 'device' }
