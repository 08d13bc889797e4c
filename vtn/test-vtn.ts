import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Availability } from '#core/availability/availability.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { handClock, type HandClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import type { Resource } from '#core/program/resource.js'
import { instantOf } from '#core/quantity/interval.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { testDatabase, type TestDatabase } from '#prisma/test-database.js'
import type { VtnConfig } from '#vtn/config.js'
import { buildVtn, type Vtn, type VtnNeeds } from '#vtn/server.js'

/** What the VTN told the core, in order. */
export interface Told {
  readonly readings: ReadingInput[]
  readonly happenings: Happening[]
  readonly availability: Availability[]
  readonly claims: { resource: string; claims: readonly { start: number; end: number; Wh: number }[]; source: string; lineage: string }[]
  readonly optOuts: { resource: string; from: number; to: number | null; reason: string }[]
}

export interface TestVtn {
  readonly vtn: Vtn
  readonly app: FastifyInstance
  readonly db: TestDatabase
  readonly clock: HandClock
  readonly tokenClock: HandClock
  readonly told: Told
  readonly needs: VtnNeeds
  readonly resources: Map<string, Resource>
  token(id?: string, secret?: string): Promise<string>
  /** One request on the 3.1.1 surface as a client: 'bl_client', 'ven_client', 'ven_client2', or none. */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH', path: string, as?: string | null, body?: unknown, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  close(): Promise<void>
}

export const base = '/openadr3/3.1.1'
export const startedAt = Date.parse('2026-06-01T12:00:00Z')
const secrets: Record<string, string> = { bl_client: '1001', ven_client: '999', ven_client2: '9999' }

export const resourceOf = (name: string, servicePoint = `sp-${name}`): Resource => ({
  id: `res-${name}`, tenant: 'test', version: 1, createdAt: 0, modifiedAt: 0, name, servicePoint, kind: 'site', rated_W: 150_000, cost: '0', minBlock_W: 0,
  bindings: [{ protocol: 'openadr', remoteId: name, control: true }], constraints: {}, state: 'active',
})

export const orderStart = instantOf('2026-06-01T22:00:00Z'), orderEnd = orderStart + 7200

/** One resource's part of `dispatch-1`, two hours in the evening. */
export const orderOf = (id: string, venName: string, delta_W: number, revision = 1): DeliveryOrder => ({
  id, tenant: 'test', dispatch: 'dispatch-1', revision, program: { id: 'core-program-1', name: 'peak' },
  resource: { id: `res-${venName}`, name: venName, kind: 'site', rated_W: 150_000, servicePoint: `sp-${venName}` },
  binding: { protocol: 'openadr', remoteId: venName, control: true }, start: orderStart, end: orderEnd,
  intervals: [{ start: orderStart, end: orderEnd, delta_W, expected_W: null, setpoint_W: null, limitImport_W: null }],
  randomize_s: 0, expiry: orderEnd + 3600, priority: 1, reportEvery_s: 900, createdAt: startedAt,
})

/** A VTN on a database of its own, with the clients of the conformance seed and a clock moved by hand. */
export async function testVtn(config: Partial<VtnConfig> = {}, more: Partial<VtnNeeds> = {}): Promise<TestVtn> {
  const clock = handClock(startedAt), tokenClock = handClock(Date.parse('2026-11-20T00:00:00Z'))
  const db = await testDatabase({ clock })
  const told: Told = { readings: [], happenings: [], availability: [], claims: [], optOuts: [] }
  const resources = new Map<string, Resource>()
  const needs: VtnNeeds = {
    database: db.database, clock, tokenClock, ids: randomIds(() => clock.nowMs()), log: silent,
    config: {
      tenant: db.tenant,
      clients: [{ clientID: 'bl_client', clientSecret: '1001', role: 'BL' }, { clientID: 'ven_client', clientSecret: '999', role: 'VEN' }, { clientID: 'ven_client2', clientSecret: '9999', role: 'VEN' }],
      webhooks: { echo: 'off' },
      ...config,
    },
    readings: { record: async (_caller, rows) => { told.readings.push(...rows); return { accepted: rows.length, duplicates: 0, corrected: 0 } } },
    happenings: { happened: async (list) => void told.happenings.push(...list) },
    availability: { declare: async (_caller, rows) => void told.availability.push(...rows) },
    claims: { claim: async (_caller, claim) => void told.claims.push(claim) },
    optOuts: { optOut: async (_caller, optOut) => void told.optOuts.push(optOut) },
    directory: { byRemote: async (_tenant, _protocol, remoteId) => resources.get(remoteId) },
    ...more,
  }
  const vtn = await buildVtn(needs)
  const app = await vtn.door()
  const tokens = new Map<string, string>()
  async function token(id = 'bl_client', secret = secrets[id] ?? ''): Promise<string> {
    const answer = await app.inject({ method: 'POST', url: `${base}/auth/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }).toString() })
    return answer.json<{ access_token: string }>().access_token
  }
  return {
    vtn, app, db, clock, tokenClock, told, needs, resources, token,
    async call(method, path, as = 'bl_client', body, headers = {}) {
      if (as !== null && !tokens.has(as)) tokens.set(as, await token(as))
      return app.inject({
        method, url: path.startsWith('/openadr3') ? path : base + path,
        headers: { ...(as === null ? {} : { authorization: `Bearer ${tokens.get(as)}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
    },
    async close() {
      await vtn.stop()
      await app.close()
      await db.close()
    },
  }
}

export const bl = 'bl_client', ven = 'ven_client', ven2 = 'ven_client2'

/** Makes programs and events as business logic, and names that nobody else in the file has. */
export function sceneOn(v: TestVtn) {
  let made = 0
  return {
    program: async (programName: string, more: object = {}) => (await v.call('POST', '/programs', bl, { programName, ...more })).json(),
    event: async (programID: string, more: object = {}) => (await v.call('POST', '/events', bl, { programID, ...more })).json(),
    fresh: (stem: string): string => `${stem}-${++made}`,
  }
}
export const namesOf = (list: { eventName?: string; programName?: string }[]) => list.map((o) => o.eventName ?? o.programName)
