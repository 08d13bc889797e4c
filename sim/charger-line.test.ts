import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { backoff } from '#sim/charger-line.js'
import { simCharger } from '#sim/charger.js'
import { protocolClock } from '#sim/protocol-clock.js'
import { silent } from '#ven-client/log.js'
import { randomFrom } from '#ven-client/random.js'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'

t.setTimeout(120_000)
const { RPCServer } = createRequire(import.meta.url)('ocpp-rpc') as { RPCServer: new (o: object) => { auth(f: (accept: () => void) => void): void; on(e: string, f: (c: never) => void): void; listen(port: number): Promise<{ address(): unknown }>; close(o: object): Promise<void> } }

t.test('REL-043 a fleet that lost its server for five minutes does not come back in step', async (t) => {
  const attempts: number[] = []
  for (let station = 0; station < 1000; station += 1) {
    const random = randomFrom(`station ${station}`), { initialDelay, maxDelay, factor, randomisationFactor } = backoff(random)
    let at = 0
    for (let delay = initialDelay; at < 300_000; delay = Math.min(maxDelay, delay * factor)) at += delay * (1 + random() * randomisationFactor)
    attempts.push(at)
  }
  const first = Math.min(...attempts), span = Math.max(...attempts) - first, perSecond = new Map<number, number>()
  for (const at of attempts) perSecond.set(Math.floor((at - first) / 1000), (perSecond.get(Math.floor((at - first) / 1000)) ?? 0) + 1)
  t.ok(Math.max(...perSecond.values()) <= 3 * 1000 / (span / 1000), `peak ${Math.max(...perSecond.values())}, mean ${1000 / (span / 1000)}`)
})

t.test('UX-007 a charger that loses the network tells later what happened, marked as offline', async (t) => {
  const T = Date.UTC(2026, 5, 1, 22), minute = 60_000, base = handClock(T)
  const server = new RPCServer({ protocols: ['ocpp2.0.1'], strictMode: false }), heard: { method: string; params: { offline?: boolean; seqNo?: number } }[] = []
  let connections = 0
  server.auth((accept) => { accept() })
  server.on('client', ((client: { handle(h: (o: { method: string; params: object }) => unknown): void }) => {
    connections += 1
    client.handle(({ method, params }) => {
      heard.push({ method, params })
      return method === 'BootNotification' ? { status: 'Accepted', interval: 300, currentTime: new Date(base.nowMs()).toISOString() } : method === 'Heartbeat' ? { currentTime: new Date(base.nowMs()).toISOString() } : {}
    })
  }) as never)
  const http = await server.listen(0)
  const site = { name: 'charger-001', kind: 'charger' as const, rated_W: 22_000, seed: 1, timeZone: 'America/Denver' }
  const charger = simCharger({
    site, servicePoint: 'sp', stationId: 'CH1', url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ocpp`, password: 'loadstone-pass-0001', clock: protocolClock(base), log: silent, spread_s: 0,
    offline: { every_s: 20 * 60, for_s: 40 * 60 },
  })
  t.teardown(async () => { await charger.stop(); await server.close({ force: true }) })
  const settle = async (): Promise<void> => { for (let i = 0; i < 12; i += 1) { await new Promise((done) => setTimeout(done, 4)); await base.advance(0) } }
  for (let i = 0; i < 200 && !heard.some((h) => h.method === 'TransactionEvent'); i += 1) await settle()
  for (let m = 0; m < 25; m += 5) { await base.advance(5 * minute); await settle() }
  const before = heard.length
  for (let m = 0; m < 30; m += 5) { await base.advance(5 * minute); await settle() }
  t.equal(heard.length, before, 'nothing is heard while it is away')
  await base.advance(10 * minute)
  for (let i = 0; i < 400 && !heard.some((h) => h.params.offline === true); i += 1) await settle()
  t.ok(connections >= 2)
  const events = heard.filter((h) => h.method === 'TransactionEvent').map((h) => h.params.seqNo)
  t.ok(heard.some((h) => h.params.offline === true), 'what happened meanwhile says so')
  t.same(events, events.map((_, i) => i), 'in order, none lost')
})
