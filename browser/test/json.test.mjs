import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { toJson } = await load('json')
const write = (value) => {
  const faults = []
  const text = toJson(value, (path) => faults.push(path))
  return [JSON.parse(text), faults]
}
const throwing = () => {
  throw new Error('no')
}
const cycle = { a: 1 }
cycle.self = cycle
const deep = (levels) => (levels ? { d: deep(levels - 1) } : 1)
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

// What is passed, what goes out, the paths that are told.
const rows = [
  ['a bigint', { n: 12345678901234567890n }, { n: '12345678901234567890' }, []],
  ['a cycle', { cart: cycle, x: 1 }, { cart: { a: 1 }, x: 1 }, ['cart.self']],
  ['the same value twice is no cycle', { a: [1], b: [1] }, { a: [1], b: [1] }, []],
  ['a throwing getter', Object.defineProperty({ x: 1 }, 'bad', { get: throwing, enumerable: true }), { x: 1 }, ['bad']],
  ['a throwing toJSON', { bad: { toJSON: throwing }, x: [{ toJSON: throwing }] }, { x: [null] }, ['bad', 'x.0']],
  ['a revoked proxy', { bad: revoked(), x: 1 }, { x: 1 }, ['bad']],
  ['a proxy that lists nothing', { bad: new Proxy({}, { ownKeys: throwing }), x: 1 }, { x: 1 }, ['bad']],
  ['a node', { el: { nodeType: 1, ownerDocument: {} }, x: 1 }, { x: 1 }, ['el']],
  ['a window', { w: globalThis, x: 1 }, { x: 1 }, ['w']],
  ['functions, symbols, undefined', { f() {}, s: Symbol('s'), u: undefined, a: [() => {}, undefined] }, { a: [null, null] }, []],
  ['NaN and infinities', { n: NaN, i: -Infinity }, { n: null, i: null }, []],
  ['dates, also bad ones', { d: new Date(0), bad: new Date(NaN) }, { d: '1970-01-01T00:00:00.000Z', bad: null }, []],
  ['boxed values', { s: new String('x'), n: new Number(1), b: new Boolean(false) }, { s: 'x', n: 1, b: false }, []],
  ['names and texts to escape', { 'a"\n\u2028': 'é"\\\ud800' }, { 'a"\n\u2028': 'é"\\\ud800' }, []],
  ['no prototype', Object.assign(Object.create(null), { x: 1 }), { x: 1 }, []],
  ['holes', { a: [, 1] }, { a: [null, 1] }, []],
  ['maps and errors, as JSON.stringify has them', { m: new Map([[1, 2]]), e: new Error('x') }, { m: {}, e: {} }, []],
  ['a name of __proto__', JSON.parse('{"__proto__":{"x":1}}'), JSON.parse('{"__proto__":{"x":1}}'), []],
]
for (const [name, given, wanted, faults] of rows) {
  test('JSON of ' + name, () => assert.deepEqual(write(given), [wanted, faults]))
}

test('levels beyond those that the server takes are left out', () => {
  const [value, faults] = write(deep(500))
  assert.equal(faults.length, 1)
  assert.ok(JSON.stringify(value).split('{').length <= 62)
  assert.deepEqual(write(deep(50)), [deep(50), []])
})

test('an object that reaches everything ends', () => {
  const all = Array.from({ length: 40 }, () => ({}))
  for (const one of all) one.others = all
  const [, faults] = write({ all })
  assert.ok(faults.length > 0)
})

test("Prototype.js's and MooTools' additions change nothing", () => {
  const classes = [Array, String, Number, Boolean, Object]
  for (const { prototype } of classes)
    prototype.toJSON = function () {
      return '"mangled"'
    }
  Object.prototype.extra = 'inherited'
  try {
    const own = { toJSON: (key) => 'own of ' + key }
    const value = { a: [1, [2]], o: {}, s: 'x', n: 0, b: false, d: new Date(0), own }
    assert.equal(
      toJson(value),
      '{"a":[1,[2]],"o":{},"s":"x","n":0,"b":false,"d":"1970-01-01T00:00:00.000Z","own":"own of own"}',
    )
  } finally {
    for (const { prototype } of classes) delete prototype.toJSON
    delete Object.prototype.extra
  }
})

test("what has a toJSON of its own is asked, functions too; a toJSON that is no function is a value", () => {
  const callable = Object.assign(() => {}, { toJSON: () => 1 })
  assert.equal(toJson({ callable, plain: { toJSON: 5 } }), '{"callable":1,"plain":{"toJSON":5}}')
})

test('what JSON.stringify can write is the same text', () => {
  for (const value of [{}, [], [1, 'a', null, true, { b: [{}] }], 'x', 0, { a: { b: { c: [1e21, -0, 1.5] } } }])
    assert.equal(toJson(value), JSON.stringify(value))
})
