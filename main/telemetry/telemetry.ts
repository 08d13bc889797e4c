import type { Registry } from 'prom-client'
import type { Clock, Timer } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import { untraced, type Trace } from '#core/port/trace.js'
import type { TelemetryConfig } from '#main/telemetry/config.js'
import { otlpSender } from '#main/telemetry/export.js'
import { metricsBody, tracesBody, type FinishedSpan, type Measured } from '#main/telemetry/otlp.js'
import { placeOf, tracer } from '#main/telemetry/tracer.js'

/** Traces and metrics on their way to a collector (UX-072). */
export interface Telemetry {
  readonly trace: Trace
  /** What a log line says of the running trace (UX-070). */
  logFields(): object
  /** Sends what the registry holds from time to time; what it returns sends it once more and ends that, while what is measured is still there. */
  metricsOf(registry: Pick<Registry, 'getMetricsAsJSON'>): () => Promise<void>
  /** Sends the spans that are left, for at most `patience_ms`. */
  stop(): Promise<void>
}

export interface TelemetryNeeds {
  /** The machine's: telemetry tells when things happened, not what the story's clock says. */
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly version: string
  readonly patience_ms?: number
}

export function openTelemetry(config: TelemetryConfig, needs: TelemetryNeeds): Telemetry {
  const { clock, patience_ms = 2000 } = needs, resource = { ...config.resource, 'service.version': needs.version, 'telemetry.sdk.name': 'loadstone', 'telemetry.sdk.language': 'nodejs' }
  const spans = config.traces && spanExporter({ ...needs, resource, config: config.traces }), metrics = config.metrics && metricExporter({ ...needs, resource, config: config.metrics })
  const trace = spans ? tracer({ ids: needs.ids, nowMs: () => performance.timeOrigin + performance.now(), sampler: config.traces!.sampler, finished: spans.add }) : untraced
  const within = (work: Promise<void> | undefined): Promise<void> => {
    let late: Timer | undefined
    return Promise.race([work ?? Promise.resolve(), new Promise<void>((done) => { late = clock.after(patience_ms, done) })]).finally(() => late?.cancel())
  }
  return {
    trace,
    logFields() {
      const place = placeOf(trace.current())
      return place ? { trace_id: place.traceId, span_id: place.spanId } : {}
    },
    metricsOf(registry) {
      metrics?.follow(registry)
      return async () => {
        await within(metrics?.stop())
        await metrics?.close()
      }
    },
    async stop() {
      await within(spans?.stop())
      await spans?.close()
    },
  }
}

type ExporterNeeds<T> = TelemetryNeeds & { readonly resource: Readonly<Record<string, string>>; readonly config: T }

/** A collector that stays away fills no log. */
const lossEvery_ms = 60_000

const pauseOn = (clock: Clock) => (ms: number): Promise<void> => new Promise((done) => { clock.after(ms, done) })

/** Batches with a bounded queue: what a slow collector leaves no room for is dropped and counted, and the work goes on. */
function spanExporter({ clock, log, resource, config }: ExporterNeeds<NonNullable<TelemetryConfig['traces']>>) {
  const sender = otlpSender(config, log, pauseOn(clock))
  let queue: FinishedSpan[] = [], dropped = 0, saidAt = 0, timer: Timer | undefined, sending: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, config.batch)
      queue = queue.slice(config.batch)
      const taken = await sender.send(tracesBody(resource, batch))
      if (!taken) dropped += batch.length
      if (taken || clock.nowMs() - saidAt >= lossEvery_ms) sayLoss()
    }
  }
  function sayLoss(): void {
    if (dropped > 0) log.warn({ spans: dropped, clause: 'UX-072' }, 'spans were lost')
    dropped = 0
    saidAt = clock.nowMs()
  }
  const flush = (): Promise<void> => {
    timer?.cancel()
    timer = undefined
    return sending ??= drain().finally(() => { sending = undefined })
  }
  return {
    add(span: FinishedSpan): void {
      if (queue.length >= config.queue) {
        dropped += 1
        return
      }
      queue.push(span)
      if (queue.length >= config.batch) void flush()
      else timer ??= clock.after(config.delay_ms, () => void flush())
    },
    async stop(): Promise<void> {
      await flush()
      await flush()
      sayLoss()
    },
    close: () => sender.close(),
  }
}

function metricExporter({ clock, log, resource, config }: ExporterNeeds<NonNullable<TelemetryConfig['metrics']>>) {
  const sender = otlpSender(config, log, pauseOn(clock)), sinceMs = clock.nowMs()
  let registry: Pick<Registry, 'getMetricsAsJSON'> | undefined, timer: Timer | undefined, stopped = false

  async function push(): Promise<void> {
    try {
      if (registry) await sender.send(metricsBody(resource, await registry.getMetricsAsJSON() as unknown as Measured[], sinceMs, clock.nowMs()))
    } catch (error) {
      log.warn({ err: error, clause: 'UX-072' }, 'metrics could not be collected')
    }
  }
  const again = async (): Promise<void> => {
    await push()
    next()
  }
  const next = (): void => {
    if (!stopped) timer = clock.after(config.every_ms, () => void again())
  }
  return {
    follow(given: Pick<Registry, 'getMetricsAsJSON'>): void {
      registry = given
      next()
    },
    async stop(): Promise<void> {
      stopped = true
      timer?.cancel()
      await push()
    },
    close: () => sender.close(),
  }
}
