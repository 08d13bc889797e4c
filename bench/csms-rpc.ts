import { fork } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import type { Emit } from '#bench/figure.js'
import { rounded } from '#bench/figure.js'
import { bareStore } from '#bench/load/bare-store.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { csmsConfig } from '#csms/config.js'
import { plainServer } from '#csms/listen.js'
import { Door, doorDefaults } from '#csms/rpc/door.js'
import { schemasOf } from '#csms/rpc/schema.js'
import { Session, sessionLimits } from '#csms/rpc/session.js'
import { buildCsms } from '#csms/server.js'
import { offered } from '#csms/wire/offered.js'
import { testDatabase } from '#prisma/test-database.js'

const load = fileURLToPath(new URL('./load/csms.js', import.meta.url))

interface Load {
  readonly answered: number
  readonly seconds: number
}

/** The stations live in a process of their own, as they would. */
function drive(port: number, stations: number, seconds: number, mix: string): Promise<Load> {
  return new Promise((done, fail) => {
    const child = fork(load, [String(port), String(stations), String(seconds), mix], { execArgv: [] })
    child.once('message', (result) => done(result as Load))
    child.once('error', fail)
    child.once('exit', (code) => { if (code) fail(new Error(`load ended with ${code}`)) })
  })
}

const listening = (server: Server): Promise<number> => new Promise((ready) => server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port)))
const closed = (server: Server): Promise<unknown> => new Promise((done) => { server.closeAllConnections(); server.close(done) })

/** The RPC layer alone: every CALL and every answer validated, handlers that do nothing. */
function emptyDoor(): { server: Server; door: Door } {
  const ids = randomIds(() => systemClock.nowMs()), sessions = new Map<string, Session>()
  const make = (identity: string): Session => new Session(identity, {
    log: silent, ids, nowMs: () => systemClock.nowMs(), limits: sessionLimits, offered, mayHear: () => true, mayCall: () => true,
    answer: (_session, action) => (action === 'Heartbeat' ? { currentTime: '2026-01-01T00:00:00.000Z' } : {}), hear() {}, record() {}, gone() {}, alarm() {},
  })
  const door = new Door({
    log: silent, config: { ...doorDefaults, paths: new Map([['/ocpp', 't']]), failuresPerMinute: 0 },
    login: async ({ identity }) => {
      const session = sessions.get(identity) ?? make(identity)
      sessions.set(identity, session)
      return { admitted: true, versions: ['2.0.1'], session }
    },
    connected() {},
  })
  const server = plainServer()
  door.attach(server)
  return { server, door }
}

async function bareEcho(seconds: number): Promise<Load> {
  const server = createServer(), wss = new WebSocketServer({ server })
  wss.on('connection', (ws) => ws.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as [number, string]
    ws.send(JSON.stringify([3, frame[1], {}]))
  }))
  const result = await drive(await listening(server), 200, seconds, 'mixed')
  await closed(server)
  return result
}

async function idle(n: number): Promise<number> {
  const { server, door } = emptyDoor()
  const port = await listening(server)
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const child = fork(load, [String(port), String(n), '0', 'idle'], { execArgv: [] })
  await new Promise((ready) => child.once('message', ready))
  globalThis.gc?.()
  const KB = (process.memoryUsage().rss - before) / 1024 / n
  child.kill()
  await door.close(0)
  await closed(server)
  return KB
}

type StoredMix = 'events' | 'meters'

/** Stations with passwords, in a process of their own. */
function driveStored(port: number, passwords: readonly string[], seconds: number, mix: StoredMix): Promise<Load> {
  return new Promise<Load>((done, fail) => {
    const child = fork(load, [String(port), String(passwords.length), String(seconds), mix], { execArgv: [] })
    child.send({ passwords })
    child.once('message', (r) => done(r as Load))
    child.once('error', fail)
  })
}

/** The whole server on PostgreSQL: what is acknowledged is committed. */
export async function stored(mix: StoredMix, stations: number, seconds: number): Promise<Load> {
  const database = await testDatabase({ poolSize: 8 })
  const documents: DocumentStore = database.stores.documents
  const csms = buildCsms({
    documents, clock: systemClock, ids: randomIds(() => systemClock.nowMs()), log: silent,
    config: csmsConfig({}, { tenant: 'test', secret: Buffer.alloc(32, 1), failuresPerMinute: 0, postBootReport: false, admission: 'registered', drainMs: 0 }),
    readings: { record: async (_caller, rows) => ({ accepted: rows.length, duplicates: 0, corrected: 0 }) },
    happenings: { happened: async () => {} }, availability: { declare: async () => {} }, directory: { byRemote: async () => undefined },
  })
  // Machine-made passwords are what a fleet has; here each is known, so scrypt would measure itself.
  const made = await csms.provision.add('test', Array.from({ length: stations }, (_, i) => ({ id: `B${i}`, securityProfile: 1 })))
  // The schemas of all versions are compiled in a server's first seconds: here they would be a fifth of what is measured.
  for (const version of ['2.0.1', '1.6', '2.1'] as const) await schemasOf(version).warm()
  const server = plainServer()
  csms.attach(server)
  const result = await driveStored(await listening(server), made.map((m) => m.password as string), seconds, mix)
  await csms.close()
  await closed(server)
  await database.close()
  return result
}

/** The same messages from the same stations, stored by next to nothing. */
async function bare(mix: StoredMix, stations: number, seconds: number): Promise<Load> {
  let result: Load | undefined
  await bareStore(mix, async (port) => { result = await driveStored(port, Array.from({ length: stations }, () => 'x'), seconds, mix) })
  return result as Load
}

/** Validated calls a second, memory of an idle station, and messages stored (OCPP-271). */
export default async function csmsRpc(emit: Emit): Promise<void> {
  const rate = (l: Load): number => rounded(l.answered / l.seconds)
  // First, as a process that has worked hides new memory in what it has freed.
  emit({ name: 'ocpp idle station ws', value: rounded(await idle(2000)), unit: 'KB', n: 2000 })
  const echo = await bareEcho(4)
  const { server, door } = emptyDoor()
  const ours = await drive(await listening(server), 200, 4, 'mixed')
  await door.close(0)
  await closed(server)
  emit({ name: 'ocpp rpc calls', value: rate(ours), unit: 'calls/s', n: ours.answered, baseline: rate(echo), ratio: rounded(rate(ours) / rate(echo)) })
  for (const [mix, name] of [['events', 'ocpp transaction events stored'], ['meters', 'ocpp meter values stored']] as const) {
    const least = await bare(mix, 200, 5), kept = await stored(mix, 200, 5)
    emit({ name, value: rate(kept), unit: 'calls/s', n: kept.answered, baseline: rate(least), ratio: rounded(rate(kept) / rate(least)) })
  }
}
