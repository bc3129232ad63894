import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './load.mjs'

const { foreignIds } = await load('adopt')
const rs = (value) => 'RS_ENC_v3_' + Buffer.from(JSON.stringify(value)).toString('base64')
const store = (texts) => ({ read: (key) => texts[key] ?? null })

for (const [name, names, cookie, local, wanted] of [
  ['RudderStack 3', ['rudderstack'], { rl_anonymous_id: rs('a-1'), rl_user_id: rs('u-1') }, {}, ['a-1', 'u-1']],
  ['not asked for', [], { rl_anonymous_id: rs('a-1') }, {}, []],
  ['no option', undefined, { rl_anonymous_id: rs('a-1') }, {}, []],
  ['in localStorage', ['rudderstack'], {}, { rl_anonymous_id: rs('a-1') }, ['a-1', null]],
  ['as bare text', ['rudderstack'], { rl_anonymous_id: 'a-1' }, {}, ['a-1', null]],
  ['not ASCII', ['rudderstack'], { rl_anonymous_id: rs('é-日本') }, {}, ['é-日本', null]],
  ['no user', ['rudderstack'], { rl_anonymous_id: rs('a-1'), rl_user_id: rs('') }, {}, ['a-1', '']],
  ['RudderStack 1, encrypted', ['rudderstack'], { rl_anonymous_id: 'RudderEncrypt:U2FsdGVkX1' }, {}, []],
  ['spoilt', ['rudderstack'], { rl_anonymous_id: 'RS_ENC_v3_%%%' }, {}, []],
  ['an object', ['rudderstack'], { rl_anonymous_id: rs({ a: 1 }) }, {}, []],
  ['Jitsu', ['jitsu'], { __eventn_id: 'j-1', __eventn_uid: 'u-2' }, {}, ['j-1', 'u-2']],
  ['the second of two', ['rudderstack', 'jitsu'], { __eventn_id: 'j-1' }, {}, ['j-1', null]],
  ['the first of two', ['jitsu', 'rudderstack'], { __eventn_id: 'j-1', rl_anonymous_id: 'a-1' }, {}, ['j-1', null]],
  ['an unknown name', ['matomo', 'jitsu'], { __eventn_id: 'j-1' }, {}, ['j-1', null]],
]) {
  test('ids of another library: ' + name, () => {
    assert.deepEqual(foreignIds({ cookie: store(cookie), localStorage: store(local) }, names), wanted)
  })
}

test('where the browser stores nothing, nobody is found', () => {
  assert.deepEqual(foreignIds({}, ['rudderstack', 'jitsu']), [])
})
