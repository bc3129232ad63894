// A request where fetch is missing or broken.
import { type Answer, NONE } from './post'

export const byRequest = (url: string, body: string, limit_ms: number): Promise<Answer> =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.open('POST', url)
    request.timeout = limit_ms
    // A redirect is followed in any case here; what it led to is not our server's answer.
    request.onloadend = () =>
      resolve(
        request.responseURL == new URL(url, location.href).href
          ? [request.status, request.responseText, +request.getResponseHeader('retry-after')! || 0]
          : NONE,
      )
    request.send(body)
  })
