// Option attribution: what brought the visitor, first and last, and the session; kept with the visitor, and stamped into
// each call as context.firstTouch, context.lastTouch and context.session. (Not in the core.)
//
// What stands in an address is anybody's text: known names only, bounded, and never more than fits into a cookie.
// Each record says which visitor it is of, so that whoever logs out, on whichever subdomain, leaves nothing behind.
import { readParams } from './context'
import { toJson } from './json'
import { uuid } from './mark'
import { seen } from './seen'
import { attempt } from './sooner'
import type { Stores } from './storage'
import type { Json, LoadOptions } from './types'

const SESSION_MS = 30 * 60_000
/** A session's last moment is written down so often. */
const NOTE_MS = 60_000
const TEXT_MAX = 100
const CLICK_ID_MAX = 256
const ADDRESS_MAX = 200
/** Of a record in a cookie, encoded. */
const RECORD_MAX = 1400

const CAMPAIGN = 'source medium campaign term content id'.split(' ')
const CLICK_IDS =
  'gclid gbraid wbraid dclid fbclid msclkid ttclid twclid li_fat_id rdt_cid ScCid epik irclickid yclid'.split(' ')

const record = (pairs: Array<[string, string | undefined]>): Json | undefined => {
  const found = pairs.filter(([, text]) => text)
  return found.length ? Object.fromEntries(found) : undefined
}

/** Without query and hash: what stands there may be a secret. */
const address = (url: string): string => url.replace(/[?#].*/s, '').slice(0, ADDRESS_MAX)

/** How the visitor came to this page. */
export const readTouch = (url: string, referrer: string, at_ms: number): Json => {
  const params = readParams(/\?[^#]*/.exec(url)?.[0] ?? '')
  const touch: Json = {
    at: new Date(at_ms).toISOString(),
    page: address(url),
    referrer: address(referrer) || undefined,
    campaign: record(CAMPAIGN.map((name) => [name == 'campaign' ? 'name' : name, params['utm_' + name]?.slice(0, TEXT_MAX)])),
    // A part of a click id is none.
    clickIds: record(CLICK_IDS.map((name) => [name, params[name]?.length > CLICK_ID_MAX ? undefined : params[name]])),
  }
  for (const name of ['clickIds', 'campaign', 'referrer', 'page'])
    if (encode(touch).length > RECORD_MAX) delete touch[name]
  return touch
}

/** A lone surrogate, which no cookie can hold, is a sign like any other. */
const encode = (value: Json): string =>
  attempt(() => encodeURIComponent(toJson(value)), () => '*'.repeat(RECORD_MAX + 1)) as string

export const makeTouches = (options: LoadOptions) => {
  let landing: Json | undefined = readTouch(location.href, seen('referrer'), Date.now())
  let takenFor: string | undefined
  let stores: Stores

  const store = () => {
    const wanted = options.storage?.stores
    const name = (['cookie', 'localStorage'] as const).find((name) => stores[name] && (!wanted || wanted.includes(name)))
    return name ? stores[name]! : stores.memory
  }
  /** What is there of this visitor. */
  const read = (name: string, of: string): Json | undefined =>
    attempt<any>(() => {
      const text = store().read(name)!
      const found = text.length > 3 * RECORD_MAX ? null : JSON.parse(text)
      return found?.of === of ? found : undefined
    })
  const write = (name: string, value: Json): Json => {
    store().write(name, toJson(value), true)
    return value
  }
  const clear = () => ['onym_first', 'onym_last', 'onym_session'].forEach((name) => store().write(name, null))

  const isForeign = (referrer: string | undefined): boolean => {
    const host = /^https?:\/\/([^/:]+)/.exec(referrer ?? '')?.[1]
    const { domain } = stores
    return !!host && host != location.hostname && !(domain && ('.' + host).endsWith('.' + domain))
  }

  const shown = ({ of, ...touch }: Json): Json => touch

  return {
    takeUp(found: Stores) {
      stores = found
    },
    /** What a call of this visitor carries. */
    context(anonymousId: string): Json {
      const of = anonymousId.slice(-36)
      const now = Date.now()
      let session = read('onym_session', of)
      const isNew = !(session && Math.abs(now - session.at) < SESSION_MS)
      if (isNew) session = { of, id: uuid(), start: new Date(now).toISOString(), at: now }
      if (isNew || Math.abs(now - session!.at) > NOTE_MS) session = write('onym_session', { ...session, at: now })
      let first = read('onym_first', of)
      let last = read('onym_last', of)
      if (landing && takenFor != of) {
        takenFor = of
        const touch = { of, ...landing }
        first ??= write('onym_first', touch)
        // Who comes back from a payment or a log-in at another site is in the middle of a visit.
        if (!last || landing.campaign || landing.clickIds || (isNew && isForeign(landing.referrer)))
          last = write('onym_last', touch)
      }
      return {
        session: { id: session!.id, start: session!.start },
        ...(first && { firstTouch: shown(first) }),
        ...(last && { lastTouch: shown(last) }),
      }
    },
    /** The next visitor was not brought by what brought this one. */
    reset() {
      landing = undefined
      if (stores) clear()
    },
    forget: () => stores && clear(),
  }
}
