// How many messages came a minute, added up by source.
export interface Counts {
  from: string
  counted_from: string
  complete: boolean
  rows: { source: string | null; type: string | null; fate: string | null; reason?: string; counts: number[] }[]
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

export interface Refused {
  source: string | null
  reason: string
  total: number
  /** By the hour, the last one under way. */
  hours: number[]
}
/** What was not accepted, by source and reason; those with most first. Repeats and suppressed messages have their fate as reason. */
export const byReason = (told: Counts): Refused[] => {
  const found = new Map<string, Refused>()
  for (const row of told.rows) {
    if (!row.fate || row.fate == 'accepted') continue
    const reason = row.reason ?? row.fate
    const key = JSON.stringify([row.source, reason])
    const hours = Math.ceil(row.counts.length / 60)
    let one = found.get(key)
    if (!one) found.set(key, (one = { source: row.source, reason, total: 0, hours: Array(hours).fill(0) }))
    // the first hour is the one that may be short
    row.counts.forEach((n, at) => {
      one!.total += n
      one!.hours[hours - 1 - Math.floor((row.counts.length - 1 - at) / 60)] += n
    })
  }
  return [...found.values()].sort((a, b) => b.total - a.total || (a.reason < b.reason ? -1 : 1))
}
