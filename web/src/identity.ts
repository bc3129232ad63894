// The identity picture, as numbers: three columns (external ids, user ids, anonymous ids of devices), an edge for each
// pair of ids that messages joined, with how many did. The same data gives the same picture: nodes begin in order of
// their first link, two passes put each at the middle of its neighbours, and equal ones keep their order.
import type { Id, Link, Person } from './api'

export interface IdNode {
  key: string
  type: string
  id: string
  column: 0 | 1 | 2
  x: number
  y: number
  first: string | null
  folded: number
}
export interface IdEdge {
  key: string
  from: IdNode
  to: IdNode
  count: number
  first: string
  last: string
  rules: string[]
  removed: boolean
  position: number
  d: string
}
export interface IdPicture {
  nodes: IdNode[]
  edges: IdEdge[]
  width: number
  height: number
  hidden: number
}

export const ROW = 34
export const NODE_WIDTH = 190
export const NODE_HEIGHT = 24
/** More nodes than this in a column are folded into one. */
export const MOST_IN_COLUMN = 24

const columnOf = (type: string): 0 | 1 | 2 => (type == 'user_id' ? 1 : type == 'anonymous_id' ? 2 : 0)
const keyOf = (id: Id) => id.type + ':' + id.id

export const layIdentity = (
  person: Pick<Person, 'user_ids' | 'anonymous_ids' | 'external_ids'>,
  links: Link[],
  width: number,
): IdPicture => {
  const nodes = new Map<string, IdNode>()
  const need = (id: Id) => {
    const key = keyOf(id)
    let node = nodes.get(key)
    if (!node)
      nodes.set(
        key,
        (node = { key, type: id.type, id: id.id, column: columnOf(id.type), x: 0, y: 0, first: null, folded: 1 }),
      )
    return node
  }
  for (const id of person.user_ids) need({ type: 'user_id', id })
  for (const id of person.anonymous_ids) need({ type: 'anonymous_id', id })
  for (const id of person.external_ids) need(id)

  const edges = new Map<string, IdEdge>()
  for (const link of [...links].sort((a, b) => a.position - b.position)) {
    let from = need(link.from),
      to = need(link.to)
    if (from.column > to.column || (from.column == to.column && from.key > to.key)) [from, to] = [to, from]
    for (const node of [from, to]) if (node.first === null || link.time < node.first) node.first = link.time
    const key = from.key + ' ' + to.key
    const old = edges.get(key)
    if (!old) {
      edges.set(key, {
        key,
        from,
        to,
        count: 1,
        first: link.time,
        last: link.time,
        rules: [link.rule],
        removed: link.removed,
        position: link.position,
        d: '',
      })
      continue
    }
    old.count++
    if (link.time < old.first) old.first = link.time
    if (link.time > old.last) old.last = link.time
    if (!old.rules.includes(link.rule)) old.rules.push(link.rule)
    old.removed = old.removed && link.removed
  }

  const columns: IdNode[][] = [[], [], []]
  for (const node of nodes.values()) columns[node.column].push(node)
  const order = (a: IdNode, b: IdNode) => compare(a.first ?? '~', b.first ?? '~') || compare(a.key, b.key)
  for (const column of columns) column.sort(order)
  const joined = [...edges.values()]
  for (let pass = 0; pass < 2; pass++)
    for (const column of pass ? [...columns].reverse() : columns) {
      const places = new Map<IdNode, number>()
      for (const one of columns) one.forEach((node, at) => places.set(node, at))
      const middle = (node: IdNode) => {
        const near = joined
          .filter((edge) => edge.from == node || edge.to == node)
          .map((edge) => (edge.from == node ? edge.to : edge.from))
          .filter((other) => other.column != node.column)
        return near.length ? near.reduce((sum, other) => sum + places.get(other)!, 0) / near.length : places.get(node)!
      }
      const wanted = new Map(column.map((node) => [node, middle(node)]))
      column.sort((a, b) => wanted.get(a)! - wanted.get(b)! || order(a, b))
    }

  let hidden = 0
  for (const column of columns) {
    if (column.length <= MOST_IN_COLUMN) continue
    const rest = column.splice(MOST_IN_COLUMN - 1)
    hidden += rest.length
    column.push({
      ...rest[0],
      key: 'folded' + rest[0].column,
      id: `${rest.length} more`,
      type: 'folded',
      folded: rest.length,
    })
  }
  const shownColumns = columns.filter((column) => column.length)
  const most = Math.max(1, ...columns.map((column) => column.length))
  const height = most * ROW + 8
  shownColumns.forEach((column, at) => {
    const x = shownColumns.length == 1 ? 0 : (at * (width - NODE_WIDTH)) / (shownColumns.length - 1)
    column.forEach((node, n) => {
      node.x = x
      node.y = (height - column.length * ROW) / 2 + n * ROW + ROW / 2
    })
  })
  const shown = new Set(shownColumns.flat())
  const kept = joined.filter((edge) => shown.has(edge.from) && shown.has(edge.to))
  for (const edge of kept) edge.d = curve(edge)
  return { nodes: shownColumns.flat(), edges: kept, width, height, hidden }
}

/** Where the count of an edge stands: towards the side where fewer edges meet, so that counts do not cover each other. */
export const alongEdge = (edge: IdEdge, all: IdEdge[]): { x: number; y: number } => {
  const meet = (node: IdNode) => all.filter((one) => one.from == node || one.to == node).length
  const lean = meet(edge.from) - meet(edge.to)
  const t = lean < 0 ? 0.25 : lean > 0 ? 0.75 : 0.5
  const x0 = edge.from.x + NODE_WIDTH,
    x1 = edge.to.x,
    middle = (x0 + x1) / 2
  const at = (a: number, b: number, c: number, d: number) =>
    a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t * t * (1 - t) + d * t ** 3
  return { x: at(x0, middle, middle, x1), y: at(edge.from.y, edge.from.y, edge.to.y, edge.to.y) }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const curve = ({ from, to }: IdEdge) => {
  if (from.column == to.column) {
    const x = from.x + NODE_WIDTH
    return `M${x},${from.y} C${x + 40},${from.y} ${x + 40},${to.y} ${x},${to.y}`
  }
  const x0 = from.x + NODE_WIDTH,
    x1 = to.x,
    bend = (x1 - x0) / 2
  return `M${x0},${from.y} C${x0 + bend},${from.y} ${x1 - bend},${to.y} ${x1},${to.y}`
}
