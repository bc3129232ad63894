// funnel-duckdb EVENTS.tsv PEOPLE.tsv RUNS: bench/funnel-peers runs this; prints one JSON object.
// Loading is not timed. The query is exact: for each step the latest entry from which it can be reached.
import { createRequire } from 'node:module'
const require = createRequire(process.cwd() + '/')
const { DuckDBInstance } = require('@duckdb/node-api')

const [events, people, runs] = process.argv.slice(2)
const WINDOW = 7 * 86400 * 1000
const connection = await (await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '14GB' })).connect()
const ask = async sql => (await connection.runAndReadAll(sql)).getRows().map(row => row.map(Number))

await connection.run(`CREATE TABLE people AS SELECT * FROM read_csv('${people}', delim='\t', header=false,
  columns={'subject':'UINTEGER','person':'UINTEGER'})`)
const names = ['Landing', 'Signup Viewed', 'Account Created', 'Activated']
await connection.run(`CREATE TYPE name AS ENUM (SELECT DISTINCT column2 FROM read_csv('${events}', delim='\t',
  header=false))`)
await connection.run(`CREATE TABLE events AS SELECT * FROM read_csv('${events}', delim='\t', header=false,
  columns={'subject':'UINTEGER','time':'BIGINT','name':'name','plan':'VARCHAR','campaign':'VARCHAR'})`)

const rows = `SELECT person, time, CASE name ${names.map((name, at) => `WHEN '${name}' THEN ${at + 1}`).join(' ')} END AS step
  FROM events JOIN people USING (subject) WHERE name IN (${names.map(name => `'${name}'`)})`
const sql = `WITH a AS (SELECT *, max(CASE WHEN step = 1 THEN time END) OVER w AS e1 FROM (${rows})
    WINDOW w AS (PARTITION BY person ORDER BY time, step ROWS UNBOUNDED PRECEDING)),
  b AS (SELECT *, max(CASE WHEN step = 2 AND time - e1 <= ${WINDOW} THEN e1 END) OVER w AS e2 FROM a
    WINDOW w AS (PARTITION BY person ORDER BY time, step ROWS UNBOUNDED PRECEDING)),
  c AS (SELECT *, max(CASE WHEN step = 3 AND time - e2 <= ${WINDOW} THEN e2 END) OVER w AS e3 FROM b
    WINDOW w AS (PARTITION BY person ORDER BY time, step ROWS UNBOUNDED PRECEDING)),
  d AS (SELECT person, max(CASE WHEN step = 4 AND time - e3 <= ${WINDOW} THEN 4 WHEN e3 IS NOT NULL THEN 3
    WHEN e2 IS NOT NULL THEN 2 WHEN e1 IS NOT NULL THEN 1 ELSE 0 END) AS level FROM c GROUP BY person)
  SELECT count(*) FILTER (level >= 1), count(*) FILTER (level >= 2), count(*) FILTER (level >= 3),
    count(*) FILTER (level >= 4) FROM d`
const times = []
let counts
for (let run = 0; run < Number(runs); run++) {
  const before = performance.now()
  counts = (await ask(sql))[0]
  times.push((performance.now() - before) / 1000)
}
const version = (await connection.runAndReadAll('SELECT version()')).getRows()[0][0]
console.log(JSON.stringify({ version, counts, times }))
process.exit(0)
