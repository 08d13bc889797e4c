import { rounded, type Emit } from '#bench/figure.js'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import { randomIds } from '#core/port/ids.js'
import { systemClock } from '#core/port/clock.js'
import { silent, type Log } from '#core/port/log.js'
import { note } from '#core/audit/note.js'
import { changeServicePoint, createServicePoints } from '#core/program/manage-assets.js'
import { testDatabase } from '#prisma/test-database.js'

const clients = 16, each = 100, slow_ms = 20

/**
 * REL-025: small commands of one tenant, each on a row of its own, all in one audit chain; then the same beside commands that note
 * something early and have work to do afterwards, as a settlement or an order has.
 */
export default async function commands(emit: Emit): Promise<void> {
  let races = 0
  const log: Log = { ...silent, debug: (_, message) => { if (message?.includes('lost a race')) races++ } }
  const { database, close } = await testDatabase({ log, poolSize: clients }), clock = systemClock, ids = randomIds(clock.nowMs), core = assemble({ database, clock, ids, log }), tenant = 'bench', me = { ...system(tenant), user: 'bench' }
  try {
    const points = await core.transact((w) => createServicePoints(w, me, Array.from({ length: clients }, (_, i) => ({ name: `p${i}`, timeZone: null, gridPath: [], importLimit_W: null, exportLimit_W: null, account: null }))))
    const small = async (from: number): Promise<number[]> => {
      const waits: number[] = []
      await Promise.all(points.slice(from).map(async ({ id }) => {
        for (let n = 0; n < each; n++) {
          const begun = performance.now()
          await core.transact((w) => changeServicePoint(w, me, id, { importLimit_W: n }))
          waits.push(performance.now() - begun)
        }
      }))
      return waits.sort((a, b) => a - b)
    }
    let begun = performance.now(), waits = await small(0)
    emit({ name: 'small commands of one tenant', value: rounded(waits.length / (performance.now() - begun) * 1000), unit: '1/s', n: waits.length })
    let going = true
    const longOnes = points.slice(0, 2).map(async ({ id }) => {
      while (going) {
        await core.transact(async (w) => {
          await note(w, me, [{ action: 'servicePoint.look', entity: id }])
          await new Promise((done) => setTimeout(done, slow_ms))
          await w.stores.servicePoints.get(tenant, id)
        })
      }
    })
    begun = performance.now()
    waits = await small(2)
    const took = performance.now() - begun
    going = false
    await Promise.all(longOnes)
    emit({ name: 'small commands beside long ones', value: rounded(waits.length / took * 1000), unit: '1/s', n: waits.length })
    emit({ name: 'small commands beside long ones p99', value: rounded(waits[Math.ceil(waits.length * 0.99) - 1]!), unit: 'ms', n: waits.length })
    emit({ name: 'commands that lost a race', value: races, unit: '', n: waits.length })
  } finally {
    await core.timetable.stop()
    await close()
  }
}
