import { setTimeout as pause } from 'node:timers/promises'
import { rounded, type Emit } from '#bench/figure.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import type { Delivery, Happening } from '#core/dispatch/delivery.js'
import { issueDispatch } from '#core/dispatch/issue.js'
import type { DeliveryOrder, DispatchChannel } from '#core/port/dispatch-channel.js'
import type { Resource } from '#core/program/resource.js'
import { createProgram } from '#core/program/manage-program.js'
import { testDatabase } from '#prisma/test-database.js'

const fleet = 10_000

/**
 * One order over 10,000 resources, from the use case to the ledger; 10,000 words of devices in one batch; and the stop of all of them:
 * the time until the last cancel is handed to its channel (CORE-204, REL-066). The bare way is writing the same rows.
 */
export default async function dispatch(emit: Emit): Promise<void> {
  const { database, close } = await testDatabase(), clock = systemClock, ids = randomIds(clock.nowMs), core = assemble({ database, clock, ids, log: silent }), tenant = 'bench', me = { ...system(tenant), user: 'bench' }
  try {
    let handed = 0, lastHanded = 0
    const channel: DispatchChannel = {
      protocol: 'openadr', send: async (orders: readonly DeliveryOrder[]) => orders.map((o) => ({ id: o.id, outcome: 'acknowledged' as const })),
      cancel: async (orders: readonly DeliveryOrder[]) => {
        handed += orders.length
        lastHanded = performance.now()
        return orders.map((o) => ({ id: o.id, outcome: 'acknowledged' as const }))
      },
    }
    core.connect({ openadr: channel })
    const program = await core.transact((w) => createProgram(w, me, {
      name: 'bench', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, netting: 'import', currency: 'USD', energyPrice: '0.5', capacityPrice: null,
      customerShare: '0.7', floorLevel: 'none', paidRatioCap: '1', mode: 'merit', limits: {}, holidays: [], rules: {}, state: 'open',
    }))
    const start = clock.now() + 3600, window = { start, end: start + 3600 }
    const points = Array.from({ length: fleet }, (_, i) => ({ id: ids.uuid(), tenant, name: `p${i}`, timeZone: null, gridPath: [`F${i % 50}`], importLimit_W: null, exportLimit_W: null, account: null }))
    const resources = points.map((p, i) => ({ id: ids.uuid(), tenant, name: `r${i}`, servicePoint: p.id, kind: 'battery', rated_W: 5000, cost: String(i % 7), minBlock_W: 0, bindings: [{ protocol: 'openadr' as const, remoteId: `v${i}`, control: true }], constraints: {}, state: 'active' as const }))
    await core.transact(async ({ stores }) => {
      await stores.servicePoints.insertMany(points)
      await stores.resources.insertMany(resources as unknown as Resource[])
      await stores.enrolments.insertMany(points.map((p) => ({ id: ids.uuid(), tenant, program: program.id, programVersion: 1, servicePoint: p.id, state: 'active' as const, share: null, nominated_W: null, consent: null, history: [] })) as never)
      await stores.availability.declare(tenant, resources.map((r) => ({ resource: r.id, start: start - 3600, end: start + 7200, down_W: 4000, up_W: 0, expected_W: 1000, source: 'bench', issuedAt: clock.nowMs() - 1000 })))
    })
    const order = (n: number) => core.transact((w) => issueDispatch(w, me, { program: program.id, delta_W: -fleet * 500, start: start + n * 3600, end: start + n * 3600 + 3600 }))
    await order(5)
    let begun = performance.now()
    const issued = await core.transact((w) => issueDispatch(w, me, { program: program.id, delta_W: -fleet * 4000, ...window })), took = performance.now() - begun
    if (issued.outcome !== 'issued' || issued.dispatch.allocation.length !== fleet) throw new Error(`not issued: ${issued.outcome}`)
    const deliveries = await database.stores.deliveries.of(tenant, issued.dispatch.id), again = deliveries.map(({ version: _v, createdAt: _c, modifiedAt: _m, ...d }) => ({ ...d, id: ids.uuid() }))
    begun = performance.now()
    await core.transact(({ stores }) => stores.deliveries.insertMany(again as unknown as Delivery[]))
    const bare = performance.now() - begun
    emit({ name: `order ${fleet}`, value: rounded(took), unit: 'ms', n: 1, baseline: rounded(bare), ratio: rounded(took / bare) })
    const words = deliveries.map((d): Happening => ({ tenant, delivery: d.id, state: 'accepted', at: clock.nowMs() }))
    begun = performance.now()
    await core.happenings.happened(words)
    emit({ name: `happenings ${fleet}`, value: rounded(performance.now() - begun), unit: 'ms', n: 1 })
    await core.transact(async ({ stores }) => { await stores.deliveries.updateMany((await stores.deliveries.of(tenant, issued.dispatch.id)).map((d) => ({ ...d, attempts: 1 }))) })
    // CORE-204: the same while the database takes no writes, in a process of its own that shares nothing but the devices
    let writes = false
    const other = assemble({ database: { ...database, unitOfWork: { run: (work, options) => (writes ? database.unitOfWork.run(work, options) : Promise.reject(new Error('25006: read-only'))) } }, clock, ids, log: silent })
    other.connect({ openadr: channel })
    begun = performance.now()
    await other.stop.stop(me, { scope: 'all', reason: 'bench' })
    emit({ name: `stop ${handed}, read-only, last handed over`, value: rounded(lastHanded - begun), unit: 'ms', n: handed })
    handed = 0
    begun = performance.now()
    const stopped = await core.stop.stop(me, { scope: 'all', reason: 'bench' })
    emit({ name: `stop ${handed}, last handed over`, value: rounded(lastHanded - begun), unit: 'ms', n: handed })
    emit({ name: `stop ${handed}, stored`, value: rounded(performance.now() - begun), unit: 'ms', n: stopped.devices })
    // what could not be written is written when it can be
    writes = true
    while ((await core.stop.list(tenant)).length < 2) await pause(100)
  } finally {
    await core.timetable.stop()
    await close()
  }
}
