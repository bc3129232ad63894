// The table of docs/browser.md, from the files that soak.mjs has written: soak-table.mjs chromium.json firefox.json
import { readFileSync } from 'node:fs'

const files = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')))
const percent = (count, of) => (of ? +((100 * count) / of).toFixed(2) + ' %' : '–')
const title = (file) => file.browser[0].toUpperCase() + file.browser.slice(1) + ' ' + file.version.split('.')[0]

const columns = files.flatMap((file) => [
  [`Onym, ${title(file)}: runs`, (way) => way?.onym.runs ?? 'not tried'],
  ['lost', (way) => (way ? percent(way.onym.lost, way.onym.calls) : '')],
  ['twice', (way) => (way ? percent(way.onym.doubled, way.onym.calls) : '')],
  ['analytics-next: runs', (way) => way?.next?.runs ?? ''],
  ['lost', (way) => (way?.next ? percent(way.next.lost, way.next.calls) : '')],
].map(([name, read]) => [name, (way) => read(file.ways[way])]))

const row = (cells) => '| ' + cells.join(' | ') + ' |'
console.log(row(['way to leave', ...columns.map(([name]) => name)]))
console.log(row(['', ...columns].map(() => '---')))
for (const way of new Set(files.flatMap((file) => Object.keys(file.ways))))
  console.log(row([way, ...columns.map(([, read]) => read(way))]))
for (const file of files) {
  const sums = Object.values(file.ways)
  const total = (library, key) => sums.reduce((sum, way) => sum + (way[library]?.[key] ?? 0), 0)
  console.log(
    `\n${title(file)} (${file.version}), library ${file.library}, ${file.from} to ${file.to}: ` +
      `${total('onym', 'runs')} runs of Onym's, ${total('onym', 'lost')} calls lost, ${total('onym', 'doubled')} twice, ` +
      `${total('onym', 'outOfOrder')} runs out of order, ${total('onym', 'stalled')} runs made again; ` +
      `${total('next', 'runs')} runs of analytics-next ${file.next}, ${total('next', 'lost')} calls lost`,
  )
}
