import { fork, type ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { rounded, type Emit } from '#bench/figure.js'
import type { Known } from '#bench/load/flood.js'
import { certificatePem, createRoot, issueTlsServer, keySigner, newEcKey, serialFrom, spkiOf, tlsIdentity } from '#certs/index.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { csmsConfig } from '#csms/config.js'
import { plainServer, tlsServer } from '#csms/listen.js'
import { buildCsms } from '#csms/server.js'
import { connectionLimit } from '#main/per-address.js'
import { testDatabase } from '#prisma/test-database.js'

const load = fileURLToPath(new URL('./load/flood.js', import.meta.url))

interface Beside {
  /** Of a heartbeat, ms. */
  readonly p99: number
  readonly asked: number
  /** A station that logs in meanwhile, ms. */
  readonly joined: number
}

export interface Flood {
  readonly quiet: Beside
  /** Beside slow connections, and until all of those were ended, s (REL-044). */
  readonly slow: Beside
  readonly freed: number
  /** Beside thousands of connections from one other address (REL-045). */
  readonly many: Beside
  readonly held: number
  readonly refused: number
}

/** As `settings.connectionsPerAddress` has it. */
const perAddress = 2000

const said = <T>(child: ChildProcess): Promise<T> => new Promise((done, fail) => {
  child.once('message', (m) => done(m as T))
  child.once('exit', (code) => fail(new Error(`it ended with ${code}`)))
})

/** The OCPP doors of a whole server, and what honest stations of one address see while others misbehave. */
export async function flood(slow: number, many: number, honest = 50, seconds = 4): Promise<Flood> {
  const database = await testDatabase({ poolSize: 4 }), ids = randomIds(() => systemClock.nowMs()), serial = (): string => serialFrom(ids.hex(16))
  const validity = { fromMs: systemClock.nowMs() - 3_600_000, toMs: systemClock.nowMs() + 86_400_000 }, key = newEcKey()
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['Flood'] }], validity }, keySigner(newEcKey()))
  const identity = tlsIdentity(root, key, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(key), names: ['localhost'], organization: 'Loadstone', validity }))
  const csms = buildCsms({
    documents: database.stores.documents, clock: systemClock, ids, log: silent, config: csmsConfig({}, { tenant: 'test', secret: Buffer.alloc(32, 1), postBootReport: false }),
    readings: { record: async (_caller, rows) => ({ accepted: rows.length, duplicates: 0, corrected: 0 }) }, happenings: { happened: async () => {} },
    availability: { declare: async () => {} }, directory: { byRemote: async () => undefined },
  })
  const made = await csms.provision.add('test', Array.from({ length: honest + 1 }, (_, i) => ({ id: `F${i}`, securityProfile: 2 })))
  const doors = [plainServer(), tlsServer({ key: [identity.key], cert: [identity.cert] })] as const
  const listening = async (door: Server): Promise<number> => {
    csms.attach(door)
    door.prependListener('connection', connectionLimit(perAddress, 'OCPP', silent))
    await new Promise<void>((ready) => door.listen(0, '127.0.0.1', 1024, ready))
    return (door.address() as AddressInfo).port
  }
  const ports = [await listening(doors[0]), await listening(doors[1])], children: ChildProcess[] = []
  const run = (kind: string, n: number, address: string): ChildProcess => {
    const child = fork(load, [kind, String(n), address, ...ports.map(String)], { execArgv: [] })
    children.push(child)
    return child
  }
  try {
    const good = run('honest', honest, '127.0.0.1')
    good.send({ passwords: made.map((m) => m.password as string), ca: certificatePem(root.certificate) } satisfies Known)
    await said(good)
    const measure = async (): Promise<Beside> => { good.send({ seconds }); return said<Beside>(good) }
    const quiet = await measure()
    const loris = said<{ freed: number }>(run('slow', slow, '127.0.0.2')), besideSlow = await measure(), { freed } = await loris
    const crowd = said<{ held: number; refused: number }>(run('many', many, '127.0.0.3')), besideMany = await measure()
    return { quiet, slow: besideSlow, freed, many: besideMany, ...await crowd }
  } finally {
    for (const child of children) child.removeAllListeners('exit').kill()
    await csms.close()
    await Promise.all(doors.map((door) => new Promise((closed) => { door.closeAllConnections(); door.close(closed) })))
    await database.close()
  }
}

/** REL-044, REL-045 at the OCPP doors: 1,000 slow connections, 5,000 from one address. */
export default async function floodBench(emit: Emit): Promise<void> {
  const f = await flood(1000, 5000)
  const beside = (name: string, { p99, asked, joined }: Beside): void => {
    emit({ name: `ocpp heartbeat beside ${name} p99`, value: rounded(p99), unit: 'ms', n: asked, baseline: rounded(f.quiet.p99), ratio: rounded(p99 / f.quiet.p99) })
    emit({ name: `ocpp login beside ${name}`, value: rounded(joined), unit: 'ms', n: 1, baseline: rounded(f.quiet.joined) })
  }
  beside('1000 slow connections', f.slow)
  emit({ name: 'ocpp slow connections all ended', value: rounded(f.freed), unit: 's', n: 1000 })
  beside('5000 connections of one address', f.many)
  emit({ name: 'ocpp connections of one address held', value: f.held, unit: 'connections', n: f.held + f.refused })
}
