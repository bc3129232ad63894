import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { bundleScript, CEILING_BYTES, PLUS_CEILING_BYTES, sizeOf, TOOLS_BYTES } from '../bundle.mjs'

for (const [name, isPlus, ceiling, hasTools] of [
  ['the library', false, CEILING_BYTES],
  ['the library with what a site asks for', true, PLUS_CEILING_BYTES],
  ['the library with tools in the page', false, CEILING_BYTES + TOOLS_BYTES, true],
  ['the library with both', true, PLUS_CEILING_BYTES + TOOLS_BYTES, true],
]) {
  test(name + ' stays under its ceiling', async () => {
    const { gzipped } = sizeOf(Buffer.from(await bundleScript('src/index.ts', isPlus, 'iife', hasTools)))
    assert.ok(gzipped <= ceiling, `${gzipped} bytes gzipped, ${gzipped - ceiling} over the ceiling`)
  })
}

for (const [folder, format] of [['extra', 'iife'], ['tools', 'esm']])
  for (const name of readdirSync(new URL(`../${folder}/`, import.meta.url)).filter((name) => folder == 'extra' || name.endsWith('.tool.js'))) {
    test(`${folder}/${name} is below 1 KiB`, async () => {
      const { gzipped } = sizeOf(Buffer.from(await bundleScript(`${folder}/${name}`, false, format)))
      assert.ok(gzipped < 1024, `${gzipped} bytes gzipped`)
    })
  }
