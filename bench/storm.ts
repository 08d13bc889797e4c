import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import type { Emit } from '#bench/figure.js'
import { rounded } from '#bench/figure.js'
import { certificatePem, createRoot, issueTlsServer, keySigner, newEcKey, serialFrom, spkiOf, tlsIdentity } from '#certs/index.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { systemClock } from '#core/port/clock.js'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { csmsConfig } from '#csms/config.js'
import { tlsServer } from '#csms/listen.js'
import { buildCsms } from '#csms/server.js'
import { testDatabase } from '#prisma/test-database.js'

const load = fileURLToPath(new URL('./load/storm.js', import.meta.url))

export interface Storm {
  readonly seconds: number
  readonly refused: number
  /** Event-loop delay while they came back, ms. */
  readonly p99: number
  readonly KB: number
  /** Until every prompt station had its profile, and until every silent one was reported, s. */
  readonly prompt: number
  readonly reported: number
  readonly noComms: number
}

function orderTo(id: string, start: number): DeliveryOrder {
  const end = start + 3600
  return {
    id: `d-${id}`, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'storm' }, resource: { id: `res-${id}`, name: id, kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: id, control: true, evseId: 1 }, start, end,
    intervals: [{ start, end, delta_W: -5000, expected_W: 7000, setpoint_W: 2000, limitImport_W: 2000 }], randomize_s: 0, expiry: end, priority: 1, reportEvery_s: 900, createdAt: 0,
  }
}

/** A whole fleet comes back over TLS and boots; then one order goes to all of it, a twentieth of which says nothing. */
export async function storm(stations: number): Promise<Storm> {
  const database = await testDatabase({ poolSize: 8 }), ids = randomIds(() => systemClock.nowMs())
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-storm-'))
  const validity = { fromMs: systemClock.nowMs() - 3_600_000, toMs: systemClock.nowMs() + 86_400_000 }
  const serial = (): string => serialFrom(ids.hex(16)), key = newEcKey()
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['Storm'] }], validity }, keySigner(newEcKey()))
  const identity = tlsIdentity(root, key, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(key), names: ['localhost'], organization: 'Loadstone', validity }))
  writeFileSync(join(folder, 'ca.pem'), certificatePem(root.certificate))
  const states = new Map<string, Happening['state']>()
  let accepted = 0
  let told: () => void = () => {}
  const csms = buildCsms({
    documents: database.stores.documents, clock: systemClock, ids, log: silent,
    config: csmsConfig({}, { tenant: 'test', secret: Buffer.alloc(32, 1), postBootReport: false, compositeShare: 0, drainMs: 0 }),
    readings: { record: async (_caller, rows) => ({ accepted: rows.length, duplicates: 0, corrected: 0 }) },
    happenings: { happened: async (some) => { for (const h of some) { if (h.state === 'accepted') accepted += 1; states.set(h.delivery, h.state) } told() } },
    availability: { declare: async () => {} }, directory: { byRemote: async () => undefined },
  })
  const passwords: string[] = []
  for (let i = 0; i < stations; i += 1000) {
    const made = await csms.provision.add('test', Array.from({ length: Math.min(1000, stations - i) }, (_, n) => ({ id: `S${i + n}`, securityProfile: 2 })))
    passwords.push(...made.map((m) => m.password ?? ''))
  }
  const server = tlsServer({ key: [identity.key], cert: [identity.cert], ca: [] })
  csms.attach(server)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', 4096, ready))
  globalThis.gc?.()
  const before = process.memoryUsage().rss, loop = monitorEventLoopDelay({ resolution: 5 })
  const child: ChildProcess = fork(load, [String((server.address() as AddressInfo).port), String(stations), join(folder, 'ca.pem')], { execArgv: [] })
  try {
    loop.enable()
    const came = await new Promise<{ seconds: number; refused: number }>((done, fail) => {
      child.once('message', (m) => done(m as never))
      child.once('exit', (code) => fail(new Error(`the fleet ended with ${code}`)))
      child.send({ passwords })
    })
    loop.disable()
    globalThis.gc?.()
    const KB = (process.memoryUsage().rss - before) / 1024 / stations
    const begun = performance.now(), silentOnes = Math.ceil(stations / 20)
    let prompt = 0
    const all = new Promise<void>((done) => {
      told = () => {
        if (prompt === 0 && accepted >= stations - silentOnes) prompt = (performance.now() - begun) / 1000
        if (states.size >= stations) done()
      }
    })
    const start = systemClock.now() + 600
    await csms.channel.send(Array.from({ length: stations }, (_, i) => orderTo(`S${i}`, start)))
    await all
    const reported = (performance.now() - begun) / 1000
    return { ...came, p99: loop.percentile(99) / 1e6, KB, prompt, reported, noComms: [...states.values()].filter((s) => s === 'noComms').length }
  } finally {
    child.removeAllListeners('exit')
    child.kill()
    await csms.close()
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** REL-042, OCPP-239: 10,000 stations (LOADSTONE_STORM for another number). */
export default async function stormBench(emit: Emit): Promise<void> {
  const n = Number(process.env.LOADSTONE_STORM ?? 10_000)
  const s = await storm(n)
  emit({ name: 'ocpp storm over tls', value: rounded(s.seconds), unit: 's', n })
  emit({ name: 'ocpp storm event loop p99', value: rounded(s.p99), unit: 'ms', n })
  emit({ name: 'ocpp idle station wss', value: rounded(s.KB), unit: 'KB', n })
  emit({ name: 'ocpp one order to all', value: rounded(s.prompt), unit: 's', n })
  emit({ name: 'ocpp silent stations reported', value: rounded(s.reported), unit: 's', n: s.noComms })
}
