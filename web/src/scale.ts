// Axes: round numbers that a person reads at a glance, and labels that do not run into each other.

/** From 0 to at least `most` in about `wanted` equal steps of 1, 2 or 5 times a power of ten; whole where values are. */
export const ticks = (most: number, wanted = 4, isWhole = true): number[] => {
  if (!(most > 0) || !Number.isFinite(most)) return [0, 1]
  const rough = most / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  let step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.9999)!
  if (isWhole) step = Math.max(1, Math.round(step))
  const last = Math.ceil(most / step - 1e-9)
  return Array.from({ length: last + 1 }, (_, n) => Number((n * step).toPrecision(12)))
}

/** From the least to the most, both of any sign. */
export const ticksBetween = (least: number, most: number, isWhole: boolean): number[] => {
  if (least >= 0) return ticks(most, 4, isWhole)
  const up = ticks(Math.max(most, -least), 3, isWhole)
  const step = up[1]
  const from = Math.floor(least / step + 1e-9)
  const to = Math.max(0, Math.ceil(most / step - 1e-9))
  return Array.from({ length: to - from + 1 }, (_, n) => Number(((from + n) * step).toPrecision(12)))
}

/** Which of `length` labels are drawn where one needs `each` of `width`: every n-th, counted so that the last is. */
export const labelled = (length: number, width: number, each: number): number[] => {
  if (length < 1) return []
  const every = Math.max(1, Math.ceil((length * each) / Math.max(1, width)))
  const found: number[] = []
  for (let at = length - 1; at >= 0; at -= every) found.unshift(at)
  return found
}

/** Minutes in groups, the last of which holds the newest; by sum, or by the greatest. */
export const grouped = (values: number[], each: number, isMost = false): number[] => {
  const found: number[] = []
  for (let end = values.length; end > 0; end -= each) {
    const part = values.slice(Math.max(0, end - each), end)
    found.unshift(isMost ? Math.max(...part) : part.reduce((sum, n) => sum + n, 0))
  }
  return found
}
