// Shorter names are all that names.mjs changes: terser, which knows the scopes of JavaScript, gives both scripts the same
// names again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minify } from 'terser'
import { bundleScript, foldScript } from '../bundle.mjs'
import { giveNames, shortenNames } from '../names.mjs'

const normal = async (code) => (await minify(code, { compress: false, toplevel: true, ecma: 2021 })).code

for (const how of [['src/index.ts'], ['src/index.ts', true], ['src/parts.ts', true, 'esm'], ['src/snippet.js']]) {
  test(`${how[0]}${how[1] ? ', with all' : ''}: the same script under other names`, async () => {
    const code = await foldScript(...how)
    const shortened = shortenNames(code)
    assert.notEqual(shortened, code)
    assert.equal(await normal(shortened), await normal(code))
  })
}

for (const how of [['src/index.ts'], ['src/index.ts', true], ['src/index.ts', false, 'iife', true], ['src/index.ts', true, 'iife', true],
  ['src/parts.ts', true, 'esm'], ['src/snippet.js']]) {
  test(`names.json has the names of ${how.join(' ')}, and they are only names`, async () => {
    let isKept
    const script = await bundleScript(how[0], how[1], how[2], how[3], (is) => (isKept = is))
    assert.equal(isKept, true, 'node build.mjs writes browser/names.json anew: commit it together with the change')
    assert.equal(await normal(script), await normal(await foldScript(...how)))
  })
}

test('names that do not fit are not given', () => {
  const code = '(a=>{let b=e;return c=>a+b+c})(1)'
  assert.equal(giveNames(code, ['x', 'y', 'z']), '(x=>{let y=e;return z=>x+y+z})(1)')
  for (const names of [['x', 'y'], ['x', 'x', 'z'], ['e', 'y', 'z'], ['x', 'y', 'x'], ['x', 'y', 'z;alert()']])
    assert.equal(giveNames(code, names), undefined, names.join())
})

for (const [what, code] of [
  ['a var is the whole function\'s', 'function f(a){if(a){for(var b in a)g(b);var c=1}return b+c}f(function(d){if(d)var e=d;return e})'],
  ['what is caught', '(()=>{let a=1;try{b(a)}catch(c){let a=c;b(a)}finally{b(a)}})()'],
  ['parts of objects and lists', '(({a:b,...c},[d=b,...e])=>{let{f:{g:h=d}}=c;return[b,c,d,e,h]})(i,j)'],
  ['blocks within blocks', '(a=>{{let b=a;{let a=b;c(a,b)}c(a,b)}for(let b of a)for(let a of b)c(a,b)})(1)'],
  ['globals keep their names', '(a=>{let b=e,c=t;return(r)=>l+b+c+r+a})(d)'],
  ['functions with names', 'function a(b){var a=1;return c(a,b)}(function d(e){let f=()=>d(e);return f(a)})(a)'],
  ['signs beyond 16 bits', '(a=>{let b="😀é";return c=>b+c+a})(1)'],
]) {
  test('the same script under other names: ' + what, async () => {
    assert.equal(await normal(shortenNames(code)), await normal(code))
  })
}

test('what it does not know it refuses', () => {
  for (const code of ['class A{}', '{function f(){}}', 'let a=1;b({a})', 'c:for(;;)break c']) assert.throws(() => shortenNames(code), /names\.mjs/)
})
