import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { rounded, type Emit } from '#bench/figure.js'
import type { Shown } from '#bench/load/storm.js'
import { certificatePem, createRoot, issueClient, issueTlsServer, keyPem, keySigner, newEcKey, serialFrom, spkiOf, tlsIdentity, type Authority } from '#certs/index.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { systemClock } from '#core/port/clock.js'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { csmsConfig } from '#csms/config.js'
import { tlsServer } from '#csms/listen.js'
import { buildCsms, type Csms } from '#csms/server.js'
import { testDatabase, type TestDatabase } from '#prisma/test-database.js'

const load = fileURLToPath(new URL('./load/storm.js', import.meta.url))

/** What was measured of one fleet. */
export interface Storm {
  /** Until all were back over TLS and booted, s; refused and told when to come again meanwhile. */
  readonly seconds: number
  readonly refused: number
  /** Event-loop delay while they came back, ms. */
  readonly p99: number
  readonly KB: number
  /** Until every prompt station had its profile, and until every silent one was reported, s. */
  readonly prompt: number
  readonly reported: number
  readonly noComms: number
  /** From the beginning of a shutdown until all were back at the next server over the same data, s (REL-048). */
  readonly restarted: number
}

function orderTo(id: string, start: number): DeliveryOrder {
  const end = start + 3600
  return {
    id: `d-${id}`, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'storm' }, resource: { id: `res-${id}`, name: id, kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: id, control: true, evseId: 1 }, start, end,
    intervals: [{ start, end, delta_W: -5000, expected_W: 7000, setpoint_W: 2000, limitImport_W: 2000 }], randomize_s: 0, expiry: end, priority: 1, reportEvery_s: 900, createdAt: 0,
  }
}

type Identity = { readonly key: string; readonly cert: string }

/** Station certificates for all, over one key: what is measured is the handshake, not the making of keys. */
async function certificatesFor(stations: number, root: Authority, made: { serial(): string; validity: { fromMs: number; toMs: number } }): Promise<{ certificates: string[]; key: string }> {
  const key = newEcKey(), certificates: string[] = []
  for (let i = 0; i < stations; i += 1) {
    certificates.push(certificatePem(await issueClient(root, { serial: made.serial(), publicKey: spkiOf(key), commonName: `S${i}`, organization: 'Loadstone', validity: made.validity })))
  }
  return { certificates, key: keyPem(key) }
}

/** One server after the other over the same data and on the same port. */
function servers(database: TestDatabase, identity: Identity, ca: string, heard: (some: readonly Happening[]) => void) {
  const ids = randomIds(() => systemClock.nowMs())
  return async (port: number): Promise<{ csms: Csms; port: number; close(): Promise<void> }> => {
    const csms = buildCsms({
      documents: database.stores.documents, clock: systemClock, ids, log: silent,
      config: csmsConfig({}, { tenant: 'test', secret: Buffer.alloc(32, 1), postBootReport: false, compositeShare: 0, organizations: ['Loadstone'], stationRoots: [ca] }),
      readings: { record: async (_caller, rows) => ({ accepted: rows.length, duplicates: 0, corrected: 0 }) },
      happenings: { happened: async (some) => heard(some) },
      availability: { declare: async () => {} }, directory: { byRemote: async () => undefined },
    })
    const server = tlsServer({ key: [identity.key], cert: [identity.cert], ca: [ca] })
    csms.attach(server)
    await new Promise<void>((ready) => server.listen(port, '127.0.0.1', 4096, ready))
    return {
      csms, port: (server.address() as AddressInfo).port,
      async close() {
        const closed = new Promise((done) => server.close(done))
        await csms.close()
        server.closeAllConnections()
        await closed
      },
    }
  }
}

/** One order to all, a twentieth of which says nothing. */
async function orderToAll(csms: Csms, stations: number, listen: (heard: (some: readonly Happening[]) => void) => void): Promise<Pick<Storm, 'prompt' | 'reported' | 'noComms'>> {
  const states = new Map<string, Happening['state']>(), silentOnes = Math.ceil(stations / 20), begun = performance.now()
  let accepted = 0, prompt = 0
  const all = new Promise<void>((done) => listen((some) => {
    for (const h of some) {
      if (h.state === 'accepted') accepted += 1
      states.set(h.delivery, h.state)
    }
    if (prompt === 0 && accepted >= stations - silentOnes) prompt = (performance.now() - begun) / 1000
    if (states.size >= stations) done()
  }))
  const start = systemClock.now() + 600
  await csms.channel.send(Array.from({ length: stations }, (_, i) => orderTo(`S${i}`, start)))
  await all
  return { prompt, reported: (performance.now() - begun) / 1000, noComms: [...states.values()].filter((s) => s === 'noComms').length }
}

