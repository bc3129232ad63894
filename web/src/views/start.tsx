// The first run: nothing has come yet. Listens, says what to paste, and ticks off what has been seen.
import { useState } from 'preact/hooks'
import type { Destination, EventList } from '../api'
import { useAnswer } from '../answer'
import { SNIPPETS } from '../snippets'
import { placeHref } from '../route'
import { CopyButton, Tabs, Text } from '../ui'
import { KeyField, useWriteKey } from './sources'

interface Step {
  name: string
  isDone: boolean
  says: any
}

export const Start = () => {
  const events = useAnswer<EventList>('events', { limit: 200 }, 2000)
  const destinations = useAnswer<{ destinations: Destination[] }>('destinations', undefined, 5000)
  const isJoined = useAnswer<any>('signups', {}, 4000)
  const [name, setName] = useState('Website')
  const key = useWriteKey()
  const list = events.answer?.events ?? []
  const has = (type: string) => list.some((one) => one.type == type)
  const libraries = (events.answer?.properties ?? []).find((one) => one.field == 'context.library.name')?.examples ?? []
  const isServer = libraries.some(
    (one) =>
      typeof one == 'string' &&
      !/^(analytics\.js|@onym|@segment\/analytics-next|analytics-next|RudderLabs JavaScript)/i.test(one),
  )
  const delivered = destinations.answer?.destinations.some((one) => one.delivered > 0) ?? false
  const snippet = SNIPPETS.find((one) => one.name == name)!
  const code = snippet.code(location.origin, key.value || 'YOUR_WRITE_KEY')
  const steps: Step[] = [
    {
      name: 'A page is seen',
      isDone: has('page') || has('screen'),
      says: <>Paste what stands below, and open your site.</>,
    },
    {
      name: 'Somebody is identified',
      isDone: has('identify'),
      says: (
        <>
          <code>
            analytics.identify('12345', {'{'} email: … {'}'})
          </code>
          , right after a sign-up or log-in.
        </>
      ),
    },
    {
      name: 'The same person before and after',
      isDone: (isJoined.answer?.with_history ?? 0) > 0,
      says: <>Visit before you sign up: the visits are that user’s then.</>,
    },
    {
      name: 'A call from your server',
      isDone: isServer,
      says: <>For the same user id: it arrives even where the browser’s does not.</>,
    },
    {
      name: 'A destination has got something',
      isDone: delivered,
      says: (
        <>
          Optional: Mixpanel, KISSmetrics, Intercom or a webhook, in <code>onym.yaml</code>.
        </>
      ),
    },
  ]
  const done = steps.filter((step) => step.isDone).length
  return (
    <section class="view start">
      <header class="top">
        <h1>{list.length ? 'It arrives' : 'Waiting for the first event…'}</h1>
        <p class="state">
          <i class={'dot ' + (events.error ? 'broken' : 'open')} /> listening
        </p>
      </header>
      {list.length > 0 && (
        <p class="headline">
          The first: <span class="type">{list[0].type}</span> <Text of={list[0].event} most={60} />.{' '}
          <a href={placeHref(['live'])}>See them live</a>
        </p>
      )}
      <ol class="checklist">
        {steps.map((step) => (
          <li class={step.isDone ? 'done' : ''}>
            <span class="tick" aria-hidden="true">
              {step.isDone ? '✓' : ''}
            </span>
            <div>
              <strong>{step.name}</strong>
              <span class="sr">{step.isDone ? ', done' : ', not yet'}</span>
              {!step.isDone && <p>{step.says}</p>}
            </div>
          </li>
        ))}
      </ol>
      <p class="over">
        {done} of {steps.length} seen
      </p>
      <h2>What to paste</h2>
      <KeyField state={key} />
      <Tabs
        label="Language"
        now={name}
        choose={setName}
        of={SNIPPETS.map((one): [string, string] => [one.name, one.name])}
      />
      <p class="note">{snippet.says}</p>
      <pre class="code" tabIndex={0}>
        {code}
      </pre>
      <p class="copies">
        <CopyButton text={() => code}>Copy</CopyButton>
        {key.value && (
          <button type="button" class="quiet" onClick={() => void send(key.value)}>
            Send a test event from this page
          </button>
        )}
      </p>
    </section>
  )
}

/** Collection has its own key, which the page was given; the session's cookie does not count there. */
const send = (key: string) =>
  fetch('/v1/track', {
    method: 'POST',
    credentials: 'omit',
    headers: { 'Content-Type': 'application/json', Authorization: 'Basic ' + btoa(key + ':') },
    body: JSON.stringify({
      event: 'Test Event',
      anonymousId: 'dashboard-test',
      messageId: 'dashboard-' + crypto.getRandomValues(new Uint32Array(2)).join('-'),
      context: { library: { name: 'dashboard' } },
    }),
  })
