import type { Fault, RefusalKind } from '#core/error.js'

/** Core's refusals in HTTP words; exhaustive, so a new kind does not compile until it has a status. */
export function statusOf(kind: RefusalKind): { status: number; title: string } {
  switch (kind) {
    case 'invalid': return { status: 422, title: 'The input cannot be used' }
    case 'unauthenticated': return { status: 401, title: 'No valid token' }
    case 'forbidden': return { status: 403, title: 'Not allowed' }
    case 'notFound': return { status: 404, title: 'There is no such thing' }
    case 'conflict': return { status: 409, title: 'Refused as things stand' }
    case 'stale': return { status: 412, title: 'Changed since it was read' }
    case 'unsupported': return { status: 415, title: 'Not supported' }
    case 'tooLarge': return { status: 413, title: 'Too large' }
    case 'rateLimited': return { status: 429, title: 'Too many requests' }
    case 'unavailable': return { status: 503, title: 'Not available now' }
  }
}

/** RFC 9457. `type` leads to a page of this door that says what to do. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly faults?: readonly Fault[]
  readonly rows?: readonly { readonly row: number; readonly field: string; readonly reason: string }[]
  readonly checks?: readonly { readonly check: string; readonly detail: string }[]
}

export const problem = (kind: string, status: number, title: string, detail: string, instance: string, more: Partial<Problem> = {}): Problem =>
  ({ type: `/errors/${kind}`, title, status, detail, instance, ...more })

/** What to do about each kind: the page behind `type`. */
export const advice: Readonly<Record<string, string>> = {
  invalid: 'Correct what faults, rows or checks name and send it again. Nothing was stored.',
  malformed: 'The body cannot be read as its content type says. Nothing was stored.',
  unauthenticated: 'Send Authorization: Bearer with a token that is neither expired nor revoked.',
  forbidden: 'The role of this token may not do that. Ask an administrator for a token with the right role.',
  notFound: 'Check the id or name, and that the token belongs to the right tenant and program.',
  conflict: 'The state of the thing, a limit or another person is in the way: read it again and decide.',
  stale: 'Somebody changed it meanwhile: read it again, then repeat the change with its new version.',
  unsupported: 'Use another content type or feature.',
  tooLarge: 'Send less at once.',
  rateLimited: 'Wait as long as Retry-After says.',
  unavailable: 'Wait as long as Retry-After says, then try again; with an Idempotency-Key that is safe.',
  internal: 'Our fault. Give the request id to whoever runs this server.',
}
