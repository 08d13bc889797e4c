import t from 'tap'
import { scene } from '#core/dispatch/test-scene.js'
import { isRefusal } from '#core/error.js'
import { apply, transition } from '#core/program/enrol.js'
import type { Enrolment } from '#core/program/enrolment.js'
import { every } from '#core/port/store/every.js'

t.setTimeout(1_800_000)

/**
 * REL-026 by history: 10,000 operations by 32 at once. The bank (capacity) is `capacity.test.ts`; here registers (one writer of a version
 * wins, nobody reads what was never written or an older value than one that was acknowledged before) and sets (a point is in a program once).
 */
const operations = Math.round(10_000 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1)), clients = 32
const inSet = Math.round(operations / 20), inRegister = operations - inSet

let seed = 26
const random = (n: number): number => ((seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16) % n

interface Written { readonly version: number; readonly value: number }

t.test(`REL-026 register model: ${inRegister} concurrent reads and conditional writes, 0 violations`, async (t) => {
  const { core, database, me, tenant, resources } = await scene(t, { points: 4 }), { stores } = database
  const written = new Map<string, Map<number, number>>(resources.map((r) => [r.servicePoint, new Map([[1, 0]])])), acknowledged = new Map<string, number>(resources.map((r) => [r.servicePoint, 1]))
  const wrong: string[] = [], answers = { read: 0, won: 0, lost: 0 }
  const valueOf = (limit: number | null): number => limit ?? 0
  let left = inRegister, next = 1
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const id = resources[random(resources.length)]!.servicePoint, before = acknowledged.get(id)!
      const found = (await stores.servicePoints.get(tenant, id))!, seen: Written = { version: found.version, value: valueOf(found.importLimit_W) }
      answers.read++
      if (seen.version < before) wrong.push(`${id}: version ${seen.version} was read after ${before} had been acknowledged`)
      // a version may be read before its writer hears of it, so its value is compared at the end
      checks.push([id, seen])
      if (random(3) > 0) continue
      left--
      const value = next++
      try {
        const after = await core.transact(({ stores: s }) => s.servicePoints.update({ ...found, importLimit_W: value }))
        if (after.version !== seen.version + 1) wrong.push(`${id}: ${seen.version} was followed by ${after.version}`)
        if (written.get(id)!.has(after.version)) wrong.push(`${id}: version ${after.version} has two writers`)
        written.get(id)!.set(after.version, value)
        acknowledged.set(id, Math.max(acknowledged.get(id)!, after.version))
        answers.won++
      } catch (error) {
        if (!isRefusal(error) || error.kind !== 'stale') throw error
        answers.lost++
      }
    }
  }
  const checks: [string, Written][] = []
  await Promise.all(Array.from({ length: clients }, client))
  for (const [id, seen] of checks) if (written.get(id)!.get(seen.version) !== seen.value) wrong.push(`${id}: version ${seen.version} read as ${seen.value}, written as ${written.get(id)!.get(seen.version)}`)
  for (const [id, versions] of written) {
    const last = (await stores.servicePoints.get(tenant, id))!
    if (versions.size !== last.version || versions.get(last.version) !== valueOf(last.importLimit_W)) wrong.push(`${id}: ends at ${last.version}, ${versions.size} were written`)
  }
  t.same(wrong.slice(0, 10), [])
  t.ok(answers.won > 0 && answers.lost > 0, `${JSON.stringify(answers)}: there were races`)
  t.equal(me.tenant, tenant)
})

t.test(`REL-026 set model: ${inSet} concurrent applications and withdrawals, a point is in a program at most once`, async (t) => {
  const { core, database, me, tenant, program, resources } = await scene(t, { points: 3 }), wrong: string[] = [], answers = { in: 0, out: 0, refused: 0 }
  let left = inSet
  const standing = async (point: string): Promise<Enrolment[]> => (await every((page) => database.stores.enrolments.list(tenant, { servicePoint: point, program: program.id }, page))).filter((e) => e.state !== 'withdrawn')
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const point = resources[random(resources.length)]!.servicePoint
      try {
        if (random(2) === 0) {
          await core.transact((w) => apply(w, me, { program: 'peak', servicePoint: point }))
          answers.in++
        } else {
          const one = (await standing(point))[0]
          if (!one) continue
          await core.transact((w) => transition(w, me, one.id, { to: 'withdrawn', ifVersion: one.version }))
          answers.out++
        }
      } catch (error) {
        if (!isRefusal(error) || !['conflict', 'stale', 'unavailable'].includes(error.kind)) throw error
        answers.refused++
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, client))
  // the trail is the order in which the ledger lock was held: replay it as a set
  const members = new Map<string, string>(), pointOf = new Map((await every((page) => database.stores.enrolments.list(tenant, {}, page))).map((e) => [e.id, e.servicePoint]))
  await database.stores.audit.walk(tenant, (batch) => {
    for (const r of batch) {
      const point = pointOf.get(r.entity)
      if (point === undefined) continue
      if (r.action === 'enrolment.apply') {
        if (members.has(point)) wrong.push(`${r.seq}: ${point} is in twice`)
        members.set(point, r.entity)
      } else if (r.action === 'enrolment.withdrawn') {
        if (members.get(point) !== r.entity) wrong.push(`${r.seq}: ${r.entity} left and was not in`)
        members.delete(point)
      }
    }
  })
  for (const r of resources) if ((await standing(r.servicePoint)).length !== (members.has(r.servicePoint) ? 1 : 0)) wrong.push(`${r.servicePoint}: the ledger and the trail differ`)
  t.same(wrong, [])
  t.ok(answers.in > 0 && answers.out > 0 && answers.refused > 0, JSON.stringify(answers))
})
