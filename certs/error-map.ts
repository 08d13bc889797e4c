import type { RefusalKind } from '#core/error.js'

/** EST says why in a short text (RFC 7030 §4.2.3); this is the status. */
export function statusOf(kind: RefusalKind): number {
  switch (kind) {
    case 'invalid': return 400
    case 'unauthenticated': return 401
    case 'forbidden': return 403
    case 'notFound': return 404
    case 'conflict': return 409
    case 'stale': return 409
    case 'tooLarge': return 413
    case 'rateLimited': return 429
    case 'unsupported': return 501
    case 'unavailable': return 503
  }
}
