// Lays an answer of paths out: columns by step, the anchor in the first (before: in the last). What is beyond the most
// frequent, and who did nothing more, are nodes of their own, so that every person of a column is somewhere.
import { sankey, sankeyLinkHorizontal } from 'd3-sankey'
import type { Paths } from './api'
import type { PathStep } from './behind'

export interface PathNode {
  key: string
  name: string
  column: number
  people: number
  kind: 'event' | 'others' | 'ended'
  /** Who that is, as `paths/people` is asked. */
  at: PathStep
  x0: number
  x1: number
  y0: number
  y1: number
}
export interface PathLink {
  from: PathNode
  to: PathNode
  at: PathStep
  people: number
  d: string
  width: number
}
export interface PathPicture {
  nodes: PathNode[]
  links: PathLink[]
  width: number
  height: number
}

const key = (depth: number, event: string | null) => depth + (event === null ? ':others' : ':=' + event)

export const layPaths = (answer: Paths, width: number, height: number): PathPicture => {
  if (!answer.people || !answer.depths.length) return { nodes: [], links: [], width, height }
  const isBefore = answer.direction == 'before'
  const nodes = new Map<string, any>()
  const add = (name: string, at: PathStep, people: number, kind: string, id: string) =>
    nodes.set(id, { key: id, name, at, depth: at.step, people, kind })
  add(answer.event, { step: 0 }, answer.people, 'event', key(0, answer.event))
  for (const depth of answer.depths) {
    const step = depth.depth
    for (const one of depth.events)
      add(one.event, { step, went_to: one.event }, one.people, 'event', key(step, one.event))
    if (depth.others.people)
      add(`${depth.others.events} others`, { step, went_to: null }, depth.others.people, 'others', key(step, null))
    if (depth.ended)
      add(isBefore ? 'nothing before' : 'nothing more', { step, ended: true }, depth.ended, 'ended', step + ':ended')
  }
  const links: any[] = []
  const onwards = new Map<string, number>()
  for (const link of answer.links) {
    const from = key(link.depth - 1, link.from),
      to = key(link.depth, link.to)
    if (!nodes.has(from) || !nodes.has(to) || !link.people) continue
    onwards.set(from, (onwards.get(from) ?? 0) + link.people)
    const at = { step: link.depth, came_from: link.from, went_to: link.to }
    links.push({ ...(isBefore ? { source: to, target: from } : { source: from, target: to }), value: link.people, at })
  }
  for (const node of [...nodes.values()]) {
    const next = answer.depths.find((one) => one.depth == node.depth + 1)
    const left = node.people - (onwards.get(node.key) ?? 0)
    const end = node.depth + 1 + ':ended'
    if (node.kind != 'ended' && next?.ended && left > 0 && nodes.has(end))
      links.push({
        ...(isBefore ? { source: end, target: node.key } : { source: node.key, target: end }),
        value: left,
        at: {
          step: node.depth + 1,
          came_from: node.kind == 'others' ? null : node.name,
          ended: true,
        },
      })
  }
  const linked = new Set(links.flatMap((link) => [link.source, link.target]))
  const columns = answer.depths.length
  const placed = sankey<any, any>()
    .nodeId((node) => node.key)
    .nodeWidth(10)
    .nodePadding(14)
    .nodeAlign((node) => (isBefore ? columns - node.depth0 : node.depth0))
    .extent([
      [1, 6],
      [width - 1, height - 6],
    ])
    .nodeSort((a, b) => rank(a) - rank(b) || b.people - a.people || (a.name < b.name ? -1 : 1))({
    nodes: [...nodes.values()].filter((node) => linked.has(node.key)).map((node) => ({ ...node, depth0: node.depth })),
    links: links.map((link) => ({ ...link })),
  })
  const path = sankeyLinkHorizontal()
  const made = placed.nodes.map((node: any): PathNode => ({
    key: node.key,
    name: node.name,
    column: node.depth0,
    people: node.people,
    kind: node.kind,
    at: node.at,
    x0: node.x0,
    x1: node.x1,
    y0: node.y0,
    y1: node.y1,
  }))
  const byKey = new Map(made.map((node) => [node.key, node]))
  return {
    nodes: made,
    width,
    height,
    links: placed.links.map((link: any) => ({
      from: byKey.get(link.source.key)!,
      to: byKey.get(link.target.key)!,
      people: link.value,
      at: link.at,
      d: path(link) ?? '',
      width: link.width,
    })),
  }
}
const rank = (node: any) => (node.kind == 'event' ? 0 : node.kind == 'others' ? 1 : 2)
