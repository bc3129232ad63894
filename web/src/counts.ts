// How many messages came a minute, added up by source.
export interface Counts {
  from: string
  counted_from: string
  complete: boolean
  rows: { source: string | null; type: string | null; fate: string | null; counts: number[] }[]
}
export interface SourceCounts {
  name: string | null
  accepted: number
  others: number
  minutes: number[]
}

/** Those with most first; equal ones by name. */
export const bySource = (told: Counts): SourceCounts[] => {
  const found = new Map<string | null, SourceCounts>()
  for (const row of told.rows) {
    let one = found.get(row.source)
    if (!one)
      found.set(row.source, (one = { name: row.source, accepted: 0, others: 0, minutes: row.counts.map(() => 0) }))
    const sum = row.counts.reduce((all, n) => all + n, 0)
    if (row.fate == 'accepted') one.accepted += sum
    else one.others += sum
    row.counts.forEach((n, at) => (one.minutes[at] += n))
  }
  return [...found.values()].sort(
    (a, b) => b.accepted + b.others - a.accepted - a.others || ((a.name ?? '') < (b.name ?? '') ? -1 : 1),
  )
}
