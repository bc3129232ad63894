// One entry of the library as the script that is served, and the size that its ceiling is measured by.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import pako from 'pako'
import { minify } from 'terser'
import { findNames, giveNames } from './names.mjs'

const here = dirname(fileURLToPath(import.meta.url))

/** What analytics.min.js may have at most, gzipped. */
export const CEILING_BYTES = 8_192
/** And analytics.plus.min.js, which a site asks for. */
export const PLUS_CEILING_BYTES = 12_288

/** What either may have more where the source names tools. */
export const TOOLS_BYTES = 400

/**
 * Properties that are the library's own: neither a page, a plugin, a server nor the browser sees them. Each bundle gives
 * them the same short name, since the core and the second file share objects.
 */
const INTERNAL =
  'after api arrive before byRequest drop forget handOver isKnown joinTwins list makeDrain makePipeline memory put read stored ' +
  'takeUp tellServer twins unsent warnOfOptions watchRoutes withLease write'
const SHORT = Object.fromEntries(INTERNAL.split(' ').map((name, at) => [name, 'abcdefghijklmnopqrstuvwxyz'[at]]))

/** One keyword for all that is declared: there is less to tell apart for the compressor. */
const declareByLet = (code) => code.replace(/^(\s*(?:for (?:await )?\()?)const (?=[\w$[{])/gm, '$1let ')

const isOurs = (entry) => entry.startsWith('src/')

/** esbuild bundles, terser folds (5.5 % smaller here than by esbuild, gzipped). */
export const foldScript = async (entry, isPlus = false, format = 'iife', hasTools = false) => {
  const bundle = await build({
    absWorkingDir: here,
    bundle: true,
    target: 'es2021',
    legalComments: 'none',
    entryPoints: [entry],
    // With confirm, stamp, the options losses and attribution, and all parts in one file; or without.
    define: { PLUS: String(isPlus), TOOLS: String(hasTools) },
    // Others' names may be among those of a small file.
    ...(isOurs(entry) && { mangleProps: new RegExp(`^(${Object.keys(SHORT).join('|')})$`), mangleCache: { ...SHORT } }),
    format,
    // Tools in the page share files; each is fetched once.
    external: ['*.tool.js'],
    write: false,
  })
  const { code } = await minify(declareByLet(bundle.outputFiles[0].text), {
    ecma: 2021,
    toplevel: true,
    module: format == 'esm',
    compress: { passes: 3, inline: 1, lhs_constants: false, loops: false },
    // names.mjs wants each name to stand alone.
    format: { shorthand: false },
  })
  return code
}

/**
 * names.json keeps what names.mjs found for each script, by the script's hash: to look for names takes a minute or two,
 * and a build of sources that nobody changed is not to wait for it. Where the sources were changed they are looked for.
 */
const NAMES = join(here, 'names.json')
const kept = (() => {
  try {
    return JSON.parse(readFileSync(NAMES, 'utf8'))
  } catch {
    return {}
  }
})()
const used = {}

/** Writes names.json anew where a bundle of this process was not in it; true where it did. */
export const keepNames = () => {
  if (Object.keys(used).every((key) => key in kept) && Object.keys(kept).every((key) => key in used)) return false
  const rows = Object.keys(used).sort().map((key) => `  ${JSON.stringify(key)}: ${JSON.stringify(used[key])}`)
  writeFileSync(NAMES, `{\n${rows.join(',\n')}\n}\n`)
  return true
}

/** names.mjs shortens names (2.5 %), best for those that most pages load. `isKept` is told whether names.json had them. */
export const bundleScript = async (entry, isPlus, format, hasTools, isKept = () => {}) => {
  const code = await foldScript(entry, isPlus, format, hasTools)
  if (!isOurs(entry)) return code + '\n'
  const isMeasured = entry == 'src/index.ts' && !hasTools
  const sizeOfText = (code) => sizeOf(Buffer.from(code)).gzipped
  const key = createHash('sha256').update(code).digest('hex').slice(0, 16)
  const known = kept[key] && giveNames(code, kept[key].split(' '))
  isKept(!!known)
  const names = known ? kept[key] : findNames(code, isMeasured && sizeOfText).join(' ')
  used[key] = names
  // No line's end: to the compressor it would be five bytes.
  return known || giveNames(code, names.split(' '))
}

/** Gzipped by a compressor of a fixed version: that of Node.js differs by release and by processor. */
export const sizeOf = (bytes) => ({
  raw: bytes.length,
  gzipped: pako.gzip(bytes, { level: 9 }).length,
})
