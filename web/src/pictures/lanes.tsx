// Shared devices: whose time each was. The list below the picture says the same.
import type { Link, Person } from '../api'
import { useWidth } from '../charts'
import { plural } from '../format'
import { Lane, lanesOf } from '../lanes'
import { zoneNow } from '../place'
import { placeHref } from '../route'
import { bucketName } from '../format'
import { plain } from '../text'
import { Text, When } from '../ui'

const MOST = 12
const TALL = 20
const EACH = 46

export const Lanes = ({ person, links }: { person: Person; links: Link[] }) => {
  const [ref, width] = useWidth<HTMLDivElement>()
  const until = new Date().toISOString()
  const all = lanesOf(person, links, until)
  if (!all.length) return null
  const lanes = all.slice(0, MOST)
  const begin = Math.min(...lanes.map((lane) => Date.parse(lane.stretches[0].start)))
  const end = Date.parse(until)
  const x = (text: string) => ((Date.parse(text) - begin) / Math.max(1, end - begin)) * (width - 2) + 1
  // This person is the first colour, everybody else one of the others, the same in all lanes.
  const others = [
    ...new Set(lanes.flatMap((lane) => lane.stretches.filter((one) => !one.isOwn).map((one) => one.user))),
  ]
  const tint = (one: Lane['stretches'][0]) => (one.isOwn ? 's0' : 's' + (1 + (others.indexOf(one.user) % 6)))
  const zone = zoneNow()
  const marks = [begin, (begin + end) / 2, end]
  return (
    <section class="lanes">
      <h3>Whose time it was</h3>
      <p class="note">
        {all.length == 1
          ? 'A device that several people used'
          : `${plural(all.length, 'device')} that several people used`}
        : what was done there without a user id is of whoever signed in last before it. That makes nobody one person.
      </p>
      <div ref={ref}>
        <svg
          width={width}
          height={lanes.length * EACH + 16}
          role="img"
          aria-label="Whose time each shared device was; the list below says the same"
        >
          {lanes.map((lane, n) => (
            <g>
              <text x={1} y={n * EACH + 12}>
                {plain(lane.device, 60)}
              </text>
              {lane.stretches.map((one) => {
                const left = x(one.start)
                const wide = Math.max(2, x(one.end) - left)
                return (
                  <g>
                    <title>{plain(one.user, 80)}</title>
                    <rect x={left} y={n * EACH + 18} width={wide} height={TALL} class={tint(one)} />
                    {wide > 46 && (
                      <text x={left + 6} y={n * EACH + 32} class="owner">
                        {plain(one.user, Math.floor((wide - 8) / 7))}
                      </text>
                    )}
                  </g>
                )
              })}
            </g>
          ))}
          <g class="axes" aria-hidden="true">
            {marks.map((at, n) => (
              <text
                x={[1, width / 2, width - 1][n]}
                y={lanes.length * EACH + 10}
                text-anchor={['start', 'middle', 'end'][n]}
              >
                {n == 2 ? 'now' : bucketName(new Date(at).toISOString(), 'day', zone)}
              </text>
            ))}
          </g>
        </svg>
      </div>
      <ul class="plain">
        {lanes.map((lane) => (
          <li>
            <code>
              <Text of={lane.device} most={40} />
            </code>
            :{' '}
            {lane.stretches.slice(-6).map((one, at, shown) => (
              <>
                {at > 0 && ', then '}
                {at == 0 && lane.stretches.length > shown.length && '… then '}
                <i class={'swatch ' + tint(one)} />
                {one.isOwn ? (
                  <Text of={one.user} most={40} />
                ) : (
                  <a href={placeHref(['people'], { search: one.user })}>
                    <Text of={one.user} most={40} />
                  </a>
                )}{' '}
                from <When at={one.start} />
              </>
            ))}
          </li>
        ))}
      </ul>
      {all.length > MOST && <p class="note">{plural(all.length - MOST, 'device')} more are shared.</p>}
    </section>
  )
}
