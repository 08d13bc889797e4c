import { isRefusal, type RefusalKind } from '#core/error.js'

/** IEEE 2030.5 Error.reasonCode (SEP-032). */
export const reason = { format: 0, values: 1, limit: 2, condition: 3, frequency: 4 } as const

const statusOf: Record<RefusalKind, number> = {
  invalid: 400, unauthenticated: 403, forbidden: 403, notFound: 404, conflict: 409, stale: 409, unsupported: 501, unavailable: 503, tooLarge: 413, rateLimited: 429,
}

export interface Fault {
  readonly status: number
  readonly reasonCode: number
  readonly retryAfter?: number
  readonly allow?: string
  readonly location?: string
}

/** A refusal that already knows its HTTP form (405 with Allow, 409 with Location …). */
export class HttpFault extends Error implements Fault {
  readonly status: number
  readonly reasonCode: number
  readonly retryAfter?: number
  readonly allow?: string
  readonly location?: string

  constructor(status: number, reasonCode: number = reason.format, more: { retryAfter?: number; allow?: string; location?: string } = {}) {
    super(`${status}`)
    this.status = status
    this.reasonCode = reasonCode
    Object.assign(this, more)
  }
}

/** Every error this edge answers with; an unknown one is 500 and its detail stays in the log (SEP-043). */
export function faultOf(error: unknown): Fault {
  if (error instanceof HttpFault) return error
  if (!isRefusal(error)) return { status: 500, reasonCode: reason.limit }
  const status = statusOf[error.kind]
  const reasonCode = status === 429 ? reason.frequency : status >= 500 || status === 413 ? reason.limit : error.faults.length > 0 ? reason.values : reason.format
  return { status, reasonCode, ...(status === 429 || status === 503 ? { retryAfter: 5 } : {}) }
}
