import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ids } from '#core/port/ids.js'
import type { Span, SpanFacts, Trace, TraceContext } from '#core/port/trace.js'
import type { Sampler } from '#main/telemetry/config.js'
import type { FinishedSpan } from '#main/telemetry/otlp.js'

interface Place { readonly traceId: string; readonly spanId: string; readonly sampled: boolean }

/** W3C Trace Context, traceparent: version 00 and later; all-zero ids are invalid. Undefined when it is nothing of the kind. */
export function placeOf(traceparent: string | undefined): Place | undefined {
  const m = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/.exec(traceparent ?? '')
  return m ? { traceId: m[1]!, spanId: m[2]!, sampled: (Number.parseInt(m[3]!, 16) & 1) === 1 } : undefined
}

const written = ({ traceId, spanId, sampled }: Place): TraceContext => `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`

/** The port over an AsyncLocalStorage of its own; finished spans of kept traces go to `finished`. `nowMs` is the machine's, with fractions. */
export function tracer({ ids, nowMs, sampler, finished }: { ids: Ids; nowMs: () => number; sampler: Sampler; finished: (span: FinishedSpan) => void }): Trace {
  const here = new AsyncLocalStorage<TraceContext>()

  /** The trace id's last seven bytes decide, so that all processes decide alike. */
  const kept = (traceId: string): boolean => Number.parseInt(traceId.slice(-13), 16) < sampler.ratio * 2 ** 52

  function open(name: string, startMs: number, { parent = here.getStore(), kind = 'internal', attributes = {} }: SpanFacts): { place: Place; end: Span['end'] } {
    const above = placeOf(parent), traceId = above?.traceId ?? ids.hex(16)
    const place = { traceId, spanId: ids.hex(8), sampled: above && sampler.parentBased ? above.sampled : kept(traceId) }
    let over = false
    return {
      place,
      end(more = {}, error) {
        if (over) return
        over = true
        if (place.sampled) finished({ traceId, spanId: place.spanId, parentSpanId: above?.spanId, name, kind, startMs, endMs: nowMs(), attributes: { ...attributes, ...more }, error })
      },
    }
  }

  return {
    on: true,
    current: () => here.getStore(),
    begin(name, facts = {}) {
      const { place, end } = open(name, nowMs(), facts)
      return { end, run: (work) => here.run(written(place), work) }
    },
    ended: (name, took_ms, facts) => open(name, nowMs() - took_ms, facts).end(),
  }
}
