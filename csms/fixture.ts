import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import { WebSocket, type ClientOptions } from 'ws'
import type { Availability } from '#core/availability/availability.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { systemClock, type Clock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent, type Log } from '#core/port/log.js'
import type { ReadingInput } from '#core/reading/reading.js'
import type { Resource } from '#core/program/resource.js'
import { postgresBus } from '#prisma/bus.js'
import { testDatabase, type TestDatabase } from '#prisma/test-database.js'
import { csmsConfig, type CsmsConfig } from './config.js'
import { plainServer } from './listen.js'
import type { CsmsNeeds } from './needs.js'
import { buildCsms, type Csms } from './server.js'

/** A CSMS on a real database and a real port, with the core's ears beside it. For tests only. */
export interface Bench {
  readonly csms: Csms
  readonly database: TestDatabase
  readonly server: Server
  readonly url: string
  readonly readings: ReadingInput[]
  readonly happenings: Happening[]
  readonly availability: Availability[]
  readonly config: CsmsConfig
  /** One more server over the same data, with the same ears. */
  another(): Csms
  /** Another process over the same data: the old one closed, a new one built. */
  restart(): Promise<void>
  close(): Promise<void>
}

export const password = (id: string): string => `loadstone-${id}-pass`

export const resourceFor = (id: string, evseId?: number): Resource => ({
  id: `res-${id}-${evseId ?? 0}`, tenant: 'test', version: 1, createdAt: 0, modifiedAt: 0, name: `${id}-${evseId ?? 0}`, servicePoint: `sp-${id}-${evseId ?? 0}`,
  kind: 'evse', rated_W: 22_000, cost: '0', minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId: id, control: true, ...(evseId === undefined ? {} : { evseId }) }],
  constraints: {}, state: 'active',
})

export interface BenchOptions {
  readonly stations?: readonly string[]
  readonly config?: Partial<CsmsConfig>
  readonly clock?: Clock
  readonly log?: Log
  readonly needs?: Partial<CsmsNeeds>
  /** Each server speaks with others over the same data, each on a connection of its own. */
  readonly twin?: boolean
}

