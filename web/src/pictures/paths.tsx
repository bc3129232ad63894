// Paths as a river: the wider, the more people. A click on any of it gives the people; from an event one can ask on.
import { useState } from 'preact/hooks'
import { Paths, isAnalyst } from '../api'
import type { PathStep } from '../behind'
import { useWidth } from '../charts'
import { count, duration, share } from '../format'
import { go } from '../place'
import { toParams } from '../question'
import { placeHref } from '../route'
import { layPaths } from '../sankey'
import { plain } from '../text'
import { AskedOver, Empty, Scroll, Text } from '../ui'
import { zoneNow } from '../place'
import type { About } from '../views/questions'

export const PathsPicture = ({ answer, about }: { answer: Paths; about: About }) => {
  const [ref, width] = useWidth<HTMLDivElement>()
  const [at, setAt] = useState<string | null>(null)
  if (!answer.people)
    return (
      <>
        <Empty title="Nobody did that in this time." />
        <AskedOver answer={answer} />
      </>
    )
  const columns = answer.depths.length + 1
  const wide = Math.max(width, columns * 150)
  const most = Math.max(...answer.depths.map((depth) => depth.events.length + 2))
  const picture = layPaths(answer, wide, Math.max(220, Math.min(620, most * 46)))
  const isBefore = answer.direction == 'before'
  const ask = (event: string) =>
    go(placeHref(['questions', 'paths'], toParams({ ...about.q, events: [{ event }] }, zoneNow())))
  /** Readers are not told who; they ask on. */
  const behind = (title: string, at: PathStep, expected: number) =>
    about.show({ title, expected, from: { kind: 'path', body: about.body, at } })
  const name = (of: string | null) => (of === null ? 'other events' : plain(of, 40))
  const people = (n: number, title: string, at: PathStep) =>
    isAnalyst() ? (
      <button type="button" class="cell" onClick={() => behind(title, at, n)}>
        {count(n)}
      </button>
    ) : (
      count(n)
    )
  const place = (column: number) => (column == 0 ? 'start' : isBefore ? `${column} before` : `${column} after`)
  return (
    <figure>
      <p class="headline">
        <b>{people(answer.people, plain(answer.event, 40), { step: 0 })}</b> people, from {isBefore ? 'the last' : 'the first'}{' '}
        <Text of={answer.event} most={60} /> {isBefore ? 'back' : 'on'}
      </p>
      <Scroll label="Paths: picture" hold={ref}>
        <svg
          class="sankey"
          width={wide}
          height={picture.height}
          role="img"
          aria-label="Paths; the table below has the numbers"
        >
          {picture.links.map((link) => (
            <path
              d={link.d}
              class={`flow ${link.from.kind == 'ended' || link.to.kind == 'ended' ? 'ended' : ''} ${at && (link.from.key == at || link.to.key == at) ? 'near' : ''}`}
              stroke-width={Math.max(1, link.width)}
              onClick={() =>
                isAnalyst() && behind(`${plain(link.from.name, 40)} → ${plain(link.to.name, 40)}`, link.at, link.people)
              }
            >
              <title>{`${plain(link.from.name, 40)} → ${plain(link.to.name, 40)}: ${count(link.people)}`}</title>
            </path>
          ))}
          {picture.nodes.map((node) => {
            const isLeft = isBefore ? node.column != 0 : node.column < answer.depths.length
            const room = Math.max(14, Math.floor((wide / columns - 26) / 6.6))
            const tall = node.y1 - node.y0
            return (
              <g
                class={`node ${node.kind}`}
                onPointerEnter={() => setAt(node.key)}
                onPointerLeave={() => setAt(null)}
                onClick={() =>
                  isAnalyst()
                    ? behind(`${plain(node.name, 40)}, ${place(node.column)}`, node.at, node.people)
                    : node.kind == 'event' && node.column > 0 && ask(node.name)
                }
              >
                <rect x={node.x0} y={node.y0} width={node.x1 - node.x0} height={Math.max(2, tall)} rx="2" />
                <text
                  x={isLeft ? node.x1 + 5 : node.x0 - 5}
                  y={node.y0 + Math.min(tall / 2, 40) + 4}
                  text-anchor={isLeft ? 'start' : 'end'}
                >
                  {plain(node.name, room)}
                  <tspan class="people" dx="5">
                    {count(node.people)}
                  </tspan>
                </text>
                <title>{`${plain(node.name, 200)}: ${count(node.people)} people`}</title>
              </g>
            )
          })}
        </svg>
      </Scroll>
      <Scroll label="Paths: table">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">step</th>
              <th scope="col">event</th>
              <th scope="col" class="n">
                people
              </th>
              <th scope="col" class="n">
                share
              </th>
            </tr>
          </thead>
          <tbody>
            {answer.depths.flatMap((depth) => [
              ...depth.events.map((one) => (
                <tr>
                  <th scope="row">{place(depth.depth)}</th>
                  <td>
                    <button type="button" class="cell" onClick={() => ask(one.event)} title="Ask on from there">
                      <Text of={one.event} most={80} />
                    </button>
                  </td>
                  <td class="n">
                    {people(one.people, `${plain(one.event, 40)}, ${place(depth.depth)}`, {
                      step: depth.depth,
                      went_to: one.event,
                    })}
                  </td>
                  <td class="n">{share(one.share)}</td>
                </tr>
              )),
              ...(depth.others.people
                ? [
                    <tr class="dim">
                      <th scope="row">{place(depth.depth)}</th>
                      <td>{count(depth.others.events)} other events</td>
                      <td class="n">
                        {people(depth.others.people, `Other events, ${place(depth.depth)}`, {
                          step: depth.depth,
                          went_to: null,
                        })}
                      </td>
                      <td class="n">{share(depth.others.people / answer.people)}</td>
                    </tr>,
                  ]
                : []),
              ...(depth.ended
                ? [
                    <tr class="dim">
                      <th scope="row">{place(depth.depth)}</th>
                      <td>{isBefore ? 'nothing before' : 'nothing more'}</td>
                      <td class="n">
                        {people(
                          depth.ended,
                          `${isBefore ? 'Nothing before' : 'Nothing more'}, ${place(depth.depth)}`,
                          { step: depth.depth, ended: true },
                        )}
                      </td>
                      <td class="n">{share(depth.ended / answer.people)}</td>
                    </tr>,
                  ]
                : []),
            ])}
          </tbody>
        </table>
      </Scroll>
      <details>
        <summary>From each event to the next</summary>
        <Scroll label="Paths: from each event to the next">
          <table class="numbers links">
            <thead>
              <tr>
                <th scope="col">step</th>
                <th scope="col">from</th>
                <th scope="col">to</th>
                <th scope="col" class="n">
                  people
                </th>
              </tr>
            </thead>
            <tbody>
              {answer.links.map((link) => (
                <tr>
                  <th scope="row">{place(link.depth)}</th>
                  <td>
                    <Text of={link.from ?? 'other events'} most={80} />
                  </td>
                  <td>
                    <Text of={link.to ?? 'other events'} most={80} />
                  </td>
                  <td class="n">
                    {people(link.people, `${name(link.from)} → ${name(link.to)}`, {
                      step: link.depth,
                      came_from: link.from,
                      went_to: link.to,
                    })}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
      <AskedOver
        answer={answer}
        more={<>within {duration(answer.within_ms)}; the eight most frequent of each step</>}
      />
    </figure>
  )
}

export const pathsRows = (answer: Paths): unknown[][] => [
  ['depth', 'event', 'people', 'share'],
  ...answer.depths.flatMap((depth) => depth.events.map((one) => [depth.depth, one.event, one.people, one.share])),
]
