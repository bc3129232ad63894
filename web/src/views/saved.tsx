// Saved questions: under a name, and by a short link that a chat does not cut.
import { useEffect, useState } from 'preact/hooks'
import { ApiError, call, isAnalyst } from '../api'
import { Asking, forgetAnswers, useAnswer } from '../answer'
import { replace } from '../place'
import { KINDS, Kind, apiPath } from '../question'
import { Place, placeHref } from '../route'
import { plain } from '../text'
import { Answered, Confirm, CopyButton, Empty, Failure, Scroll, Text, When, useSay, copy } from '../ui'

export interface Saved {
  id: string
  name: string
  kind: string
  question: Record<string, unknown>
  view: { params?: string } | null
  saved_by: string
  saved_at: string
}
/** How the page shows it stands in `view`; what was saved by the API alone has no such, and only its question. */
const kindOf = (one: Saved): Kind | null => KINDS.find((row) => row.path == one.kind)?.kind ?? null
const hrefOf = (one: Saved): string | null => {
  const kind = kindOf(one)
  if (!kind || typeof one.view?.params != 'string') return null
  const params = new URLSearchParams(one.view.params)
  params.set('saved', one.id)
  return placeHref(['questions', kind], params)
}
const shortLink = (id: string) => location.origin + location.pathname + placeHref(['s', id])

/** #/s/ID: leads to the question, whose address has all of it from then on. */
export const Short = ({ place }: { place: Place }) => {
  const [problem, setProblem] = useState<ApiError | null>(null)
  const id = place.path[1] ?? ''
  useEffect(() => {
    call<Saved>('GET', 'saved/' + encodeURIComponent(id)).then(
      (one) => replace(hrefOf(one) ?? placeHref(['questions', 'saved'])),
      setProblem,
    )
  }, [id])
  return (
    <section class="view" aria-busy={!problem}>
      {problem &&
        (problem.status == 404 ? (
          <Empty title="There is no saved question here (any more).">
            <a href={placeHref(['questions', 'saved'])}>All that are saved</a>
          </Empty>
        ) : (
          <Failure error={problem} />
        ))}
    </section>
  )
}

export const SavedList = () => {
  const say = useSay()
  const asking = useAnswer<{ saved: Saved[] }>('saved')
  const [problem, setProblem] = useState<any>(null)
  const forget = async (one: Saved) => {
    try {
      await call('DELETE', 'saved/' + encodeURIComponent(one.id))
      say('Deleted')
      asking.again()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <>
      {problem && <Failure error={problem} />}
      <Answered asking={asking} lines={3}>
        {({ saved }) =>
          saved.length == 0 ? (
            <Empty title="No question is saved yet.">
              Build one, then <em>Save</em> below its picture: it gets a name, and a short link.
            </Empty>
          ) : (
            <Scroll label="Saved questions">
              <table class="rows saved">
                <thead>
                  <tr>
                    <th scope="col">name</th>
                    <th scope="col">kind</th>
                    <th scope="col">saved</th>
                    <th scope="col">by</th>
                    <th scope="col">
                      <span class="sr">what to do</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {saved.map((one) => {
                    const href = hrefOf(one)
                    return (
                      <tr>
                        <th scope="row">
                          {href ? (
                            <a href={href}>
                              <Text of={one.name} most={80} />
                            </a>
                          ) : (
                            <Text of={one.name} most={80} />
                          )}
                        </th>
                        <td>{KINDS.find((row) => row.path == one.kind)?.name ?? plain(one.kind, 20)}</td>
                        <td>
                          <When at={one.saved_at} relative />
                        </td>
                        <td>
                          <Text of={one.saved_by} most={40} />
                        </td>
                        <td class="actions">
                          {href && (
                            <CopyButton
                              text={() => shortLink(one.id)}
                              title={'Copy the short link of ' + plain(one.name, 40)}
                            >
                              Copy link
                            </CopyButton>
                          )}
                          {isAnalyst() && (
                            <Confirm ask="Delete…" says="Its short link leads nowhere then." run={() => forget(one)} />
                          )}
                        </td>
                      </tr>
                    )
                  })}
                </tbody>
              </table>
            </Scroll>
          )
        }
      </Answered>
    </>
  )
}

/** Saves what is shown, under a name; what was saved before can take its place. */
export const SaveQuestion = ({
  kind,
  body,
  params,
  known,
}: {
  kind: Kind
  body: Record<string, unknown>
  params: URLSearchParams
  known: Asking<Saved>
}) => {
  const say = useSay()
  const [name, setName] = useState<string | null>(null)
  const [problem, setProblem] = useState<any>(null)
  const old = known.answer
  if (!isAnalyst()) return null
  const save = async (as: string, over: string | null) => {
    setProblem(null)
    try {
      const one = await call<Saved>('POST', 'saved', {
        ...(over ? { id: over } : {}),
        name: as,
        kind: apiPath(kind),
        question: body,
        view: { params: params.toString() },
      })
      forgetAnswers()
      known.again()
      setName(null)
      const next = new URLSearchParams(params)
      next.set('saved', one.id)
      replace(placeHref(['questions', kind], next))
      say((await copy(shortLink(one.id))) ? 'Saved; its short link is copied' : 'Saved')
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <span class="save">
      {name === null ? (
        <>
          <button type="button" class="quiet" onClick={() => setName('')}>
            {old ? 'Save as another' : 'Save'}
          </button>
          {old && (
            <>
              <Confirm
                ask="Save over…"
                says={
                  <>
                    <Text of={old.name} most={60} /> is what is shown now, also for those who have its link.
                  </>
                }
                run={() => save(old.name, old.id)}
              />
              <CopyButton text={() => shortLink(old.id)}>short link</CopyButton>
            </>
          )}
        </>
      ) : (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault()
            void save(name.trim(), null)
          }}
        >
          <label>
            <span class="sr">Name of the question</span>
            <input
              id="saved-name"
              value={name}
              placeholder="a name for it"
              ref={(one) => {
                if (name === '') one?.focus()
              }}
              onInput={(event) => setName(event.currentTarget.value)}
              autocomplete="off"
            />
          </label>
          <button disabled={!name.trim()}>Save it</button>
          <button type="button" class="quiet" onClick={() => setName(null)}>
            No
          </button>
        </form>
      )}
      {problem && <Failure error={problem} />}
    </span>
  )
}

/** The name of what is shown, where it is a saved one. */
export const SavedName = ({ known, now }: { known: Asking<Saved>; now: string }) => {
  if (!known.answer) return null
  const isChanged = known.answer.view?.params !== now
  return (
    <p class="saved-name">
      <strong>
        <Text of={known.answer.name} most={100} />
      </strong>{' '}
      <span class="dim">
        saved by <Text of={known.answer.saved_by} most={40} />, <When at={known.answer.saved_at} relative />
        {isChanged && ' · changed since, and not saved'}
      </span>
    </p>
  )
}
