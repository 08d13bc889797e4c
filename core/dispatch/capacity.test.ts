import t from 'tap'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import { scene, start } from '#core/dispatch/test-scene.js'
import { isRefusal } from '#core/error.js'
import { every } from '#core/port/store/every.js'

t.setTimeout(1_800_000)

/** LOADSTONE_TEST_SCALE=100 makes it the 10,000 operations of REL-026. */
const operations = Math.round(100 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1)), operators = 16

t.test(`REL-026, CORE-035 history of ${operations} concurrent orders and cancels: capacity is never sold twice, and nobody is refused what is free`, async (t) => {
  const points = 3, { database, core, tenant, me, order } = await scene(t, { points }), capacity = points * 10_000
  let seed = 11
  const random = (n: number): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) % n
  const mine: string[] = [], answers = { issued: 0, refused: 0, cancelled: 0, late: 0, turnedAway: 0, unexpected: [] as string[] }
  let left = operations
  const operator = async (): Promise<void> => {
    while (left-- > 0) {
      try {
        if (random(10) < 4 && mine.length > 0) {
          const id = mine.splice(random(mine.length), 1)[0]!
          await core.transact((w) => cancelDispatch(w, me, id)).catch((error: unknown) => {
            mine.push(id)
            throw error
          })
          answers.cancelled++
        } else {
          const issued = await order({ delta_W: -(1 + random(12_000)) })
          if (issued.outcome === 'issued') {
            answers.issued++
            mine.push(issued.dispatch.id)
          } else answers.refused++
        }
      } catch (error) {
        if (isRefusal(error) && error.kind === 'stale') answers.late++
        // the wait for the ledger lock is bounded (REL-029); nothing was stored, as the replay proves
        else if (isRefusal(error) && error.kind === 'unavailable') answers.turnedAway++
        else answers.unexpected.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: operators }, operator))
  t.same(answers.unexpected, [])
  t.equal(answers.issued + answers.refused + answers.cancelled + answers.late + answers.turnedAway, operations)
  // the audit chain is the order in which the ledger lock was held: replay it as a bank
  const sold = new Map((await every((page) => database.stores.dispatches.list(tenant, {}, page), 200)).map((d) => [d.id, Math.abs(d.allocation.reduce((sum, a) => sum + a.delta_W, 0))]))
  const wrong: string[] = [], wanted = new Map((await every((page) => database.stores.dispatches.list(tenant, {}, page), 200)).map((d) => [d.id, Math.abs(d.delta_W)]))
  let balance = 0, moves = 0
  await database.stores.audit.walk(tenant, (batch) => {
    for (const r of batch) {
      if (r.action === 'dispatch.publish') {
        moves++
        const w = sold.get(r.entity)!
        if (w !== Math.min(wanted.get(r.entity)!, capacity - balance)) wrong.push(`${r.seq}: ${w} W sold, ${capacity - balance} W were free`)
        balance += w
      } else if (r.action === 'dispatch.cancel') {
        moves++
        balance -= sold.get(r.entity)!
      } else if (r.action === 'dispatch.guard' && balance < capacity) wrong.push(`${r.seq}: refused although ${capacity - balance} W were free`)
      if (balance > capacity || balance < 0) wrong.push(`${r.seq}: ${balance} W of ${capacity} W are sold`)
    }
  })
  t.same(wrong, [])
  t.equal(moves, answers.issued + answers.cancelled)
  const now = (await database.stores.deliveries.promised(tenant, (await every((page) => database.stores.resources.list(tenant, {}, page))).map((r) => r.id), start, start + 1)).reduce((sum, d) => sum + Math.abs(d.order.intervals[0]!.delta_W), 0)
  t.equal(now, balance, 'the deliveries say the same')
  t.comment(`${JSON.stringify({ ...answers, unexpected: 0 })}, ${balance} W sold at the end`)
})
