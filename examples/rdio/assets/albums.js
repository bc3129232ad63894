// The catalogue: twelve records that never were, each with a cover drawn from three colours and a shape.
const RECORDS = [
  ['Low Tide', 'Tin Harbour', 'Ferry Song', ['#0b3c5d', '#328cc1', '#f2e9dc'], 'waves'],
  ['Night Bus', 'Marlow & the Static', 'Last Stop', ['#1d1a31', '#f4a259', '#8cb369'], 'stripes'],
  ['Brass Weather', 'Ada Ferro', 'Thunderhead', ['#c8553d', '#f7c59f', '#2e2f45'], 'sun'],
  ['Slow Light', 'Kelp Forest', 'Undertow', ['#0f4c4a', '#9ad1c2', '#f6f1d1'], 'rings'],
  ['Parade', 'Nine Lanterns', 'Paper Moon', ['#d7263d', '#f5d547', '#1b1b3a'], 'dots'],
  ['Kitchen Piano', 'Otto Vann', 'Sunday, Late', ['#efe6dd', '#231f20', '#bb4430'], 'keys'],
  ['Halfway Hymns', 'Sister Meridian', 'Halfway', ['#5f0f40', '#fb8b24', '#e8e1ef'], 'arches'],
  ['Small Engines', 'Glasswing', 'Idle', ['#3a506b', '#5bc0be', '#f0f3bd'], 'grid'],
  ['Northbound', 'Pale Atlas', 'Mile 60', ['#22223b', '#c9ada7', '#f2e9e4'], 'peaks'],
  ['Sunday Machine', 'Juno Wick', 'Clockwork', ['#f2c14e', '#f78154', '#4d9078'], 'quarters'],
  ['Legend', 'The Cartographers', 'Contour', ['#e9f1f7', '#2274a5', '#131b23'], 'rings'],
  ['Salt', 'Mira Sol', 'White Road', ['#ff9f9a', '#fff5ee', '#7a306c'], 'sun'],
]

const many = (count, draw) => Array.from({ length: count }, (_, index) => draw(index)).join('')

const SHAPES = {
  waves: (a, b) =>
    many(5, (i) => {
      const y = 42 + i * 13
      const fill = `fill="${i % 2 ? b : a}" opacity="${0.45 + i * 0.1}"`
      return `<path d="M0 ${y}q12.5-12 25 0t25 0t25 0t25 0V100H0z" ${fill}/>`
    }),
  stripes: (a, b) =>
    many(
      4,
      (i) =>
        `<path d="M${-30 + i * 34} 100L${20 + i * 34} 0h14L${-16 + i * 34} 100z" fill="${i % 2 ? b : a}"/>`,
    ),
  sun: (a, b) =>
    `<circle cx="50" cy="52" r="27" fill="${a}"/>` +
    many(4, (i) => `<path d="M0 ${60 + i * 10}h100v5H0z" fill="${b}"/>`),
  rings: (a, b) =>
    many(
      5,
      (i) =>
        `<circle cx="50" cy="50" r="${46 - i * 9}" fill="none" stroke="${i % 2 ? b : a}" stroke-width="3"/>`,
    ),
  dots: (a, b) =>
    many(25, (i) => {
      const [x, y] = [14 + (i % 5) * 18, 14 + Math.floor(i / 5) * 18]
      return `<circle cx="${x}" cy="${y}" r="${2.5 + ((i * 7) % 5) * 1.3}" fill="${i % 3 ? a : b}"/>`
    }),
  keys: (a, b) =>
    many(7, (i) => `<path d="M${8 + i * 12.5} 0h6v${i % 3 == 2 ? 40 : 64}h-6z" fill="${a}"/>`) +
    `<circle cx="76" cy="80" r="9" fill="${b}"/>`,
  arches: (a, b) =>
    many(4, (i) => {
      const r = 40 - i * 10
      return `<path d="M${50 - r} 100V60a${r} ${r} 0 0 1 ${2 * r} 0V100z" fill="${i % 2 ? b : a}"/>`
    }),
  grid: (a, b) =>
    many(16, (i) => {
      const [x, y] = [10 + (i % 4) * 21, 10 + Math.floor(i / 4) * 21]
      const fill = (i * 3) % 4 ? a : b
      return `<rect x="${x}" y="${y}" width="17" height="17" rx="${(i * 5) % 9}" fill="${fill}"/>`
    }),
  peaks: (a, b) =>
    `<path d="M0 100L34 34l22 38 14-20 30 48z" fill="${a}"/><path d="M34 34l9 16-9 6-9-4z" fill="${b}"/>` +
    `<circle cx="76" cy="24" r="8" fill="${b}"/>`,
  quarters: (a, b) =>
    many(4, (i) => {
      const [x, y] = [(i % 2) * 50, Math.floor(i / 2) * 50]
      const corner = [`M${x} ${y}h50a50 50 0 0 1-50 50z`, `M${x} ${y}h50v50a50 50 0 0 1-50-50z`][i % 2]
      return `<path d="${corner}" fill="${i == 1 || i == 2 ? b : a}"/>`
    }),
}

export const albums = RECORDS.map(([title, artist, song, [ground, a, b], shape]) => ({
  title,
  artist,
  song,
  cover:
    '<svg class="art" viewBox="0 0 100 100" aria-hidden="true">' +
    `<rect width="100" height="100" fill="${ground}"/>${SHAPES[shape](a, b)}</svg>`,
}))
