// confirm and stamp: what became of a call, and one call made from two sides. (Not in the core.)
import { mark } from './mark'
import { seen } from './seen'
import { attempt } from './sooner'
import type { Analytics, CallOptions, Context, Json, Receipt, Stamp } from './types'

const WITHIN_MS = 300
const WITHIN_MAX_MS = 30_000

/** `delivered`: Onym has it on disk. `kept`: it waits in the queue. `refused`: it will never be sent, or Onym said no. */
export const makeReceipts = (track: Analytics['track'], isRefused: () => boolean) => {
  const waiting = new Map<string, Array<(receipt: Receipt) => void>>()
  return {
    /** Delivery has an answer for the call. */
    end(id: string, receipt: Receipt) {
      waiting.get(id)?.forEach((resolve) => resolve(receipt))
      waiting.delete(id)
    },
    confirm: (event: string, properties?: Json | null, options?: (CallOptions & { within?: number }) | null) =>
      new Promise<Receipt>((resolve) => {
        const { within, ...others } = options ?? {}
        const id: string = others.messageId ?? mark()[1]
        const limit_ms = typeof within == 'number' && within >= 0 ? Math.min(within, WITHIN_MAX_MS) : WITHIN_MS
        setTimeout(() => {
          resolve('kept')
          waiting.delete(id)
        }, limit_ms)
        waiting.set(id, [...(waiting.get(id) ?? []), resolve])
        const failed = (error: unknown) => {
          console.error(error)
          resolve('refused')
        }
        // No consent, or switched off: nothing keeps it.
        if (isRefused()) resolve('refused')
        void attempt<unknown>(
          () =>
            track(event, properties ?? {}, { ...others, messageId: id }).then(
              (context: Context | undefined) =>
                (context?.failedDelivery() || context?.event.integrations['Segment.io'] === false) &&
                resolve('refused'),
              failed,
            ),
          failed,
        )
      }),
  }
}

interface Stamped {
  id: string
  event: string | undefined
  properties: Json | ((form: HTMLFormElement) => Json) | undefined
  options: CallOptions | undefined
}

/** Hidden fields of this name only: a field that the visitor fills in is theirs. */
const hidden = (form: HTMLFormElement, name: string): HTMLInputElement | null =>
  form.querySelector(`input[type=hidden][name="${name}"]`)

const setField = (form: HTMLFormElement, name: string, value: string | null) => {
  let field = hidden(form, name)
  if (value === null) return field?.remove()
  if (!field) {
    field = seen('createElement').call(document, 'input') as HTMLInputElement
    field.type = 'hidden'
    field.name = name
    form.append(field)
  }
  // The default, too, so that form.reset() keeps it.
  field.defaultValue = field.value = value
}

/** `ids` gives the anonymousId, or null where nothing may be said of the visitor. */
export const makeStamp = (track: Analytics['track'], anonymousId: () => string | null) => {
  const forms = new WeakMap<HTMLFormElement, Stamped>()

  const write = (form: HTMLFormElement, data?: FormData) => {
    const { id } = forms.get(form)!
    const visitor = anonymousId()
    for (const [name, value] of [
      ['anonymousId', visitor],
      ['messageId', visitor && id],
    ] as const) {
      // A field of this name that the visitor fills in goes as it is.
      const isOurs = data?.getAll(name).length == (hidden(form, name) ? 1 : 0)
      if (!data) setField(form, name, value)
      else if (isOurs && value) data.set(name, value)
      else if (isOurs) data.delete(name)
    }
  }

  const renew = (form: HTMLFormElement) => {
    forms.get(form)!.id = mark()[1]
    write(form)
  }

  const watch = (form: HTMLFormElement) => {
    form.addEventListener('submit', () => {
      write(form)
      const { id, event, properties, options } = forms.get(form)!
      if (event)
        void attempt<unknown>(
          () => track(event, typeof properties == 'function' ? properties(form) : (properties ?? {}), { ...options, messageId: id }),
          console.error,
        )
    })
    // The visitor of this moment, and form.submit(), which tells no submit handler.
    form.addEventListener('formdata', (event) => write(form, (event as FormDataEvent).formData))
    // Emptied, or come back to: what is filled in now is another call.
    form.addEventListener('reset', () => renew(form))
    addEventListener('pageshow', ({ persisted }) => persisted && renew(form))
  }

  return (
    target: HTMLFormElement | null | undefined,
    event?: string,
    properties?: Stamped['properties'],
    options?: CallOptions,
  ): Stamp | null => {
    const form = (target as any)?.[0]?.elements ? (target as any)[0] : target
    if (!/Form/.test({}.toString.call(form))) {
      console.error('Onym: stamp needs a form', target)
      return null
    }
    if (!forms.has(form)) watch(form)
    forms.set(form, { id: mark()[1], event, properties, options })
    write(form)
    const visitor = anonymousId()
    return visitor ? { anonymousId: visitor, messageId: forms.get(form)!.id } : null
  }
}
