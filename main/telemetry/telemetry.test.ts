import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Refusal } from '#core/error.js'
import { systemClock } from '#core/port/clock.js'
import { countingIds } from '#core/port/ids.js'
import { silent, type Log } from '#core/port/log.js'
import { spanned, untraced } from '#core/port/trace.js'
import { telemetryConfig } from '#main/telemetry/config.js'
import { openTelemetry } from '#main/telemetry/telemetry.js'
import { placeOf, tracer } from '#main/telemetry/tracer.js'
import type { FinishedSpan } from '#main/telemetry/otlp.js'

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/' }

t.test('UX-019 no telemetry unless asked: silent environments', async (t) => {
  for (const environment of [{}, { OTEL_SERVICE_NAME: 'x' }, { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, { ...endpoint, OTEL_SDK_DISABLED: 'true' }, { ...endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }]) t.equal(telemetryConfig(environment), undefined, JSON.stringify(environment))
  t.equal(untraced.current(), undefined)
  t.equal(await spanned(untraced, 'x', {}, async () => 5), 5)
})

t.test('UX-072 the standard variables: one endpoint for both signals, one for each, headers, sampler, what cannot be meant', async (t) => {
  t.match(telemetryConfig(endpoint), { resource: { 'service.name': 'loadstone' }, traces: { url: 'http://127.0.0.1:4318/v1/traces', timeout_ms: 10_000, queue: 2048, batch: 512, sampler: { ratio: 1, parentBased: true } }, metrics: { url: 'http://127.0.0.1:4318/v1/metrics', every_ms: 60_000 } })
  const own = telemetryConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c.example/in', OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=x%3Dy', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25', OTEL_RESOURCE_ATTRIBUTES: 'service.name=grid,zone=a' })
  t.match(own, { resource: { 'service.name': 'grid', 'zone': 'a' }, traces: { url: 'https://c.example/in', headers: { a: '1', b: 'x=y' }, sampler: { ratio: 0.25, parentBased: false } } })
  t.equal(own?.metrics, undefined)
  t.match(telemetryConfig({ OTEL_TRACES_EXPORTER: 'otlp' }), { traces: { url: 'http://localhost:4318/v1/traces' } })
  const wrong: [string, string][] = [['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'], ['OTEL_TRACES_EXPORTER', 'zipkin'], ['OTEL_TRACES_SAMPLER', 'sometimes'], ['OTEL_BSP_MAX_QUEUE_SIZE', 'many'], ['OTEL_EXPORTER_OTLP_COMPRESSION', 'br'], ['OTEL_EXPORTER_OTLP_TIMEOUT', '-1'], ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'], ['OTEL_METRIC_EXPORT_INTERVAL', '0']]
  for (const [name, value] of wrong) {
    try {
      telemetryConfig({ ...endpoint, [name]: value })
      t.fail(name)
    } catch (error) {
      t.match((error as Refusal).faults[0], { path: name, reason: /./ }, name)
    }
  }
})

t.test('UX-072 traceparent of W3C Trace Context: what is none begins a trace of its own; the caller\'s decision not to keep it counts', async (t) => {
  const id = '0af7651916cd43dd8448eb211c80319c', span = 'b7ad6b7169203331'
  t.match(placeOf(`00-${id}-${span}-01`), { traceId: id, spanId: span, sampled: true })
  t.match(placeOf(`cc-${id}-${span}-00-what-comes`), { sampled: false }, 'a later version')
  for (const bad of [undefined, '', 'x', `ff-${id}-${span}-01`, `00-${'0'.repeat(32)}-${span}-01`, `00-${id}-${'0'.repeat(16)}-01`, `00-${id.toUpperCase()}-${span}-01`, `00-${id}-${span}-01x`]) t.equal(placeOf(bad), undefined, String(bad))
  const out: FinishedSpan[] = [], trace = tracer({ ids: countingIds(), nowMs: () => 5, sampler: { ratio: 1, parentBased: true }, finished: (s) => out.push(s) })
  const quiet = trace.begin('quiet', { parent: `00-${id}-${span}-00` })
  t.match(quiet.run(() => trace.current()), new RegExp(`^00-${id}-[0-9a-f]{16}-00$`), 'it is carried on')
  quiet.end()
  t.same(out, [], 'and not told')
  await t.rejects(spanned(trace, 'loud', { parent: 'rubbish' }, async () => { throw new Error('no') }), /no/)
  t.match(out, [{ name: 'loud', error: 'no', parentSpanId: undefined }])
  const none = tracer({ ids: countingIds(), nowMs: () => 5, sampler: { ratio: 0, parentBased: false }, finished: (s) => out.push(s) })
  none.begin('x', { parent: `00-${id}-${span}-01` }).end()
  t.equal(out.length, 1, 'always_off')
})

async function collector(answer: (res: ServerResponse, body: { resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] }) => void) {
  const server = createServer((ask, res) => {
    let text = ''
    ask.on('data', (d) => { text += String(d) }).on('end', () => answer(res, JSON.parse(text)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => { server.close(); server.closeAllConnections() } }
}

t.test('UX-072 a collector that is away or never answers costs spans, never work: the queue is bounded, the loss is said, stopping is quick', async (t) => {
  let taken = 0
  const slow = await collector(() => { taken += 1 })
  t.teardown(slow.close)
  const said: { spans?: number; reason?: string }[] = [], log: Log = { ...silent, warn: (f) => { said.push(f as object) } }
  const config = telemetryConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: slow.url, OTEL_BSP_MAX_QUEUE_SIZE: '20', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10', OTEL_EXPORTER_OTLP_TIMEOUT: '60000' })!
  const telemetry = openTelemetry(config, { clock: systemClock, ids: countingIds(), log, version: '0', patience_ms: 50 })
  for (let i = 0; i < 1000; i++) telemetry.trace.begin('x').end()
  const begun = performance.now()
  await telemetry.stop()
  t.ok(performance.now() - begun < 5000)
  t.ok(taken <= 1)
  const gone = openTelemetry(telemetryConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/', OTEL_BSP_SCHEDULE_DELAY: '1' })!, { clock: { ...systemClock, after: (_ms, task) => systemClock.after(1, task) }, ids: countingIds(), log, version: '0', patience_ms: 1 })
  gone.trace.begin('y').end()
  for (const end = performance.now() + 10_000; performance.now() < end && !said.some((s) => s.spans === 1); await new Promise((done) => { setTimeout(done, 10) }));
  t.ok(said.some((s) => s.reason !== undefined) && said.some((s) => s.spans === 1), JSON.stringify(said))
  await gone.stop()
})

t.test('UX-072 a certificate that cannot be read is named before anything starts', async (t) => {
  const config = telemetryConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c.example/', OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem' })!
  const faultOf = (): string | undefined => {
    try {
      openTelemetry(config, { clock: systemClock, ids: countingIds(), log: silent, version: '0' })
      return undefined
    } catch (error) { return (error as Refusal).faults[0]?.reason }
  }
  t.match(faultOf(), /\/nowhere\/ca\.pem cannot be read/)
})

t.test('UX-072 a busy collector is asked again; what is left goes out at the end', async (t) => {
  const names: unknown[] = []
  let asked = 0
  const busy = await collector((res, body) => {
    asked += 1
    if (asked === 1) return void res.writeHead(503).end()
    names.push(...body.resourceSpans[0]!.scopeSpans[0]!.spans)
    res.end('{}')
  })
  t.teardown(busy.close)
  const telemetry = openTelemetry(telemetryConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: busy.url })!, { clock: systemClock, ids: countingIds(), log: silent, version: '0', patience_ms: 20_000 })
  telemetry.trace.begin('a').end({ n: 1, part: 0.5, ok: true })
  telemetry.trace.ended('b', 10, { parent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
  await telemetry.stop()
  t.match(names, [{ name: 'a', attributes: [{ key: 'n', value: { intValue: '1' } }, { key: 'part', value: { doubleValue: 0.5 } }, { key: 'ok', value: { boolValue: true } }] }, { name: 'b', traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' }])
})
