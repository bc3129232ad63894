// Pictures over time, drawn as SVG: stacked bars, and lines. Beside each stands a table with the same numbers, whose
// cells are buttons: the keyboard and screen readers have those, the mouse has both. The picture takes its width from
// where it stands, so that text keeps its size.
import { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { brief, bucketName, bucketTitle, count } from './format'
import { labelled, ticks, ticksBetween } from './scale'
import { Scroll, Text } from './ui'
import { plain } from './text'

export interface Series {
  name: string
  values: (number | null)[]
  total?: number | null
  isDashed?: boolean
}
export interface Over {
  buckets: string[]
  unit: string
  zone: string
  series: Series[]
  /** The last bucket is not over yet: what is in it will grow. */
  isOpen: boolean
  what: string
  pick?: (bucket: number, series: number) => void
  height?: number
  format?: (n: number | null) => string
}

export const useWidth = <T extends Element>(): [{ current: T | null }, number] => {
  const ref = useRef<T>(null)
  const [width, setWidth] = useState(640)
  useLayoutEffect(() => {
    if (!ref.current) return
    const take = (wide: number) => setWidth(Math.max(240, Math.round(wide)))
    take(ref.current.clientWidth)
    const watcher = new ResizeObserver(([entry]) => take(entry.contentRect.width))
    watcher.observe(ref.current)
    return () => watcher.disconnect()
  }, [])
  return [ref, width]
}

const LEFT = 44,
  RIGHT = 10,
  TOP = 8,
  BOTTOM = 22

const usePlane = (over: Over, values: number[], isWhole: boolean) => {
  const [ref, width] = useWidth<HTMLDivElement>()
  const height = over.height ?? 200
  const marks = ticksBetween(Math.min(0, ...values), Math.max(0, ...values), isWhole)
  const low = marks[0],
    high = marks[marks.length - 1] || 1
  const inner = width - LEFT - RIGHT
  const each = inner / Math.max(1, over.buckets.length)
  const y = (n: number) => TOP + (height - TOP - BOTTOM) * (1 - (n - low) / (high - low || 1))
  return { ref, width, height, marks, each, y, x: (at: number) => LEFT + each * at, zero: y(0) }
}
type Plane = ReturnType<typeof usePlane>

const Axes = ({ plane, over }: { plane: Plane; over: Over }) => (
  <g class="axes" aria-hidden="true">
    {plane.marks.map((n) => (
      <>
        <line
          x1={LEFT}
          x2={plane.width - RIGHT}
          y1={Math.round(plane.y(n)) + 0.5}
          y2={Math.round(plane.y(n)) + 0.5}
          class={n == 0 ? 'zero' : ''}
        />
        <text x={LEFT - 8} y={plane.y(n) + 4} text-anchor="end">
          {brief(n)}
        </text>
      </>
    ))}
    {labelled(over.buckets.length, plane.width - LEFT - RIGHT, over.unit == 'hour' ? 76 : 58).map((at) => (
      <text
        x={Math.min(plane.width - (over.unit == 'hour' ? 32 : 22), plane.x(at) + plane.each / 2)}
        y={plane.height - 6}
        text-anchor="middle"
      >
        {bucketName(over.buckets[at], over.unit, over.zone)}
      </text>
    ))}
  </g>
)

/** What is under the pointer, in one line above the picture. */
const Readout = ({
  over,
  at,
  values,
}: {
  over: Over
  at: number | null
  values: (at: number) => ComponentChildren
}) => (
  <p class="readout">
    {at === null ? (
      <span class="legend">
        {over.series.length > 1 &&
          over.series.map((one, n) => (
            <span>
              <i class={`swatch s${n % 8}`} />
              <Text of={one.name} most={30} />
            </span>
          ))}
      </span>
    ) : (
      <>
        <strong>
          {bucketTitle(over.buckets[at], over.unit, over.zone)}
          {over.isOpen && at == over.buckets.length - 1 ? ' (not over yet)' : ''}
        </strong>{' '}
        {values(at)}
      </>
    )}
  </p>
)
const named = (over: Over, at: number) =>
  over.series.map((one, n) => (
    <span>
      <i class={`swatch s${n % 8}`} />
      {over.series.length > 1 && (
        <>
          <Text of={one.name} most={24} />{' '}
        </>
      )}
      <b>{(over.format ?? count)(one.values[at])}</b>
    </span>
  ))

const Columns = ({ plane, over, show }: { plane: Plane; over: Over; show: (at: number | null) => void }) => (
  <g class={over.pick ? 'columns picks' : 'columns'} onPointerLeave={() => show(null)}>
    {over.buckets.map((_, at) => (
      <rect
        x={plane.x(at)}
        y={TOP}
        width={plane.each}
        height={plane.height - TOP - BOTTOM}
        onPointerEnter={() => show(at)}
        onClick={() => over.pick?.(at, over.series.length == 1 ? 0 : -1)}
      />
    ))}
  </g>
)

const Hatch = () => (
  <defs>
    {Array.from({ length: 8 }, (_, n) => (
      <pattern id={`hatch${n}`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" class={`s${n} faint`} />
        <rect width="2.5" height="6" class={`s${n}`} />
      </pattern>
    ))}
  </defs>
)

export const Bars = (over: Over) => {
  const sums = over.buckets.map((_, at) => over.series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0))
  const plane = usePlane(over, sums, true)
  const [at, show] = useState<number | null>(null)
  const gap = plane.each > 8 ? Math.min(6, plane.each * 0.2) : plane.each > 3 ? 1 : 0
  return (
    <div class="chart" ref={plane.ref}>
      <Readout
        over={over}
        at={at}
        values={(n) => (
          <>
            <b class="sum">{count(sums[n])}</b> {over.series.length > 1 && named(over, n)}
          </>
        )}
      />
      <svg
        width={plane.width}
        height={plane.height}
        role="img"
        aria-label={`${over.what}: bars; the table beside has the numbers`}
      >
        <Hatch />
        <Axes plane={plane} over={over} />
        {over.buckets.map((_, bucket) => {
          let below = 0
          return (
            <g>
              {over.series.map((one, n) => {
                const value = one.values[bucket] ?? 0
                const top = plane.y(below + value)
                const tall = plane.y(below) - top
                below += value
                const isLast = over.isOpen && bucket == over.buckets.length - 1
                return (
                  value > 0 && (
                    <rect
                      x={plane.x(bucket) + gap / 2}
                      y={top}
                      width={Math.max(1, plane.each - gap)}
                      height={Math.max(0.5, tall)}
                      class={isLast ? 'bar' : `bar s${n % 8}`}
                      fill={isLast ? `url(#hatch${n % 8})` : undefined}
                    />
                  )
                )
              })}
            </g>
          )
        })}
        {at !== null && (
          <rect class="at" x={plane.x(at)} y={TOP} width={plane.each} height={plane.height - TOP - BOTTOM} />
        )}
        <Columns plane={plane} over={over} show={show} />
      </svg>
    </div>
  )
}

export const Lines = (over: Over) => {
  const values = over.series.flatMap((one) => one.values.filter((n): n is number => n !== null))
  const plane = usePlane(over, values, values.every(Number.isInteger))
  const [at, show] = useState<number | null>(null)
  const middle = (bucket: number) => plane.x(bucket) + plane.each / 2
  return (
    <div class="chart" ref={plane.ref}>
      <Readout over={over} at={at} values={(n) => named(over, n)} />
      <svg
        width={plane.width}
        height={plane.height}
        role="img"
        aria-label={`${over.what}: lines; the table beside has the numbers`}
      >
        <Axes plane={plane} over={over} />
        {at !== null && <line class="cursor" x1={middle(at)} x2={middle(at)} y1={TOP} y2={plane.height - BOTTOM} />}
        {over.series.map((one, n) => {
          const last = over.buckets.length - 1
          const solid = over.isOpen ? one.values.slice(0, last) : one.values
          return (
            <g class={`line l${n % 8}${one.isDashed ? ' dashed' : ''}`}>
              {runs(solid).map((run) => (
                <polyline points={run.map((b) => `${middle(b)},${plane.y(one.values[b]!)}`).join(' ')} />
              ))}
              {over.isOpen && last > 0 && one.values[last] !== null && one.values[last - 1] !== null && (
                <line
                  class="open"
                  x1={middle(last - 1)}
                  y1={plane.y(one.values[last - 1]!)}
                  x2={middle(last)}
                  y2={plane.y(one.values[last]!)}
                />
              )}
              {one.values.map(
                (value, b) =>
                  value !== null &&
                  (at == b || over.buckets.length < 16 || isAlone(one.values, b)) && (
                    <circle cx={middle(b)} cy={plane.y(value)} r={at == b ? 4 : 2.5} />
                  ),
              )}
            </g>
          )
        })}
        <Columns plane={plane} over={over} show={show} />
      </svg>
    </div>
  )
}
/** Stretches of values without a hole. */
const runs = (values: (number | null)[]) => {
  const found: number[][] = []
  values.forEach((value, at) => {
    if (value === null) return
    if (at == 0 || values[at - 1] === null) found.push([])
    found[found.length - 1].push(at)
  })
  return found
}
const isAlone = (values: (number | null)[], at: number) =>
  (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null

/** The numbers of a picture over time; newest first, since those are looked for. */
export const OverTable = (over: Over) => {
  const show = over.format ?? count
  return (
    <Scroll label={over.what + ': table'}>
      <table class="numbers">
        <caption class="sr">{over.what}</caption>
        <thead>
          <tr>
            <th scope="col">{over.unit}</th>
            {over.series.map((one, n) => (
              <th scope="col" class="n" title={plain(one.name, 200)}>
                {over.series.length > 1 && <i class={`swatch s${n % 8}`} />}
                <Text of={one.name} most={24} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {over.series.some((one) => one.total !== undefined) && (
            <tr class="total">
              <th scope="row">total</th>
              {over.series.map((one) => (
                <td class="n">{one.total === undefined ? '' : show(one.total)}</td>
              ))}
            </tr>
          )}
          {over.buckets
            .map((_, n) => over.buckets.length - 1 - n)
            .slice(0, 400)
            .map((at) => (
              <tr>
                <th scope="row">
                  {bucketTitle(over.buckets[at], over.unit, over.zone)}
                  {over.isOpen && at == over.buckets.length - 1 && <small> so far</small>}
                </th>
                {over.series.map((one, n) => (
                  <td class="n">
                    {over.pick && one.values[at] ? (
                      <button type="button" class="cell" onClick={() => over.pick!(at, n)}>
                        {show(one.values[at])}
                      </button>
                    ) : (
                      show(one.values[at])
                    )}
                  </td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </Scroll>
  )
}

/** A line no higher than text, for tables. */
export const Spark = ({ values }: { values: number[] }) => {
  const most = ticks(Math.max(1, ...values)).at(-1)!
  const x = (at: number) => (at * 80) / Math.max(1, values.length - 1)
  return (
    <svg class="spark" width="80" height="18" aria-hidden="true">
      <polyline points={values.map((n, at) => `${x(at)},${17 - (n * 16) / most}`).join(' ')} />
    </svg>
  )
}
