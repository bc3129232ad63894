// The query-string API: links in e-mails that say who clicks. ?ajs_aid= sets the anonymous id, ?ajs_uid=
// identifies (with ajs_trait_*), ?ajs_event= tracks (with ajs_prop_*), in that order.
//
// Anybody can write such a link and have anybody click it. So it never makes somebody else of a visitor who is
// identified; a link that Onym has signed may join what is known of them (extra/handover.js).
import { readParams } from './context'
import type { Analytics, Context, Json, LoadOptions } from './types'

/** The parameters that begin with `prefix`, without it. */
const pickParams = (params: Json, prefix: string): Json =>
  Object.fromEntries(
    Object.entries(params).flatMap(([key, value]) =>
      key.startsWith(prefix) && key != prefix ? [[key.slice(prefix.length), value]] : [],
    ),
  )

/** `text` is a URL or the query of one; a query after a hash counts as well. */
export const runQueryString = async (
  text: string,
  allowed: LoadOptions['useQueryString'],
  api: Analytics,
): Promise<Context[]> => {
  const calls: Array<Promise<Context>> = []
  if (allowed === false) return []
  // What Onym has signed is not the id itself: extra/handover.js.
  const { aid = /^(?!onym1\.)./, uid = /./ } = allowed === true ? {} : (allowed ?? {})
  const params = readParams(text.replace(/[?#]/g, '&'))
  const { ajs_aid = '', ajs_uid = '', ajs_event } = params
  const user = api.user()
  const takes = (allows: RegExp, id: string, own: string | null) =>
    allows.test(id) && (!user.id() || id == own || void console.warn('Onym: link not taken: ' + id))
  if (takes(aid, ajs_aid, user.anonymousId())) api.setAnonymousId(ajs_aid)
  if (takes(uid, ajs_uid, user.id())) calls.push(api.identify(ajs_uid, pickParams(params, 'ajs_trait_')))
  if (ajs_event) calls.push(api.track(ajs_event, pickParams(params, 'ajs_prop_')))
  return Promise.all(calls)
}
