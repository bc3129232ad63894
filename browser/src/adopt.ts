// Option takeOver: a visitor whom another library already knows keeps the ids that it gave them.
import { attempt } from './sooner'
import type { Stores } from './storage'
import type { LoadOptions } from './types'

/** RudderStack 3 writes JSON text in base64; Jitsu, and RudderStack with encryption off, the bare text. */
const decode = (text: string | null | undefined): string | null => {
  const encoded = text?.split('RS_ENC_v3_')[1]
  // RudderStack 1 encrypts, by a library that is larger than this one.
  if (!encoded) return text && !/^RudderE/.test(text) ? text : null
  const id = attempt<unknown>(() => JSON.parse(decodeURIComponent(escape(atob(encoded)))), () => 0)
  return typeof id == 'string' ? id : null
}

const COOKIES = { rudderstack: 'rl_anonymous_id rl_user_id', jitsu: '__eventn_id __eventn_uid' }

/** [anonymousId, userId] as the first of the named libraries has them. */
export const foreignIds = ({ cookie, localStorage }: Stores, names: LoadOptions['takeOver'] = []) =>
  names
    .map((name) => (COOKIES[name] ?? '').split(' ').map((key) => decode(cookie?.read(key) || localStorage?.read(key))))
    .find(([anonymousId]) => anonymousId) ?? []
