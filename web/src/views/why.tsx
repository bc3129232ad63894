// Why two ids are one person, or why they are two: asked of the API, told as the chain of messages.
import { useState } from 'preact/hooks'
import { Id, Link, Person } from '../api'
import { useAnswer } from '../answer'
import { Choice, Picker } from '../picker'
import { placeHref } from '../route'
import { Answered, Text, When } from '../ui'

interface Why {
  same: boolean
  reason: string
  text: string
  at: Id | null
  links: Link[]
}

const idsOf = (person: Person): Choice[] => [
  ...person.user_ids.map((id) => ({ value: 'user_id:' + id, label: id, group: 'user' })),
  ...person.external_ids.map((one) => ({ value: one.type + ':' + one.id, label: one.id, group: one.type })),
  ...person.anonymous_ids.map((id) => ({ value: 'anonymous_id:' + id, label: id, group: 'device' })),
]

export const WhyTwo = ({ person }: { person: Person }) => {
  const own = idsOf(person)
  const [pair, setPair] = useState<[string, string]>([own[0]?.value ?? '', ''])
  const isAsked = pair[0] && pair[1] && pair[0] != pair[1]
  const asking = useAnswer<Why>(isAsked ? 'people/why?ids=' + pair.map(encodeURIComponent).join(',') : null)
  const choose = (at: 0 | 1) => (value: string) => setPair(at == 0 ? [value, pair[1]] : [pair[0], value])
  return (
    <section class="why">
      <h3>Why are these two one person, or two?</h3>
      <p class="pair">
        {([0, 1] as const).map((at) => (
          <Picker
            label={at == 0 ? 'One id' : 'The other id'}
            placeholder={at == 0 ? 'an id' : 'another id, of anybody'}
            value={pair[at]}
            load={() => Promise.resolve(own)}
            choose={choose(at)}
          />
        ))}
      </p>
      {isAsked && (
        <Answered asking={asking} lines={2}>
          {(why) => (
            <div class="edge-details" role="status">
              <p>
                <strong>{why.same ? 'One person.' : 'Two people.'}</strong> <Text of={why.text} most={400} />
                {why.at && (
                  <>
                    {' '}
                    (
                    <code>
                      <Text of={why.at.id} most={60} />
                    </code>
                    )
                  </>
                )}
              </p>
              <ol class="plain">
                {why.links.map((link) => (
                  <li>
                    <Text of={link.from.id} most={50} /> and <Text of={link.to.id} most={50} />: <When at={link.time} />
                    , {link.message_type} from <Text of={link.source ?? '?'} most={30} />,{' '}
                    <a href={placeHref(['live', String(link.position)])}>position {link.position}</a>
                    {link.removed && <strong> taken back</strong>}
                  </li>
                ))}
              </ol>
            </div>
          )}
        </Answered>
      )}
    </section>
  )
}
