// What to do when something else than "taken" comes back: Onym has refused a call for good, or somebody else has
// answered. (In the second file; delivery.ts asks for it then.)
//
// When somebody else answers (a firewall that dislikes one call, a proxy that finds the batch too large), an empty batch
// asks whether anything gets through. If not, no call is to blame, and all wait, in their order. If so, halves of the
// batch are tried until one call stands alone. One that is stopped alone twice, while the empty batch in between gets
// through, is disliked itself: it is set aside, and those behind it go on, in their order. Where no call at all gets
// through, one more of them is tried with each wait (then from one again), and all go back into line.
import type { Drain, Sent } from './delivery'
import { isFinal, judge, type Answer } from './post'
import type { Receipt } from './types'

const BATCH_COUNT = 100
/** Calls that were set aside have another turn after this long. */
const ASIDE_MS = 60_000

/**
 * `send` makes a batch of at most so many calls and sends it; `ask` sends one without calls; `end` takes calls out of the
 * queue; `giveUp` says how long all waits; what is in `aside` is left out; `attempts` is how often all has waited by now;
 * `emit` tells the page of a call that Onym will never take.
 */
export const makeDrain = (
  isOpen: () => boolean,
  send: (countMax: number) => Promise<Sent>,
  ask: () => Promise<Answer>,
  end: (keys: string[], receipt?: Receipt) => void,
  giveUp: (answer: Answer) => number,
  aside: Set<string>,
  attempts: () => number,
  retry: () => void,
  emit: (name: string, fault: object) => void,
): Drain => {
  let countMax = BATCH_COUNT
  let asideTimer: number | undefined

  return async (sent) => {
    let hasPassed = false
    let hasTriedAside = false
    /** So many were set aside since a call got through. */
    let failed = 0
    /** It was stopped alone, and the empty batch behind it was not. */
    let suspect: string | undefined
    while (isOpen()) {
      const [keys, answer] = sent ?? (await send(countMax))
      sent = undefined
      if (!answer) {
        // What ended just now may have been a trouble of the moment.
        if (!hasPassed || !aside.size || hasTriedAside) break
        hasTriedAside = true
        aside.clear()
        continue
      }
      const [status] = answer
      const verdict = judge(answer)
      const isAlone = keys.length == 1
      if (verdict == 'taken' || (verdict && isAlone)) {
        if (verdict == 'taken') end(keys)
        else {
          end(keys, 'refused')
          emit('error', { code: 'delivery_failure', id: keys[0], status })
        }
        countMax = BATCH_COUNT
        hasPassed = true
        failed = 0
        continue
      }
      // Somebody else's answer. No answer at all is the network's trouble, unless it is this call's again and again.
      const isOthers = isFinal(status) || (status ? status < 400 : attempts() > 2)
      const isSure = (!isAlone && hasPassed) || keys[0] == suspect
      if (!verdict && !(isOthers && (isSure || judge(await ask())))) return giveUp(answer)
      if (!isAlone) countMax = keys.length >> 1
      else if (keys[0] != suspect) suspect = keys[0]
      else if (failed++ > attempts() % 20) return 0
      else aside.add(suspect!)
    }
    if (failed && !hasPassed) return 0
    clearTimeout(asideTimer)
    if (aside.size) asideTimer = setTimeout(retry, ASIDE_MS)
    return undefined
  }
}
