// Signing in: by the link that `onym ui` prints, or by a key, which is sent once and kept nowhere in the browser.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Session, call } from '../api'

export const SignIn = ({ enter, says }: { enter: (session: Session) => void; says: string }) => {
  const [problem, setProblem] = useState(says)
  const [isBusy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return (
    <main class="signin">
      <h1>
        <span class="mark" aria-hidden="true">
          ○●
        </span>{' '}
        Onym
      </h1>
      <form
        onSubmit={async (event) => {
          event.preventDefault()
          setBusy(true)
          setProblem('')
          try {
            enter(await call<Session>('POST', 'session', { key: field.current!.value.trim() }))
          } catch (error: any) {
            setProblem(error.message)
            setBusy(false)
            field.current?.select()
          }
        }}
      >
        <label for="key">Secret key</label>
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="current-password"
          required
          spellcheck={false}
          aria-describedby="problem"
        />
        <button disabled={isBusy} class="primary">
          Sign in
        </button>
        <p id="problem" role="alert" class={problem ? 'problem' : ''}>
          {problem}
        </p>
      </form>
      <p class="note">
        Without typing: <code>onym ui</code> on the server prints a link that signs you in.{' '}
        <code>onym keys --secret</code> shows the key.
      </p>
      {location.protocol == 'http:' && !/^(localhost|127\.|\[::1\])/.test(location.host) && (
        <p class="note">This connection is not encrypted: whoever is on the way can read the key.</p>
      )}
    </main>
  )
}
