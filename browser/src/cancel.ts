// How a plugin drops a call: it throws this, or calls `context.cancel()`, which throws the like.

export interface CancelationOptions {
  retry?: boolean
  reason?: string
  type?: string
}

export class ContextCancelation {
  retry: boolean
  type: string
  reason: string
  constructor({ retry = true, type = 'plugin Error', reason = '' }: CancelationOptions = {}) {
    this.retry = retry
    this.type = type
    this.reason = reason
  }
}
