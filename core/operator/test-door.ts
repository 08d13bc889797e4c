import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { assemble, type Core, type CoreNeeds } from '#core/assemble.js'
import { system, type Role } from '#core/caller.js'
import { buildOperator } from '#core/operator/door.js'
import { handClock, type HandClock } from '#core/port/clock.js'
import type { DispatchChannel } from '#core/port/dispatch-channel.js'
import { randomIds } from '#core/port/ids.js'
import { silent, type Log } from '#core/port/log.js'
import type { Database } from '#core/port/store/index.js'
import type { Protocol } from '#core/program/resource.js'
import { createToken } from '#core/token/token.js'
import { testDatabase } from '#prisma/test-database.js'

export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<LightMyRequestResponse & { readonly data: any }>

export interface TestDoor {
  readonly core: Core
  readonly app: FastifyInstance
  readonly clock: HandClock
  readonly database: Database
  readonly url: string
  /** A caller with a role; different users are different people (CORE-186). */
  as(role: Role, user?: string, tenant?: string): Promise<Call>
}

/** The operator's door over a real database of its own, a clock moved by hand, and channels whose devices say yes. */
export async function testDoor(t: Test, options: { nowMs: number; protocols?: readonly Protocol[]; log?: Log; tasks?: CoreNeeds['tasks']; door?: Partial<Parameters<typeof buildOperator>[0]>; extend?: (app: FastifyInstance, made: { core: Core; clock: HandClock }) => void }): Promise<TestDoor> {
  const clock = handClock(options.nowMs), { database, close, url } = await testDatabase({ clock }), ids = randomIds(clock.nowMs)
  const core = assemble({ database, clock, ids, log: options.log ?? silent, ...(options.tasks ? { tasks: options.tasks } : {}) })
  const yes = (protocol: Protocol): DispatchChannel => ({ protocol, send: async (o) => o.map(({ id }) => ({ id, outcome: 'acknowledged' })), cancel: async (o) => o.map(({ id }) => ({ id, outcome: 'acknowledged' })) })
  core.connect(Object.fromEntries((options.protocols ?? ['openadr']).map((p) => [p, yes(p)])))
  const app = await buildOperator({ core, log: silent, version: '0.0.0', ...options.door, ...(options.extend ? { extend: (a) => options.extend!(a, { core, clock }) } : {}) })
  t.teardown(async () => {
    await app.close()
    await core.timetable.stop()
    await close()
  })
  return {
    core, app, clock, database, url,
    async as(role, user, tenant = 'default') {
      const { token } = await core.transact((w) => createToken(w, system(tenant), { role, ...(user === undefined ? {} : { user }) }))
      return caller(app, token)
    },
  }
}

export const caller = (app: FastifyInstance, token: string): Call => async (method, path, body, headers = {}) => {
  const answer = await app.inject({ method: method as 'GET', url: path.startsWith('/') ? path : `/api/v1/${path}`, headers: { authorization: `Bearer ${token}`, ...headers }, ...(body === undefined ? {} : { payload: body as object }) })
  let data: unknown
  try { data = JSON.parse(answer.body) } catch { data = undefined }
  return Object.assign(answer, { data })
}

export const programTerms = { name: 'peak', timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', energyPrice: '0.50', customerShare: '0.70' }

/** A program with `n` homes, each with a battery on OpenADR, enrolled and active. */
export async function homes(call: Call, n: number, change: object = {}): Promise<void> {
  await call('POST', 'programs', { ...programTerms, ...change })
  await call('POST', 'service-points', Array.from({ length: n }, (_, i) => ({ name: `home-${i}`, gridPath: [`F${i % 2}`] })))
  await call('POST', 'resources', Array.from({ length: n }, (_, i) => ({ name: `battery-${i}`, servicePoint: `home-${i}`, kind: 'battery', rated_kW: 5, bindings: [{ protocol: 'openadr', remoteId: `ven-${i}` }] })))
  await call('POST', 'enrolments', Array.from({ length: n }, (_, i) => ({ program: (change as { name?: string }).name ?? 'peak', servicePoint: `home-${i}`, to: 'active' })))
}
