/**
 * What a VTN's answer means to a caller (REL-055). `retry` says whether the same request may be sent again by itself:
 *
 * | answer | error | the library itself |
 * |---|---|---|
 * | 400 | invalid | never again |
 * | 401 | unauthenticated | one new token, one more try, then stops |
 * | 403 | forbidden | never again |
 * | 404 | notFound | never again |
 * | 409 | conflict | never again; registration adopts what is there |
 * | 412 | stale | never again; read, then decide |
 * | 429 | rateLimited | any method, after Retry-After |
 * | 503 | unavailable | any method, after Retry-After |
 * | 500, 502, 504 | unavailable | GET, PUT, DELETE; a POST may have been done |
 * | no connection | unreachable | any method: nothing was sent |
 * | cut, timeout | unreachable, timeout | GET, PUT, DELETE |
 * | not JSON, wrong type, redirect, too long | protocol | never again |
 *
 * Above single requests: polling goes on after everything but a refusal of who we are (`unauthenticated`), each time a little later; 400 and
 * 403 end it when they come `patience` times in a row. Waiting reports are dropped at a refusal of their own (400, 403, 404, 409).
 */
export type VtnErrorKind =
  | 'invalid' | 'unauthenticated' | 'forbidden' | 'notFound' | 'conflict' | 'stale' | 'rateLimited' | 'unavailable' | 'unreachable' | 'timeout' | 'protocol' | 'aborted'

export class VtnError extends Error {
  readonly kind: VtnErrorKind
  readonly status: number | undefined
  /** The VTN's own problem object (OA-050), when it sent one. */
  readonly problem: { readonly title?: string; readonly detail?: string; readonly instance?: string } | undefined
  readonly retryAfter_ms: number | undefined

  constructor(kind: VtnErrorKind, sentence: string, options: { status?: number; problem?: VtnError['problem']; retryAfter_ms?: number; cause?: unknown } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'VtnError'
    this.kind = kind
    this.status = options.status
    this.problem = options.problem
    this.retryAfter_ms = options.retryAfter_ms
  }
}

export const isVtnError = (error: unknown): error is VtnError => error instanceof VtnError

/** Refusals that no waiting heals: a person has to change something. */
export const isPermanent = (error: unknown): boolean =>
  isVtnError(error) && ['invalid', 'unauthenticated', 'forbidden'].includes(error.kind)

const byStatus: Readonly<Record<number, VtnErrorKind>> = {
  400: 'invalid', 401: 'unauthenticated', 403: 'forbidden', 404: 'notFound', 409: 'conflict', 412: 'stale', 413: 'invalid', 415: 'invalid', 422: 'invalid', 429: 'rateLimited',
}

export const kindOf = (status: number): VtnErrorKind =>
  byStatus[status] ?? (status >= 500 ? 'unavailable' : status >= 400 ? 'invalid' : 'protocol')

export function mayRetry(error: VtnError, method: string): boolean {
  const repeatable = method !== 'POST'
  switch (error.kind) {
    case 'rateLimited': return true
    case 'unavailable': return error.status === 503 || repeatable
    case 'unreachable': return repeatable || notSent(error.cause)
    case 'timeout': return repeatable
    default: return false
  }
}

/** The connection never came up, so the request cannot have had an effect. */
function notSent(cause: unknown): boolean {
  const code = (cause as { code?: string } | undefined)?.code
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'UND_ERR_CONNECT_TIMEOUT'
}
