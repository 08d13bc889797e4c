import { isRefusal, type RefusalKind } from '#core/error.js'
import type { Problem } from '#vtn/wire/problem.js'

/** A refusal that only HTTP knows: a method, a media type, a grant. `extra` members travel in the body beside the problem's own. */
export class DoorRefusal extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail)
    this.name = 'DoorRefusal'
  }
}

export const nothingHere = 'nothing is here: collections are below the base path, such as /openadr3/3.1.1/programs, without a slash at the end'

const statusOf = (kind: RefusalKind): number => {
  switch (kind) {
    case 'invalid': return 400
    case 'unauthenticated': return 401
    case 'forbidden': return 403
    case 'notFound': return 404
    case 'conflict': return 409
    case 'stale': return 412
    case 'tooLarge': return 413
    case 'rateLimited': return 429
    case 'unsupported': return 501
    case 'unavailable': return 503
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout', 409: 'Conflict', 412: 'Precondition Failed',
  413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 417: 'Expectation Failed', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 500: 'Internal Server Error', 501: 'Not Implemented',
  503: 'Service Unavailable',
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem & Readonly<Record<string, unknown>>
  /** True when the caller must not learn more and our log must. */
  readonly internal: boolean
}

const answer = (status: number, detail: string, instance: string, headers: Readonly<Record<string, string>> = {}, extra: object = {}, internal = false): Answer => ({
  status, headers, internal,
  body: { ...extra, type: 'about:blank', title: titles[status] ?? 'Error', status, detail, instance: `urn:uuid:${instance}` },
})

/** OA-050: every error as a Problem; what is unknown becomes 500 and keeps its detail in our log. */
export function toProblem(error: unknown, requestId: string): Answer {
  if (error instanceof DoorRefusal) return answer(error.status, error.message, requestId, error.headers, error.extra)
  if (isRefusal(error)) {
    const status = statusOf(error.kind)
    const faults = error.faults.length ? { faults: error.faults } : {}
    return answer(status, error.message, requestId, status === 429 || status === 503 ? { 'retry-after': '5' } : {}, faults)
  }
  const status = (error as { statusCode?: unknown }).statusCode
  // fastify's own refusals: malformed JSON 400, media type 415, body limit 413, address 414, which it would repeat whole.
  if (status === 414) return answer(414, 'the address is longer than this door takes', requestId)
  if (status === 415) return answer(415, 'objects are sent as Content-Type: application/json, token requests as application/x-www-form-urlencoded', requestId)
  if (typeof status === 'number' && status >= 400 && status < 500) return answer(status, (error as Error).message, requestId)
  return answer(500, 'the server failed; the operator can find this request by its instance', requestId, {}, {}, true)
}
