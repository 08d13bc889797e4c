/** What went wrong, in core's words; each edge maps a kind to its own protocol's form in `error-map.ts`. */
export type RefusalKind =
  | 'invalid' | 'unauthenticated' | 'forbidden' | 'notFound' | 'conflict' | 'stale' | 'unsupported' | 'unavailable' | 'tooLarge' | 'rateLimited'

/** One failing field of an input: where (JSON pointer or row/field) and why. */
export interface Fault {
  readonly path: string
  readonly reason: string
}

/**
 * A refusal with a sentence for the caller. It knows nothing of HTTP or OCPP. `faults` name every failing
 * field at once; `cause` stays in our log and never travels.
 */
export class Refusal extends Error {
  readonly kind: RefusalKind
  readonly faults: readonly Fault[]

  constructor(kind: RefusalKind, sentence: string, options: { faults?: readonly Fault[]; cause?: unknown } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.kind = kind
    this.faults = options.faults ?? []
  }
}

export const isRefusal = (error: unknown): error is Refusal => error instanceof Refusal
