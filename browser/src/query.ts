// The query-string API: links in e-mails that say who clicks. ?ajs_aid= sets the anonymous id, ?ajs_uid=
// identifies (with ajs_trait_*), ?ajs_event= tracks (with ajs_prop_*), in that order.
import { pickParams, readParams } from './context'
import type { Analytics, LoadOptions } from './types'

/** `text` is a URL or the query of one; a query after a hash counts as well. */
export const runQueryString = (
  text: string,
  allowed: LoadOptions['useQueryString'],
  api: Analytics,
): void => {
  if (allowed === false) return
  const { aid = /./, uid = /./ } = allowed === true ? {} : (allowed ?? {})
  const params = readParams(text.replace(/[?#]/g, '&'))
  const { ajs_aid = '', ajs_uid = '', ajs_event } = params
  if (aid.test(ajs_aid)) api.setAnonymousId(ajs_aid)
  if (uid.test(ajs_uid)) api.identify(ajs_uid, pickParams(params, 'ajs_trait_'))
  if (ajs_event) api.track(ajs_event, pickParams(params, 'ajs_prop_'))
}
