import type { Test } from 'tap'
import { assemble, type Core } from '#core/assemble.js'
import { system } from '#core/caller.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { issueDispatch, type Order } from '#core/dispatch/issue.js'
import { handClock } from '#core/port/clock.js'
import type { DeliveryOrder, DispatchChannel, SendOutcome } from '#core/port/dispatch-channel.js'
import { randomIds } from '#core/port/ids.js'
import { silent, type Log } from '#core/port/log.js'
import { createResource, createServicePoint } from '#core/program/manage-assets.js'
import { createProgram, type ProgramTerms } from '#core/program/manage-program.js'
import { apply, transition } from '#core/program/enrol.js'
import type { Protocol, Resource } from '#core/program/resource.js'
import { testDatabase } from '#prisma/test-database.js'

/** A small utility on a database of its own, with channels that listen and a clock moved by hand: what tests of dispatch begin with. */
export const protocols: readonly Protocol[] = ['openadr', 'ieee2030_5', 'ocpp']
/** 2026-07-15 is a Wednesday; 16:00 in Denver is 22:00 UTC. */
export const start = Date.UTC(2026, 6, 15, 22) / 1000, end = start + 7200
export const caller = (tenant: string, user = 'olga') => Object.freeze({ ...system(tenant), user, subject: user, kind: 'user' as const })

/** A channel that keeps what it was told. Each order is answered by `answer`. */
export function listener(protocol: Protocol, answer: (o: DeliveryOrder) => SendOutcome['outcome'] = () => 'acknowledged') {
  const sent: DeliveryOrder[] = [], cancelled: DeliveryOrder[] = []
  const channel: DispatchChannel = {
    protocol,
    send: async (orders) => orders.map((o) => {
      const outcome = answer(o)
      if (outcome !== 'failed') sent.push(o)
      return { id: o.id, outcome, remoteRef: `ref-${o.id}` }
    }),
    cancel: async (orders) => orders.map((o) => {
      cancelled.push(o)
      return { id: o.id, outcome: 'acknowledged' }
    }),
  }
  return { channel, sent, cancelled }
}

export const terms = (change: Partial<ProgramTerms> = {}): ProgramTerms => ({
  name: 'peak', timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, netting: 'import', currency: 'USD',
  energyPrice: '0.50', capacityPrice: null, customerShare: '0.70', floorLevel: 'portfolioEvent', paidRatioCap: '1.2', mode: 'merit', limits: {}, holidays: [], rules: {}, state: 'open', ...change,
})

export const isConflict = async (t: Test, command: Promise<unknown>): Promise<void> => { t.match(await command.catch((e: unknown) => e), { kind: 'conflict' }) }

let tenants = 0
export type Scene = Awaited<ReturnType<typeof scene>>
export async function scene(t: Pick<Test, 'teardown'>, options: { points?: number; program?: Partial<ProgramTerms>; answer?: (o: DeliveryOrder) => SendOutcome['outcome']; resource?: (i: number) => Partial<Resource>; down_W?: (i: number) => number; log?: Log } = {}) {
  const { database, close } = await testDatabase(options.log ? { log: options.log } : {})
  const clock = handClock((start - 4 * 3600) * 1000), tenant = `t${++tenants}`, me = caller(tenant), ids = randomIds(clock.nowMs)
  const core = assemble({ database, clock, ids, log: silent })
  t.teardown(async () => {
    await core.timetable.stop()
    await close()
  })
  const lines = Object.fromEntries(protocols.map((p) => [p, listener(p, options.answer)])) as Record<Protocol, ReturnType<typeof listener>>
  core.connect(Object.fromEntries(protocols.map((p) => [p, lines[p].channel])))
  const program = await core.transact((w) => createProgram(w, me, terms(options.program)))
  const resources = await core.transact(async (w) => {
    const out = []
    for (let i = 0; i < (options.points ?? 6); i++) {
      const point = await createServicePoint(w, me, { name: `sp-${i}`, timeZone: null, gridPath: [`F${i % 2}`], importLimit_W: null, exportLimit_W: null, account: null })
      const protocol = protocols[i % 3]!
      out.push(await createResource(w, me, {
        name: `r-${i}`, servicePoint: point.id, kind: 'building', rated_W: 20_000, cost: '0', minBlock_W: 0, bindings: [{ protocol, remoteId: `D-${i}`, control: true }], constraints: {}, state: 'active', ...options.resource?.(i),
      }))
      const e = await apply(w, me, { program: program.id, servicePoint: point.id })
      for (const to of ['eligible', 'verified', 'active'] as const) await transition(w, me, e.id, { to })
    }
    return out
  })
  await core.availability.declare(me, resources.map((r, i) => ({ resource: r.id, start: start - 86_400, end: end + 86_400, down_W: options.down_W?.(i) ?? 10_000, up_W: 5_000, expected_W: 12_000, source: 'test', issuedAt: clock.nowMs() })))
  const order = (change: Partial<Order> = {}) => core.transact((w) => issueDispatch(w, me, { program: 'peak', delta_W: -30_000, start, end, ...change }))
  const deliveries = (id: string): Promise<Delivery[]> => database.stores.deliveries.of(tenant, id)
  return { database, core, clock, tenant, me, program, resources, lines, order, deliveries, ids }
}

/** Moves the hand clock and lets the clockwork finish what became due. */
export async function until(core: Core, clock: ReturnType<typeof handClock>, second: number): Promise<void> {
  await clock.set(second * 1000)
  await core.timetable.settled()
}
