// Runs SQL in DuckDB, in the working directory: a JSON list of statements on standard input; the rows of the last one
// as JSON on standard output, numbers of any size as numbers, dates as text.
import { DuckDBInstance } from '@duckdb/node-api';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const statements = JSON.parse(Buffer.concat(chunks).toString());
const connection = await (await DuckDBInstance.create(':memory:')).connect();
let rows = [];
for (const sql of statements) rows = (await connection.runAndReadAll(sql)).getRowsJson();
console.log(JSON.stringify(rows));
