import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { readArgs } = await load('args')
const done = () => {}

const rows = [
  ['track', ['Signed Up'], ['Signed Up'], {}, {}],
  [
    'track',
    ['Signed Up', { plan: 'Free' }, { x: 1 }, done],
    ['Signed Up'],
    { plan: 'Free' },
    { x: 1 },
    done,
  ],
  ['track', ['Signed Up', done], ['Signed Up'], {}, {}, done],
  ['track', ['Signed Up', null, { x: 1 }], ['Signed Up'], {}, { x: 1 }],
  ['identify', ['u1', { a: 1 }], ['u1'], { a: 1 }, {}],
  ['identify', [42], ['42'], {}, {}],
  ['identify', [{ a: 1 }, { x: 1 }, done], [], { a: 1 }, { x: 1 }, done],
  ['identify', [null, { a: 1 }], [undefined], { a: 1 }, {}],
  ['identify', ['u1', done], ['u1'], {}, {}, done],
  ['page', [], [], {}, {}],
  ['page', ['Home'], ['Home'], {}, {}],
  ['page', ['Docs', 'Home', { a: 1 }, { x: 1 }, done], ['Docs', 'Home'], { a: 1 }, { x: 1 }, done],
  ['page', ['Home', { a: 1 }, { x: 1 }], ['Home'], { a: 1 }, { x: 1 }],
  ['page', [{ a: 1 }, done], [], { a: 1 }, {}, done],
  ['alias', ['new', 'old', { x: 1 }, done], ['new', 'old'], {}, { x: 1 }, done],
  ['alias', ['new', { x: 1 }], ['new'], {}, { x: 1 }],
  ['group', ['g1', { plan: 'Pro' }], ['g1'], { plan: 'Pro' }, {}],
]
for (const [method, args, texts, data, options, callback] of rows) {
  const shown = args.map((arg) => JSON.stringify(arg) ?? 'fn')
  test(`${method}(${shown}) is read`, () => {
    assert.deepEqual(readArgs(method, args), [texts, data, options, callback])
  })
}
