// What could not be delivered: grouped by what went wrong, with samples of request and answer, and each by itself.
import { useEffect, useState } from 'preact/hooks'
import { call, isAdmin } from '../api'
import { forgetAnswers } from '../answer'
import { count, plural } from '../format'
import { Letter, troublesOf } from '../letters'
import { placeHref } from '../route'
import { Confirm, Failure, Json, Tabs, Text, When } from '../ui'

/** How many are read; more than these are told to be there. */
const MOST = 1000

export const DeadLetters = ({
  path,
  kept,
  redo,
}: {
  path: string
  kept: number
  redo: (number?: number) => Promise<void>
}) => {
  const [letters, setLetters] = useState<Letter[] | null>(null)
  const [hasMore, setMore] = useState(false)
  const [problem, setProblem] = useState<any>(null)
  const [how, choose] = useState<'groups' | 'each'>('groups')
  useEffect(() => {
    let isHere = true
    const read = async () => {
      const found: Letter[] = []
      let after: number | null = null
      do {
        const page: { dead: Letter[]; next: number | null } = await call(
          'GET',
          `${path}/dead?limit=100${after === null ? '' : '&after=' + after}`,
        )
        found.push(...page.dead)
        after = page.next
      } while (after !== null && found.length < MOST && isHere)
      if (!isHere) return
      setLetters(found)
      setMore(after !== null)
    }
    read().catch((error) => isHere && setProblem(error))
    return () => void (isHere = false)
  }, [path, kept])
  const again = async (number?: number) => {
    await redo(number)
    forgetAnswers()
  }
  const retry = (one: Letter) =>
    isAdmin() && (
      <button
        type="button"
        class="quiet small"
        onClick={(event) => {
          event.preventDefault()
          void again(one.number)
        }}
      >
        Try again
      </button>
    )
  return (
    <section aria-busy={letters === null && !problem}>
      <div class="row">
        <h2>What could not be delivered</h2>
        {(letters?.length ?? 0) > 0 && (
          <span>
            <Tabs
              label="Dead letters"
              now={how}
              choose={choose}
              of={[
                ['groups', 'by what went wrong'],
                ['each', 'each'],
              ]}
            />{' '}
            {isAdmin() && <Confirm ask="Try all again…" says="All of them are sent once more." run={() => again()} />}
          </span>
        )}
      </div>
      {problem && <Failure error={problem} />}
      {letters?.length === 0 && <p class="note">Nothing: all that was taken is delivered or waits.</p>}
      {how == 'groups' &&
        troublesOf(letters ?? []).map((trouble) => (
          <article class="finding warning trouble">
            <h3>
              <Text of={trouble.key} most={200} />
            </h3>
            <p class="row facts-line">
              <span>
                <b>{count(trouble.count)}</b> {trouble.count == 1 ? 'message' : 'messages'}
              </span>
              <span class="dim">
                from <When at={trouble.first} /> to <When at={trouble.last} />
              </span>
            </p>
            <p>{trouble.says}</p>
            <details>
              <summary>Samples of request and answer</summary>
              {trouble.samples.map((one) => (
                <>
                  <p class="row">
                    <span>
                      number {one.number}
                      {one.position !== undefined && (
                        <>
                          , <a href={placeHref(['live', String(one.position)])}>the message</a>
                        </>
                      )}
                    </span>
                    {retry(one)}
                  </p>
                  <Json of={{ request: one.request, answer: one.answer }} />
                </>
              ))}
            </details>
          </article>
        ))}
      {how == 'each' && (
        <ul class="plain">
          {letters!.slice(0, 200).map((one) => (
            <li class="delivery">
              <details>
                <summary>
                  <span class="n">{one.number}</span>{' '}
                  <Text of={one.reason ?? one.error ?? 'could not be delivered'} most={140} /> {retry(one)}
                </summary>
                <Json of={one} />
              </details>
            </li>
          ))}
        </ul>
      )}
      {(hasMore || (how == 'each' && letters!.length > 200)) && (
        <p class="note">
          The oldest {how == 'each' ? plural(200, 'letter') : plural(letters!.length, 'letter')};{' '}
          <code>onym destinations dead</code> shows more.
        </p>
      )}
    </section>
  )
}
