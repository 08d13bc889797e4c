import { isRefusal, type RefusalKind } from '#core/error.js'
import { CallRefused, type Code } from '#csms/rpc/error-code.js'

/** core's refusals as CALLERROR codes (OCPP-060: business failures never come this way, they are statuses). */
const codeOf: Record<RefusalKind, Code> = {
  invalid: 'PropertyConstraintViolation',
  unauthenticated: 'SecurityError',
  forbidden: 'SecurityError',
  notFound: 'GenericError',
  conflict: 'GenericError',
  stale: 'GenericError',
  unsupported: 'NotSupported',
  unavailable: 'InternalError',
  tooLarge: 'FormatViolation',
  rateLimited: 'GenericError',
}

/** What a handler threw, as the station may see it; an unknown error keeps its detail for our log. */
export function callErrorOf(error: unknown): { code: Code; description: string; known: boolean } {
  if (error instanceof CallRefused) return { code: error.code, description: error.message, known: true }
  if (isRefusal(error)) return { code: codeOf[error.kind], description: '', known: true }
  return { code: 'InternalError', description: '', known: false }
}
