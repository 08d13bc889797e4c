import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { WebSocket } from 'ws'
import { readSettings } from '#cli/settings.js'
import { systemClock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { build } from '#main.js'
import { portBase } from '#main/test-ports.js'

t.setTimeout(300_000)

const until = async (what: () => Promise<boolean> | boolean): Promise<void> => {
  for (const end = performance.now() + 60_000; performance.now() < end; await new Promise((done) => setTimeout(done, 25))) if (await what()) return
  throw new Error('it did not come to be')
}

interface Span { traceId: string; spanId: string; parentSpanId?: string; name: string; kind: number; startTimeUnixNano: string; endTimeUnixNano: string; attributes: { key: string; value: Record<string, unknown> }[]; resource: string }

/** A collector: OTLP over HTTP, as JSON. */
async function collector() {
  const spans: Span[] = [], metrics: { name: string }[] = [], headers: Record<string, unknown>[] = []
  const server = createHttpServer((ask, answer) => {
    const parts: Buffer[] = []
    ask.on('data', (d: Buffer) => parts.push(d)).on('end', () => {
      const raw = Buffer.concat(parts), body = JSON.parse(String(ask.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw))
      headers.push(ask.headers)
      if (ask.url === '/v1/traces') for (const r of body.resourceSpans) for (const s of r.scopeSpans) spans.push(...s.spans.map((x: Span) => ({ ...x, resource: JSON.stringify(r.resource) })))
      if (ask.url === '/v1/metrics') for (const r of body.resourceMetrics) for (const s of r.scopeMetrics) metrics.push(...s.metrics)
      answer.setHeader('content-type', 'application/json').end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { spans, metrics, headers, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

t.test('UX-072 one trace id from the operator\'s click over the timetable and each of three protocols to the answer of each device; UX-070 in the log lines too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-trace-')), at = (...parts: string[]): string => join(folder, ...parts), pem = (file: string): string => readFileSync(at('pki', file), 'utf8')
  const sink = await collector(), lines: Record<string, unknown>[] = []
  const put = (fields: object): void => { lines.push(fields as Record<string, unknown>) }, log: Log = { debug: put, info: put, warn: put, error: put, child: () => log }
  const { settings, resolved } = await readSettings({ data: folder, portBase: await portBase(40_000) }, {}, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false })
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=grid%20one', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_BSP_SCHEDULE_DELAY: '100', OTEL_METRIC_EXPORT_INTERVAL: '200', OTEL_SERVICE_NAME: 'flex', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=bench' }
  const server = await build({ settings, resolved, data: { path: folder, at }, clock: systemClock, log, seed: 'conformance', environment }), { ready } = server
  t.teardown(async () => {
    await server.stop()
    sink.server.close()
    sink.server.closeAllConnections()
    rmSync(folder, { recursive: true, force: true })
  })
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<any> => {
    const answer = await fetch(`${ready.operator}/api/v1/${path}`, { method, headers: { 'authorization': `Bearer ${ready.operatorToken}`, 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const vtn = async (method: string, path: string, token: string, body?: unknown): Promise<any> => (await fetch(`${ready.vtnHttp}${path}`, { method, headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).json()
  const csip = (method: string, path: string, body = ''): Promise<{ status: number; body: string }> => new Promise((done, fail) => {
    request(new URL(path, ready.csip), {
      method, agent: false, ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', key: pem('device-1.key'), cert: pem('device-1.pem') + pem('chain.pem'), ca: pem('serca.pem'), checkServerIdentity: () => undefined,
      headers: { 'accept': 'application/sep+xml', 'content-type': 'application/sep+xml', 'content-length': String(Buffer.byteLength(body)) },
    } as object, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (d: Buffer) => parts.push(d)).on('end', () => done({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() })).on('error', fail)
    }).on('error', fail).end(body)
  })

  // one device of each protocol: a building with a VEN, an inverter, a charging station
  const { clientID, clientSecret } = await call('POST', 'openadr/clients', { clientID: 'hall', role: 'VEN' })
  const { access_token } = await (await fetch(`${ready.vtnHttp}/auth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientID, client_secret: clientSecret }) })).json() as { access_token: string }
  await vtn('POST', '/vens', access_token, { objectType: 'VEN_VEN_REQUEST', venName: 'hall' })
  await call('POST', 'service-points', { name: 'hall' })
  await call('POST', 'resources', { name: 'hall', servicePoint: 'hall', kind: 'building', rated_kW: 20, bindings: [{ protocol: 'openadr', remoteId: 'hall' }] })
  await call('POST', 'enrolments', { program: 'conformance', servicePoint: 'hall', nominated_kW: 20, to: 'active', consent: { purpose: 'settlement', grantedAt: '2026-01-01T00:00:00Z' } })
  const start = Math.floor(Date.now() / 1000) + 900, iso = (s: number): string => new Date(s * 1000).toISOString()
  await call('POST', 'availability', { availability: [{ resource: 'hall', start: iso(start - 900), end: iso(start + 7200), down_kW: 10, up_kW: 10, expected_W: 15_000 }] })
  const socket = new WebSocket(`${ready.ocpp}/CS001`, ['ocpp2.0.1'], { headers: { authorization: `Basic ${Buffer.from('CS001:loadstone-CS001-pass').toString('base64')}` } })
  t.teardown(() => socket.terminate())
  socket.on('message', (data) => {
    const [kind, id, action] = JSON.parse(String(data)) as [number, string, string]
    if (kind === 2) socket.send(JSON.stringify(action === 'SetChargingProfile' ? [3, id, { status: 'Accepted' }] : [4, id, 'NotSupported', '', {}]))
  })
  await once(socket, 'open')
  socket.send(JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'raw', vendorName: 'test' } }]))

  // the click
  const traceId = '0af7651916cd43dd8448eb211c80319c', clicked = 'b7ad6b7169203331'
  const dispatch = await call('POST', 'dispatches', { program: 'conformance', power_kW: 32, start: iso(start), end: iso(start + 1800), scope: { resources: ['hall', 'device-1', 'CS001'] } }, { traceparent: `00-${traceId}-${clicked}-01` })
  t.match(dispatch.allocation, { shortfall_kW: 0, byProtocol: { ieee2030_5: 5, ocpp: /./, openadr: /./ } })
  const states = async (): Promise<Record<string, string>> => Object.fromEntries((await call('GET', `dispatches/${dispatch.id}/deliveries`)).items.map((d: { protocol: string; state: string }) => [d.protocol, d.state]))
  await until(async () => Object.values(await states()).every((s) => s !== 'queued'))

  // each device answers in its own words
  await vtn('GET', '/events', access_token)
  const list = await csip('GET', `${(await call('GET', 'resources/device-1')).failSafe.at.replace('/dderc', '/derc')}?l=50`)
  const replyTo = /replyTo="([^"]+)"/.exec(list.body)?.[1] ?? '', mRID = /<mRID>([0-9A-F]+)<\/mRID>/.exec(list.body)?.[1] ?? ''
  const { lfdi } = (JSON.parse(pem('lfdi.json')) as Record<string, { lfdi: string }>)['device-1']!
  const response = await csip('POST', replyTo, `<DERControlResponse xmlns="urn:ieee:std:2030.5:ns"><createdDateTime>${Math.floor(Date.now() / 1000)}</createdDateTime><endDeviceLFDI>${lfdi}</endDeviceLFDI><status>1</status><subject>${mRID}</subject></DERControlResponse>`)
  t.equal(response.status, 201, response.body)
  await until(async () => Object.values(await states()).sort().join() === 'accepted,received,received')

  t.same((await call('GET', `dispatches/${dispatch.id}/deliveries`)).items.map((d: { traceId?: string }) => d.traceId), [traceId, traceId, traceId], 'UX-077 from a device to the trace of its order')
  const answers = ['openadr received', 'ieee2030_5 received', 'ocpp accepted'], mine = (): Span[] => sink.spans.filter((s) => s.traceId === traceId)
  await until(() => answers.every((name) => mine().some((s) => s.name === name)))
  const byName = (name: string): Span => mine().find((s) => s.name === name)!, click = byName('POST /api/v1/dispatches')
  t.equal(click.parentSpanId, clicked, 'the caller\'s trace goes on')
  t.equal(click.kind, 2)
  for (const protocol of ['openadr', 'ieee2030_5', 'ocpp']) {
    const sent = byName(`${protocol} send`), task = mine().find((s) => s.spanId === sent.parentSpanId)
    t.equal(task?.name, 'task deliver', protocol)
    t.equal(task?.parentSpanId, click.spanId, protocol)
  }
  for (const name of answers) {
    const answer = byName(name)
    t.equal(answer.parentSpanId, click.spanId, name)
    t.ok(BigInt(answer.startTimeUnixNano) > 10n ** 18n && BigInt(answer.endTimeUnixNano) >= BigInt(answer.startTimeUnixNano), name)
    t.match(answer.attributes.find((a) => a.key === 'loadstone.dispatch')?.value, { stringValue: dispatch.id }, name)
  }
  t.match(click.resource, /"deployment.environment","value":{"stringValue":"bench"}},{"key":"service.name","value":{"stringValue":"flex"}/)
  t.match(sink.headers[0], { 'x-tenant': 'grid one', 'content-type': 'application/json' })
  const other = sink.spans.find((s) => s.name === 'POST /api/v1/availability')
  t.ok(other && other.traceId !== traceId && /^[0-9a-f]{32}$/.test(other.traceId) && other.parentSpanId === undefined, 'a click without a trace begins its own')

  await until(() => sink.metrics.some((m) => m.name === 'loadstone_operator_request_seconds'))
  await until(() => JSON.stringify(sink.metrics.findLast((m) => m.name === 'loadstone_ocpp_stations_online')).includes('"asDouble":1'))
  const seconds = sink.metrics.findLast((m) => m.name === 'loadstone_operator_request_seconds') as unknown as { histogram: { aggregationTemporality: number; dataPoints: { count: string; bucketCounts: string[]; explicitBounds: number[] }[] } }
  for (const p of seconds.histogram.dataPoints) {
    t.equal(p.bucketCounts.reduce((sum, n) => sum + Number(n), 0), Number(p.count), 'each request is in one bucket')
    t.equal(p.bucketCounts.length, p.explicitBounds.length + 1)
  }

  const said = lines.filter((l) => l.trace_id === traceId)
  t.ok(said.length > 0 && said.every((l) => /^[0-9a-f]{16}$/.test(String(l.span_id))), `${said.length} log lines name the trace`)
})
