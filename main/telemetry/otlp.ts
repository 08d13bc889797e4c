import type { Attributes, SpanKind } from '#core/port/trace.js'

/** One finished span; times in epoch milliseconds, with fractions. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string | undefined
  readonly name: string
  readonly kind: SpanKind
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly error?: string | undefined
}

/** What prom-client gives of one metric. */
export interface Measured {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly { readonly value: number; readonly labels: Readonly<Partial<Record<string, string | number>>>; readonly metricName?: string | undefined }[]
}

/** OTLP's JSON form (opentelemetry-proto, "JSON Protobuf Encoding"): ids in hex, 64-bit numbers as text, enumerations as numbers. */
const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 }
const scope = { name: 'loadstone' }

const nanos = (ms: number): string => `${Math.floor(ms)}${String(Math.floor((ms % 1) * 1e6)).padStart(6, '0')}`

function valueOf(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

const attributesOf = (attributes: Attributes): object[] => Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: valueOf(value) }]))

export const tracesBody = (resource: Attributes, spans: readonly FinishedSpan[]): object => ({
  resourceSpans: [{
    resource: { attributes: attributesOf(resource) },
    scopeSpans: [{
      scope,
      spans: spans.map((s) => ({
        traceId: s.traceId, spanId: s.spanId, ...(s.parentSpanId === undefined ? {} : { parentSpanId: s.parentSpanId }), name: s.name, kind: kinds[s.kind],
        startTimeUnixNano: nanos(s.startMs), endTimeUnixNano: nanos(s.endMs), attributes: attributesOf(s.attributes), status: s.error === undefined ? {} : { code: 2, message: s.error },
      })),
    }],
  }],
})

/** Everything that /metrics prints, cumulative since `sinceMs`. */
export const metricsBody = (resource: Attributes, metrics: readonly Measured[], sinceMs: number, nowMs: number): object => ({
  resourceMetrics: [{
    resource: { attributes: attributesOf(resource) },
    scopeMetrics: [{ scope, metrics: metrics.flatMap((m) => { const data = dataOf(m, { startTimeUnixNano: nanos(sinceMs), timeUnixNano: nanos(nowMs) }); return data ? [{ name: m.name, description: m.help, ...data }] : [] }) }],
  }],
})

interface Times { readonly startTimeUnixNano: string; readonly timeUnixNano: string }

function dataOf(m: Measured, times: Times): object | undefined {
  const points = (): object[] => m.values.map(({ labels, value }) => ({ ...times, attributes: attributesOf(labels), asDouble: value }))
  switch (m.type) {
    case 'gauge': return { gauge: { dataPoints: points() } }
    case 'counter': return { sum: { dataPoints: points(), aggregationTemporality: 2, isMonotonic: true } }
    case 'histogram': return { histogram: { dataPoints: histogramPoints(m, times), aggregationTemporality: 2 } }
    default: return undefined
  }
}

/** Prometheus counts each bucket with all below it, OTLP each alone. */
function histogramPoints(m: Measured, times: Times): object[] {
  const groups = new Map<string, { labels: Attributes; buckets: { le: number; count: number }[]; sum: number; count: number }>()
  for (const { labels: { le, ...labels }, value, metricName = '' } of m.values) {
    const key = JSON.stringify(labels), group = groups.get(key) ?? { labels, buckets: [], sum: 0, count: 0 }
    groups.set(key, group)
    if (metricName.endsWith('_sum')) group.sum = value
    else if (metricName.endsWith('_count')) group.count = value
    else if (le !== undefined) group.buckets.push({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: value })
  }
  return [...groups.values()].map(({ labels, buckets, sum, count }) => {
    const sorted = buckets.toSorted((a, b) => a.le - b.le)
    return {
      ...times, attributes: attributesOf(labels), count: String(count), sum, explicitBounds: sorted.map((b) => b.le).filter(Number.isFinite),
      bucketCounts: sorted.map((b, i) => String(b.count - (sorted[i - 1]?.count ?? 0))),
    }
  })
}
