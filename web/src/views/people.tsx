// People: found by any id, an e-mail address or a name.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Cursor, Person, call, isAnalyst } from '../api'
import { useAnswer } from '../answer'
import { useKeys } from '../keys'
import { count } from '../format'
import { go, replace } from '../place'
import { Place, personHref, placeHref } from '../route'
import { Answered, Empty, PersonLink, Scroll, Text, When } from '../ui'

interface PeoplePage {
  people: Person[]
  /** How far back a list without a search looks; null: everybody is in it. */
  since?: string | null
  cursor: Cursor
}

export const People = ({ place }: { place: Place }) => {
  const search = place.params.get('search') ?? ''
  const [typed, setTyped] = useState(search)
  const field = useRef<HTMLInputElement>(null)
  const [more, setMore] = useState<Person[]>([])
  const [cursor, setCursor] = useState<Cursor | null>(null)
  const [at, setAt] = useState(-1)
  const path = 'people?limit=50' + (search ? '&search=' + encodeURIComponent(search) : '')
  const asking = useAnswer<PeoplePage>(path)
  useEffect(() => {
    setMore([])
    setCursor(null)
    setAt(-1)
  }, [search, asking.answer])
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed.trim() != search) replace(placeHref(['people'], { search: typed.trim() }))
    }, 200)
    return () => clearTimeout(timer)
  }, [typed])
  useEffect(() => {
    if (!search) field.current?.focus()
  }, [])
  const people = [...(asking.answer?.people ?? []), ...more]
  const next = cursor ?? asking.answer?.cursor ?? null
  useKeys({
    '/': () => field.current?.focus(),
    j: () => setAt(Math.min(people.length - 1, at + 1)),
    k: () => setAt(Math.max(0, at - 1)),
    Enter: () => people[at] && go(personHref(people[at].person_id)),
  })
  return (
    <section class="view">
      <header class="top">
        <h1>People</h1>
      </header>
      {isAnalyst() && (
        <form
          class="search"
          role="search"
          onSubmit={(event) => {
            event.preventDefault()
            field.current?.blur()
            setAt(0)
          }}
        >
          <label for="search" class="sr">
            Any id, e-mail address or name
          </label>
          <input
            id="search"
            ref={field}
            type="search"
            value={typed}
            placeholder="Any id, how an e-mail address or a name begins"
            onInput={(event) => setTyped(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
          />
        </form>
      )}
      <Answered asking={asking}>
        {({ since }) =>
          people.length == 0 ? (
            search ? (
              <Empty title="Nobody of that name.">
                What begins so is found: <code>kim</code> finds Kim Ferro, <code>ferro</code> does not.
              </Empty>
            ) : (
              <Empty title="Nobody yet.">
                <a href={placeHref(['start'])}>First run</a> has what to paste.
              </Empty>
            )
          ) : (
            <>
              <Scroll label="People">
                <table class="rows">
                  <thead>
                    <tr>
                      <th scope="col">person</th>
                      <th scope="col">e-mail</th>
                      <th scope="col">user id</th>
                      <th scope="col" class="n">
                        devices
                      </th>
                      <th scope="col" class="n">
                        events
                      </th>
                      <th scope="col">first seen</th>
                      <th scope="col">last seen</th>
                    </tr>
                  </thead>
                  <tbody>
                    {people.map((person, n) => (
                      <tr class={n == at ? 'at' : ''}>
                        <th scope="row">
                          <PersonLink person={person} />
                        </th>
                        <td>
                          <Text of={person.traits.email ?? ''} most={48} />
                        </td>
                        <td>
                          <Text of={person.user_ids.join(', ')} most={40} />
                        </td>
                        <td class="n">{count(person.anonymous_ids.length)}</td>
                        <td class="n">{count(person.events)}</td>
                        <td>
                          <When at={person.first_seen} relative />
                        </td>
                        <td>
                          <When at={person.last_seen} relative />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
              {next?.has_more && (
                <button
                  type="button"
                  onClick={async () => {
                    const page = await call<PeoplePage>('GET', `${path}&cursor=${encodeURIComponent(next.next ?? '')}`)
                    setMore([...more, ...page.people])
                    setCursor(page.cursor)
                  }}
                >
                  Show more
                </button>
              )}
              {!search && (
                <p class="over">
                  Whoever was heard of last stands first
                  {since && !Number.isNaN(Date.parse(since)) && (
                    <>
                      ; back to messages that came at <When at={since} />: whoever was last heard of before is found by
                      a search
                    </>
                  )}
                  . <kbd>/</kbd> brings you to the search from everywhere.
                </p>
              )}
            </>
          )
        }
      </Answered>
    </section>
  )
}