/** A whole fleet comes back over TLS, or with certificates of its own (`mutual`), and boots; one order goes to all of it; then the server is replaced. */
export async function storm(stations: number, mutual = false): Promise<Storm> {
  const database = await testDatabase({ poolSize: 8 }), ids = randomIds(() => systemClock.nowMs())
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-storm-'))
  const validity = { fromMs: systemClock.nowMs() - 3_600_000, toMs: systemClock.nowMs() + 86_400_000 }
  const serial = (): string => serialFrom(ids.hex(16)), key = newEcKey()
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['Storm'] }], validity }, keySigner(newEcKey())), ca = certificatePem(root.certificate)
  const identity = tlsIdentity(root, key, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(key), names: ['localhost'], organization: 'Loadstone', validity }))
  writeFileSync(join(folder, 'ca.pem'), ca)
  let heard: (some: readonly Happening[]) => void = () => {}
  const start = servers(database, identity, ca, (some) => heard(some))
  let server = await start(0)
  const passwords: string[] = []
  for (let i = 0; i < stations; i += 1000) {
    const made = await server.csms.provision.add('test', Array.from({ length: Math.min(1000, stations - i) }, (_, n) => ({ id: `S${i + n}`, securityProfile: mutual ? 3 : 2, ...(mutual ? { serialNumber: `S${i + n}` } : {}) })))
    passwords.push(...made.map((m) => m.password ?? ''))
  }
  const shown: Shown = mutual ? await certificatesFor(stations, root, { serial, validity }) : { passwords }
  globalThis.gc?.()
  const before = process.memoryUsage().rss, loop = monitorEventLoopDelay({ resolution: 5 })
  const child: ChildProcess = fork(load, [String(server.port), String(stations), join(folder, 'ca.pem')], { execArgv: [] })
  const told = <T>(): Promise<T> => new Promise((done, fail) => {
    child.once('message', (m) => done(m as T))
    child.once('exit', (code) => fail(new Error(`the fleet ended with ${code}`)))
  })
  try {
    loop.enable()
    child.send(shown)
    const came = await told<{ seconds: number; refused: number }>()
    loop.disable()
    globalThis.gc?.()
    const KB = (process.memoryUsage().rss - before) / 1024 / stations
    const order = await orderToAll(server.csms, stations, (listener) => { heard = listener })
    const back = told<unknown>(), begun = performance.now()
    child.send('closing')
    await server.close()
    server = await start(server.port)
    await back
    return { ...came, p99: loop.percentile(99) / 1e6, KB, ...order, restarted: (performance.now() - begun) / 1000 }
  } finally {
    child.removeAllListeners('exit')
    child.kill()
    await server.close()
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** REL-042, REL-048, OCPP-239: 10,000 stations (LOADSTONE_STORM for another number), over TLS and then with certificates of their own. */
export default async function stormBench(emit: Emit): Promise<void> {
  const n = Number(process.env.LOADSTONE_STORM ?? 10_000)
  const s = await storm(n)
  emit({ name: 'ocpp storm over tls', value: rounded(s.seconds), unit: 's', n })
  emit({ name: 'ocpp storm event loop p99', value: rounded(s.p99), unit: 'ms', n })
  emit({ name: 'ocpp idle station wss', value: rounded(s.KB), unit: 'KB', n })
  emit({ name: 'ocpp one order to all', value: rounded(s.prompt), unit: 's', n })
  emit({ name: 'ocpp silent stations reported', value: rounded(s.reported), unit: 's', n: s.noComms })
  emit({ name: 'ocpp restart, all back', value: rounded(s.restarted), unit: 's', n })
  const m = await storm(n, true)
  emit({ name: 'ocpp storm over mtls', value: rounded(m.seconds), unit: 's', n })
  emit({ name: 'ocpp storm over mtls event loop p99', value: rounded(m.p99), unit: 'ms', n })
}
