import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readSettings } from '#cli/settings.js'
import { handClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'
import { portBase } from '#main/test-ports.js'

t.setTimeout(300_000)

t.test('CORE-093, CORE-157 a baseline that a VEN reports at the OpenADR door before the gate is what a program with nominated baselines measures by; after it, it is kept and not used', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-claim-')), clock = handClock(Date.UTC(2026, 6, 14, 12)), { settings, resolved } = await readSettings({ data: folder, portBase: await portBase(40_000) }, {}, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false })
  const server = await build({ settings, resolved, data: { path: folder, at: (...parts) => join(folder, ...parts) }, clock, log: silent, seed: 'conformance' }), { ready } = server
  t.teardown(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const call = async (method: string, path: string, body?: unknown): Promise<any> => {
    const answer = await fetch(`${ready.operator}/api/v1/${path}`, { method, headers: { authorization: `Bearer ${ready.operatorToken}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }), data = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(data).slice(0, 300)}`)
    return data
  }
  const tokenOf = async (client_id: string, client_secret: string): Promise<string> => ((await (await fetch(`${ready.vtnHttp}/auth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }) })).json()) as { access_token: string }).access_token
  const vtn = async (method: string, path: string, token: string, body?: unknown): Promise<any> => {
    const answer = await fetch(`${ready.vtnHttp}${path}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }), data = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(data).slice(0, 300)}`)
    return data
  }
  await call('POST', 'programs', { name: 'own', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'NOMINATED', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70', rules: { gateClosure_s: 3600 } })
  await call('POST', 'service-points', { name: 'mill' })
  await call('POST', 'resources', { name: 'mill', servicePoint: 'mill', kind: 'building', rated_kW: 500, bindings: [{ protocol: 'openadr', remoteId: 'mill' }] })
  await call('POST', 'enrolments', { program: 'own', servicePoint: 'mill', to: 'active', consent: { purpose: 'settlement', grantedAt: '2026-01-01T00:00:00Z' } })
  const ven = await tokenOf('ven_client', '999'), bl = await tokenOf('bl_client', '1001')
  await vtn('POST', '/vens', ven, { objectType: 'VEN_VEN_REQUEST', venName: 'mill' })
  const program = await vtn('POST', '/programs', bl, { programName: 'claims' }), event = await vtn('POST', '/events', bl, { programID: program.id, intervalPeriod: { start: '2026-07-14T16:00:00Z', duration: 'PT15M' }, intervals: Array.from({ length: 4 }, (_, id) => ({ id, payloads: [{ type: 'SIMPLE', values: [0] }] })) })
  const say = (start: string, kW: number[]) => ({
    eventID: event.id, clientName: 'mill', payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: 'BASELINE', units: 'KW' }],
    resources: [{ resourceName: 'mill', intervalPeriod: { start, duration: 'PT15M' }, intervals: kW.map((v, id) => ({ id, payloads: [{ type: 'BASELINE', values: [v] }] })) }],
  })
  const prognoses = async (n: number): Promise<any[]> => {
    for (const end = performance.now() + 60_000; performance.now() < end; await new Promise((done) => setTimeout(done, 25))) {
      const { items } = await call('GET', 'prognoses?program=own')
      if (items.length >= n) return items
    }
    throw new Error('the claim did not arrive')
  }
  const compute = (start: string): Promise<any> => call('POST', 'baselines', { program: 'own', start, duration: 'PT1H' })

  const report = await vtn('POST', '/reports', ven, say('2026-07-14T16:00:00Z', [100, 120, 140, 160]))
  t.match(await prognoses(1), [{ start: /2026-07-14T16:00:00/, kW: [100, 120, 140, 160], source: 'openadr:mill' }])
  await vtn('PUT', `/reports/${report.id}`, ven, say('2026-07-14T16:00:00Z', [200, 220, 240, 260]))
  t.same((await prognoses(2)).map((p) => p.kW[0]).sort(), [100, 200], 'a corrected report is a newer claim')
  // the gate of 16:00 closes at 15:00
  await clock.set(Date.UTC(2026, 6, 14, 15, 30))
  await vtn('POST', '/reports', ven, say('2026-07-14T16:00:00Z', [900, 900, 900, 900]))
  await vtn('POST', '/reports', ven, say('2026-07-14T14:00:00Z', [900, 900, 900, 900]))
  t.same((await prognoses(4)).map((p) => p.kW[0]).sort(), [100, 200, 900, 900], 'a late claim is on record …')
  await clock.set(Date.UTC(2026, 6, 14, 18))
  await call('POST', 'readings', { readings: Array.from({ length: 12 }, (_, q) => ({ servicePoint: 'mill', start: new Date(Date.UTC(2026, 6, 14, 14, q * 15)).toISOString(), minutes: 15, Wh: 20_000 })) })
  t.match(await compute('2026-07-14T16:00:00Z'), { status: 'OK', baseline_kWh: 230, metered_kWh: 80 }, '… and the newest that was in time counts')
  t.match(await compute('2026-07-14T14:00:00Z'), { status: 'INSUFFICIENT_DATA', baseline_kWh: null, reasons: [/gate/] }, 'a claim after the fact is no baseline')
})
