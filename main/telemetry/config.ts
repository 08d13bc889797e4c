import { Refusal } from '#core/error.js'

export interface Sampler {
  /** Share of new traces that are kept, 0 to 1. */
  readonly ratio: number
  /** Whether what the caller decided counts first. */
  readonly parentBased: boolean
}

/** One signal's way out. */
export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeout_ms: number
  readonly gzip: boolean
  /** Files of the TLS connection. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** What the standard `OTEL_*` variables ask for. */
export interface TelemetryConfig {
  readonly resource: Readonly<Record<string, string>>
  readonly traces?: Target & { readonly sampler: Sampler; readonly queue: number; readonly batch: number; readonly delay_ms: number }
  readonly metrics?: Target & { readonly every_ms: number }
}

type Environment = Readonly<Record<string, string | undefined>>
type Signal = 'TRACES' | 'METRICS'

/**
 * The variables of the OpenTelemetry specification. Interpretation: as telemetry is off unless asked (UX-019), a signal is on when an
 * endpoint is named or its exporter is `otlp`, where the specification would have every signal on by default.
 */
export function telemetryConfig(environment: Environment): TelemetryConfig | undefined {
  const faults: { path: string; reason: string }[] = []
  if (value(environment, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined
  const wanted = (signal: Signal): boolean => {
    const name = `OTEL_${signal}_EXPORTER`, exporter = value(environment, name)?.toLowerCase()
    if (exporter !== undefined && exporter !== 'otlp' && exporter !== 'none') faults.push({ path: name, reason: `is '${exporter}'; otlp and none are known` })
    return exporter === undefined ? value(environment, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) !== undefined || value(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined : exporter === 'otlp'
  }
  const number = (name: string, fallback: number, least: number): number => {
    const text = value(environment, name), n = Number(text ?? fallback)
    if (!Number.isFinite(n) || n < least) faults.push({ path: name, reason: `is '${text}'; a number from ${least} on is needed` })
    return n
  }
  const traces = wanted('TRACES') ? {
    ...target(environment, 'TRACES', faults, number), sampler: samplerOf(environment, faults),
    queue: number('OTEL_BSP_MAX_QUEUE_SIZE', 2048, 1), batch: number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1), delay_ms: number('OTEL_BSP_SCHEDULE_DELAY', 5000, 1),
  } : undefined
  const metrics = wanted('METRICS') ? { ...target(environment, 'METRICS', faults, number), every_ms: number('OTEL_METRIC_EXPORT_INTERVAL', 60_000, 1) } : undefined
  if (faults.length > 0) throw new Refusal('invalid', 'The telemetry settings cannot be used.', { faults })
  return traces || metrics ? { resource: resourceOf(environment), ...(traces ? { traces } : {}), ...(metrics ? { metrics } : {}) } : undefined
}

/** Empty is as good as unset. */
const value = (environment: Environment, name: string): string | undefined => environment[name]?.trim() || undefined

function target(environment: Environment, signal: Signal, faults: { path: string; reason: string }[], number: (name: string, fallback: number, least: number) => number): Target {
  const of = (what: string): string | undefined => value(environment, `OTEL_EXPORTER_OTLP_${signal}_${what}`) ?? value(environment, `OTEL_EXPORTER_OTLP_${what}`)
  const own = value(environment, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`), base = value(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT') ?? 'http://localhost:4318'
  const url = own ?? `${base.replace(/\/+$/, '')}/v1/${signal.toLowerCase()}`, protocol = of('PROTOCOL'), compression = of('COMPRESSION')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) faults.push({ path: own === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, reason: 'is no http:// or https:// address' })
  if (protocol === 'grpc') faults.push({ path: 'OTEL_EXPORTER_OTLP_PROTOCOL', reason: 'is grpc, which is not spoken here: set http/json and the HTTP port of the collector (4318)' })
  if (compression !== undefined && compression !== 'gzip' && compression !== 'none') faults.push({ path: 'OTEL_EXPORTER_OTLP_COMPRESSION', reason: `is '${compression}'; gzip and none are known` })
  return { url, headers: pairs(of('HEADERS')), timeout_ms: number(`OTEL_EXPORTER_OTLP_${value(environment, `OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`) ? `${signal}_` : ''}TIMEOUT`, 10_000, 1), gzip: compression === 'gzip', ca: of('CERTIFICATE'), cert: of('CLIENT_CERTIFICATE'), key: of('CLIENT_KEY') }
}

function samplerOf(environment: Environment, faults: { path: string; reason: string }[]): Sampler {
  const name = value(environment, 'OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on', argument = value(environment, 'OTEL_TRACES_SAMPLER_ARG')
  const parentBased = name.startsWith('parentbased_'), ratio = { always_on: 1, always_off: 0, traceidratio: Number(argument ?? 1) }[name.replace(/^parentbased_/, '')]
  if (ratio === undefined) faults.push({ path: 'OTEL_TRACES_SAMPLER', reason: `is '${name}'; always_on, always_off, traceidratio, each also with parentbased_, are known` })
  else if (!(ratio >= 0 && ratio <= 1)) faults.push({ path: 'OTEL_TRACES_SAMPLER_ARG', reason: `is '${argument}'; a share from 0 to 1 is needed` })
  return { ratio: ratio ?? 1, parentBased }
}

/** `a=1,b=2` with percent-encoded values, as W3C Baggage writes it. */
function pairs(text: string | undefined): Record<string, string> {
  return Object.fromEntries((text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]]
  }))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const resourceOf = (environment: Environment): Record<string, string> => {
  const given = pairs(environment.OTEL_RESOURCE_ATTRIBUTES)
  return { ...given, 'service.name': value(environment, 'OTEL_SERVICE_NAME') ?? given['service.name'] ?? 'loadstone' }
}
