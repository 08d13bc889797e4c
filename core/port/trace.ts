/**
 * Where an operation stands in a trace, as W3C Trace Context writes it (`00-<trace id>-<span id>-<flags>`): text, so that it is stored
 * with an order and outlives the process.
 */
export type TraceContext = string

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface SpanFacts {
  /** Undefined = the operation that runs now; without one a new trace begins. */
  readonly parent?: TraceContext | undefined
  readonly kind?: SpanKind
  readonly attributes?: Attributes
}

export interface Span {
  /** Everything that `work` calls and leaves behind belongs to this span. */
  run<T>(work: () => T): T
  /** Once; `error` says why the operation failed. */
  end(attributes?: Attributes, error?: string): void
}

/** One trace from the operator's click to the device's answer (UX-072). Names are bounded, ids are attributes. */
export interface Trace {
  /** Whether anybody listens; what costs something is left out when nobody does. */
  readonly on: boolean
  current(): TraceContext | undefined
  begin(name: string, facts?: SpanFacts): Span
  /** An operation that began `took_ms` (machine time) ago and is over now. */
  ended(name: string, took_ms: number, facts: SpanFacts): void
}

const nothing: Span = { run: (work) => work(), end() {} }

/** No telemetry unless asked (UX-019). */
export const untraced: Trace = { on: false, current: () => undefined, begin: () => nothing, ended() {} }

/** Does `work` as one span; what it throws is the span's error, and is thrown on. */
export async function spanned<T>(trace: Trace, name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T> {
  if (!trace.on) return work()
  const span = trace.begin(name, facts)
  try {
    const result = await span.run(work)
    span.end()
    return result
  } catch (error) {
    span.end({}, error instanceof Error ? error.message : String(error))
    throw error
  }
}