export async function bench({ stations = ['CS001', 'CS002'], config = {}, clock = systemClock, log = silent, needs = {}, twin = false }: BenchOptions = {}): Promise<Bench> {
  const database = await testDatabase({ clock })
  const readings: ReadingInput[] = [], happenings: Happening[] = [], availability: Availability[] = []
  const settings = csmsConfig({}, {
    tenant: 'test', secret: Buffer.alloc(32, 7), failuresPerMinute: 0, refusalDelayMs: 0, callTimeoutMs: 1500, postBootReport: false, drainMs: 0, compositeShare: 0, profileEvery_s: 0, ...config,
  })
  const buses: { close(): Promise<void> }[] = []
  function own(): ReturnType<typeof postgresBus> {
    const bus = postgresBus({ connectionString: database.url }, log)
    buses.push(bus)
    return bus
  }
  const build = (): Csms => buildCsms({
    documents: database.stores.documents, clock, ids: randomIds(() => clock.nowMs()), log, config: settings,
    readings: { record: async (_caller, rows) => { readings.push(...rows); return { accepted: rows.length, duplicates: 0, corrected: 0 } } },
    happenings: { happened: async (some) => { happenings.push(...some) } },
    availability: { declare: async (_caller, rows) => { availability.push(...rows) } },
    directory: { byRemote: async (_tenant, _protocol, id, evseId) => (evseId === undefined ? undefined : resourceFor(id, evseId)) },
    ...(twin ? { bus: own() } : {}), ...needs,
  })
  let csms = build()
  let server = plainServer()
  async function listen(): Promise<string> {
    csms.attach(server)
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ocpp`
  }
  let url = await listen()
  await csms.provision.add('test', stations.map((id) => ({ id, securityProfile: 1, securityProfiles: [1, 2], password: password(id) })))
  await csms.tokens.put('test', [
    { idToken: 'DEADBEEF', type: 'ISO14443', status: 'Accepted' }, { idToken: 'BLOCKED01', type: 'ISO14443', status: 'Blocked' },
    { idToken: 'EXPIRED01', type: 'ISO14443', status: 'Accepted', expires: '2020-01-01T00:00:00Z' },
    { idToken: 'GROUP01', type: 'ISO14443', status: 'Accepted', group: 'FLEET1' }, { idToken: 'GROUP02', type: 'ISO14443', status: 'Accepted', group: 'FLEET1' },
    { idToken: 'SINGLE01', type: 'ISO14443', status: 'Accepted', concurrent: false },
  ])
  const shut = async (): Promise<void> => {
    await csms.close()
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
  return {
    get csms() { return csms }, get server() { return server }, get url() { return url },
    another: build,
    database, readings, happenings, availability, config: settings,
    async restart() {
      await shut()
      csms = build()
      server = plainServer()
      url = await listen()
    },
    async close() {
      await shut()
      await Promise.all(buses.map((bus) => bus.close()))
      await database.close()
    },
  }
}

type Frame = [number, string, ...unknown[]]
type Reply = object | ((payload: Record<string, unknown>) => object | undefined)

/** A charging station by hand: frames out and in, answers to the server's CALLs from a table. */
export class HandStation {
  readonly ws: WebSocket
  /** Frames that answer nothing of ours, in order: CALLs without an entry in `replies`, stray errors. */
  readonly heard: Frame[] = []
  readonly calls: { action: string; payload: Record<string, unknown>; at: number }[] = []
  readonly replies: Record<string, Reply> = {}
  closed: { code: number; reason: string } | undefined
  #waiting = new Map<string, (frame: Frame) => void>()
  #listeners: (() => void)[] = []
  #next = 0

  constructor(url: string, id: string, options: { password?: string; protocols?: string[]; user?: string; ws?: ClientOptions } = {}) {
    const basic: Record<string, string> = options.password === undefined ? {} : { Authorization: `Basic ${Buffer.from(`${options.user ?? id}:${options.password}`).toString('base64')}` }
    this.ws = new WebSocket(`${url}/${encodeURIComponent(id)}`, options.protocols ?? ['ocpp2.0.1'], { ...options.ws, headers: basic })
    this.ws.on('message', (data) => this.#hear(JSON.parse((data as Buffer).toString('utf8')) as Frame))
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.#wake()
    })
    this.ws.on('error', () => {})
  }

  /** Open, or the HTTP status that refused it. */
  async open(): Promise<number> {
    return new Promise((done) => {
      this.ws.once('open', () => done(101))
      this.ws.once('unexpected-response', (_request, response) => { done(response.statusCode ?? 0); this.ws.terminate() })
      this.ws.once('error', () => done(0))
    })
  }

  /** Sends a CALL and resolves with the whole answering frame. */
  async call(action: string, payload: unknown, id = `c${this.#next++}`): Promise<Frame> {
    return new Promise((done) => {
      this.#waiting.set(id, done)
      this.ws.send(JSON.stringify([2, id, action, payload]))
    })
  }

  /** Sends raw text and resolves with the next frame that answers no CALL of ours. */
  async raw(text: string | Buffer): Promise<Frame> {
    const before = this.heard.length
    this.ws.send(text)
    await this.until(() => this.heard.length > before)
    return this.heard[before] as Frame
  }

  async until(condition: () => boolean, ms = 15_000): Promise<void> {
    const end = performance.now() + ms
    while (!condition()) {
      if (performance.now() > end) throw new Error('waited too long')
      await new Promise<void>((wake) => {
        this.#listeners.push(wake)
        setTimeout(() => this.#wake(), 20).unref()
      })
    }
  }

  async boot(): Promise<void> {
    const [, , answer] = await this.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } })
    if ((answer as { status: string }).status !== 'Accepted') throw new Error(`boot: ${JSON.stringify(answer)}`)
  }

  async close(): Promise<void> {
    if (this.ws.readyState === WebSocket.CLOSED) return
    this.ws.close()
    await this.until(() => this.closed !== undefined)
  }

  #wake(): void {
    for (const listener of this.#listeners.splice(0)) listener()
  }

  #hear(frame: Frame): void {
    const [kind, id, action, payload] = frame
    const waiting = kind === 2 ? undefined : this.#waiting.get(id)
    if (waiting) {
      this.#waiting.delete(id)
      waiting(frame)
    } else if (kind === 2) {
      this.calls.push({ action: action as string, payload: payload as Record<string, unknown>, at: performance.now() })
      const reply = this.replies[action as string]
      const answer = typeof reply === 'function' ? reply(payload as Record<string, unknown>) : reply
      if (answer === undefined) this.heard.push(frame)
      else if (Array.isArray(answer)) this.ws.send(JSON.stringify([4, id, ...answer as unknown[]]))
      else this.ws.send(JSON.stringify([3, id, answer]))
    } else this.heard.push(frame)
    this.#wake()
  }
}

/** Connected, and with `boot` accepted. */
export async function station(b: Bench, id = 'CS001', options: { boot?: boolean; protocols?: string[]; ws?: ClientOptions } = {}): Promise<HandStation> {
  const s = new HandStation(b.url, id, { password: password(id), ...options })
  const status = await s.open()
  if (status !== 101) throw new Error(`refused: ${status}`)
  if (options.boot ?? true) await s.boot()
  return s
}
