import * as fc from 'fast-check'
import t from 'tap'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { lost } from '#core/dispatch/delivery-states.js'
import { plan, type PlanInput, type PlanResource } from '#core/dispatch/plan.js'
import { current, effective, outdated, superseded, type Instructed, type Restatement } from '#core/dispatch/precedence.js'
import { caller, scene, start, until } from '#core/dispatch/test-scene.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'

t.setTimeout(240_000)

const slot_s = 900, slots = 6, expected_W = 50
const at = (slot: number): number => start + slot * slot_s

type Command =
  | { readonly do: 'order'; readonly from: number; readonly to: number; readonly W: number; readonly up: boolean; readonly priority: number }
  | { readonly do: 'cancel'; readonly which: number }

const orders = fc.record({ do: fc.constant('order' as const), from: fc.integer({ min: 0, max: slots - 2 }), length: fc.integer({ min: 1, max: slots }), W: fc.integer({ min: 1, max: 40 }), up: fc.boolean(), priority: fc.constantFrom(10, 50, 50) })
  .map(({ from, length, ...o }): Command => ({ ...o, from, to: Math.min(slots, from + length) }))
const commands = fc.array(fc.oneof({ weight: 4, arbitrary: orders }, { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(9) }) }), { minLength: 1, maxLength: 8 })
const fleet = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 3 })

/**
 * The reference: a table of resource and slot, in each cell who holds how many watts. Orders take what is free in order of the
 * resources; then what lower orders hold, or orders of the same priority that ask for the opposite.
 */
class Model {
  readonly cells: Map<number, { W: number; up: boolean; priority: number }>[][]
  readonly #avail: readonly number[]

  constructor(avail: readonly number[]) {
    this.#avail = avail
    this.cells = avail.map(() => Array.from({ length: slots }, () => new Map()))
  }

  order(n: number, { from, to, W, up, priority }: Extract<Command, { do: 'order' }>): number {
    let rest = W
    const window = (r: number) => this.cells[r]!.slice(from, to), first: number[] = []
    const held = (r: number): boolean => window(r).some((c) => [...c.values()].some((h) => h.priority < priority))
    const most = (r: number, which: (h: { up: boolean; priority: number }) => boolean): number => Math.max(...window(r).map((c) => [...c.values()].filter(which).reduce((s, h) => s + h.W, 0)))
    const take = (r: number, w: number): void => {
      for (const c of window(r)) c.set(n, { W: (c.get(n)?.W ?? 0) + w, up, priority })
      rest -= w
    }
    const loses = (h: { up: boolean; priority: number }): boolean => h.priority > priority || h.up !== up
    this.#avail.forEach((a, r) => {
      const against = window(r).some((c) => [...c.values()].some((h) => h.up !== up))
      first[r] = held(r) || against ? 0 : Math.max(0, a - most(r, () => true))
      const w = Math.min(first[r]!, rest)
      if (w > 0) take(r, w)
    })
    this.#avail.forEach((a, r) => {
      if (rest <= 0 || held(r)) return
      const own = window(r)[0]!.get(n)?.W ?? 0
      if (!window(r).some((c) => [...c].some(([who, h]) => who !== n && loses(h)))) return
      const room = Math.max(0, a - Math.max(...window(r).map((c) => [...c].filter(([who, h]) => who !== n && !loses(h)).reduce((s, [, h]) => s + h.W, 0))))
      const w = Math.min(room - own, rest)
      if (w <= 0) return
      if (own + w > first[r]!) for (const c of window(r)) for (const [who, h] of c) if (who !== n && loses(h)) c.delete(who)
      take(r, w)
    })
    return W - rest
  }

  cancel(n: number): void {
    for (const row of this.cells) for (const c of row) c.delete(n)
  }
}

/** What stands in the books and what each device obeys, slot by slot, in the model's words. */
function compare(model: Model, avail: readonly number[], standing: readonly Instructed[], numberOf: (dispatch: string) => number, resourceOf: (r: number) => string, wrong: string[]): void {
  avail.forEach((a, r) => {
    const mine = standing.filter((d) => d.resource === resourceOf(r))
    for (let s = 0; s < slots; s++) {
      const cell = model.cells[r]![s]!, now = at(s), held = mine.filter((d) => d.order.intervals.some((i) => i.start <= now && now < i.end))
      const real = new Map(held.map((d) => [numberOf(d.dispatch), d.order.intervals.find((i) => i.start <= now && now < i.end)!]))
      if (real.size !== held.length || real.size !== cell.size) wrong.push(`${r}/${s}: ${real.size} of ${cell.size} orders`)
      let sum = 0
      for (const [n, h] of cell) {
        sum += h.up ? h.W : -h.W
        if (real.get(n)?.delta_W !== (h.up ? h.W : -h.W)) wrong.push(`${r}/${s}: order ${n} holds ${real.get(n)?.delta_W}, not ${h.W}`)
      }
      if (Math.abs(sum) > a || new Set([...cell.values()].map((h) => h.up)).size > 1) wrong.push(`${r}/${s}: sold ${sum} of ${a}`)
      const obeyed = effective(mine, now)?.order.intervals.find((i) => i.start <= now && now < i.end)
      if ((obeyed?.setpoint_W ?? expected_W) !== expected_W + sum) wrong.push(`${r}/${s}: the device does ${obeyed?.setpoint_W}, all orders together ask ${expected_W + sum}`)
    }
  })
}

/** The books of the pure functions: what issue, cancel and displace store, without a database. */
class Books {
  standing: Instructed[] = []
  #stamp = 0
  readonly #avail: readonly number[]

  constructor(avail: readonly number[]) {
    this.#avail = avail
  }

  #put(old: Pick<Instructed, 'dispatch' | 'resource'> & { order: { priority: number } }, intervals: readonly OrderInterval[]): void {
    const n = ++this.#stamp, id = String(n).padStart(6, '0')
    this.standing.push({ id, dispatch: old.dispatch, resource: old.resource, order: { priority: old.order.priority, createdAt: n, start: intervals[0]!.start, end: intervals.at(-1)!.end, intervals } as unknown as Delivery['order'] })
  }

  #restate(found: readonly Restatement<Instructed>[]): void {
    const gone = new Set(found.map((f) => f.old.id)), pieces = found.flatMap((f) => current(f.parts, f.old, this.standing, new Set([f.old.id])).map((intervals) => ({ old: f.old, intervals })))
    this.standing = this.standing.filter((d) => !gone.has(d.id))
    for (const p of pieces) this.#put(p.old, p.intervals)
  }

  order(n: number, c: Extract<Command, { do: 'order' }>): number {
    const sign = c.up ? 1 : -1
    const resources = this.#avail.map((avail, r): PlanResource => ({
      resource: { id: `r${r}`, kind: 'building', rated_W: 1000, cost: '0', minBlock_W: 0, bindings: [{ protocol: 'ocpp', remoteId: `${r}`, control: true }], constraints: {}, state: 'active', servicePoint: `p${r}`, name: '' } as unknown as PlanResource['resource'],
      path: [], importLimit_W: null, exportLimit_W: null, dispatches: 0,
      beliefs: [{ resource: '', start: at(-1), end: at(slots + 1), down_W: avail, up_W: avail, expected_W, source: '', issuedAt: 0 }],
      promised: this.standing.filter((d) => d.resource === `r${r}`).flatMap((d) => d.order.intervals.map((i) => ({ start: i.start, end: i.end, delta_W: i.delta_W, delivery: d.id, priority: d.order.priority }))),
    }))
    const made = plan({ program: { limits: {}, rules: {}, timeZone: 'UTC' }, order: { delta_W: sign * c.W, start: at(c.from), end: at(c.to), mode: 'merit', priority: c.priority }, resources, caps_W: {}, now: start - 100 } as unknown as PlanInput)
    for (const s of made.shares) this.#put({ dispatch: `d${n}`, resource: s.of.resource.id, order: { priority: c.priority } }, s.intervals)
    const taken = made.shares.flatMap((s) => (s.displaces.length > 0 ? [{ resource: s.of.resource.id, start: at(c.from), end: at(c.to) }] : []))
    this.#restate(superseded({ dispatch: `d${n}`, priority: c.priority, delta_W: sign }, taken, this.standing, start - 100))
    return Math.abs(made.allocated_W)
  }

  cancel(n: number): void {
    this.standing = this.standing.filter((d) => d.dispatch !== `d${n}`)
    this.#restate(outdated(this.standing, start - 100))
  }
}

const runs = 10_000

t.test(`CORE-053, CORE-035, REL-060, REL-061 ${runs} random sequences of overlapping orders agree with the reference model`, async (t) => {
  let done = 0
  fc.assert(fc.property(fleet, commands, (avail, list) => {
    const model = new Model(avail), books = new Books(avail), wrong: string[] = []
    list.forEach((c, n) => {
      if (c.do === 'order') {
        const real = books.order(n, c), want = model.order(n, c)
        if (real !== want) wrong.push(`order ${n}: ${real} W, the model gives ${want} W`)
      } else {
        books.cancel(c.which)
        model.cancel(c.which)
      }
      compare(model, avail, books.standing, (d) => Number(d.slice(1)), (r) => `r${r}`, wrong)
    })
    done++
    if (wrong.length > 0) throw new Error(wrong.join('; '))
  }), { numRuns: runs })
  t.ok(done >= runs, `${done} sequences`)
})

const stored = Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1) * 10

t.test(`CORE-053, REL-061 ${stored} sequences through the database agree with the same model`, async (t) => {
  const avail = [20, 11, 6], { database, core, tenant, me, order, resources } = await scene(t, { points: avail.length, program: { direction: 'both' }, down_W: (i) => avail[i]!, resource: (i) => ({ cost: String(i) }) })
  const byName = [...resources].sort((a, b) => (a.id < b.id ? -1 : 1))
  await core.availability.declare(me, byName.map((r, i) => ({ resource: r.id, start: at(-1), end: at(slots + 1), down_W: avail[i]!, up_W: avail[i]!, expected_W, source: 'test', issuedAt: core.means.clock.nowMs() + 1 })))
  await (core.means.clock as unknown as { advance(ms: number): Promise<void> }).advance(10)
  const samples = fc.sample(commands, { numRuns: stored, seed: 7 })
  for (const list of samples) {
    const model = new Model(avail), ids = new Map<string, number>(), wrong: string[] = []
    for (const [n, c] of list.entries()) {
      await (core.means.clock as unknown as { advance(ms: number): Promise<void> }).advance(1)
      if (c.do === 'order') {
        const issued = await order({ delta_W: c.up ? c.W : -c.W, start: at(c.from), end: at(c.to), priority: c.priority }), want = model.order(n, c)
        if ('dispatch' in issued) ids.set(issued.dispatch.id, n)
        const real = 'dispatch' in issued ? Math.abs(issued.dispatch.allocated_W) : 0
        if (real !== want) wrong.push(`order ${n}: ${real} W, the model gives ${want} W`)
      } else {
        const id = [...ids].find(([, k]) => k === c.which)?.[0]
        if (id !== undefined) await core.transact((w) => cancelDispatch(w, me, id))
        model.cancel(c.which)
      }
      const standing = (await database.stores.deliveries.promised(tenant, byName.map((r) => r.id), at(0), at(slots))).filter((d) => !lost.has(d.state))
      compare(model, avail, standing, (d) => ids.get(d) ?? -1, (r) => byName[r]!.id, wrong)
    }
    if (wrong.length > 0) t.fail(`${JSON.stringify(list)}: ${wrong.join('; ')}`)
    for (const id of ids.keys()) await core.transact((w) => cancelDispatch(w, me, id))
  }
  t.pass(`${stored} sequences`)
})

t.test('CORE-053 the loser is superseded for the overlap, hears of it over its own protocol, and resumes after', async (t) => {
  const { core, clock, order, lines, deliveries, database, tenant } = await scene(t, { points: 1 })
  core.timetable.start()
  const low = await order({ delta_W: -8_000 })
  await core.timetable.settled()
  const high = await order({ delta_W: -9_000, start: start + 1800, end: start + 3600, priority: 10 })
  if (low.outcome !== 'issued' || high.outcome !== 'issued') return t.fail('not issued')
  await core.timetable.settled()
  t.equal(high.dispatch.allocated_W, -9_000)
  t.match(high.dispatch.warnings, [/1 instructions of other orders are superseded/])
  const [old, ...pieces] = (await deliveries(low.dispatch.id)).sort((a, b) => a.order.revision - b.order.revision || a.order.start - b.order.start)
  t.match(old, { state: 'superseded', reason: /superseded by/ })
  t.strictSame(pieces.map((d) => [d.order.start, d.order.end, d.order.intervals[0]?.setpoint_W, d.state]), [[start, start + 1800, 4_000, 'accepted'], [start + 3600, start + 7200, 4_000, 'accepted']])
  t.strictSame(lines.openadr.sent.map((o) => `${o.start - start}-${o.end - start}`).sort(), ['0-1800', '0-7200', '1800-3600', '3600-7200'], 'every instruction carries its own end')
  t.equal(lines.openadr.cancelled.length, 1, 'the old one is taken back')
  t.match(await database.stores.dispatches.get(tenant, low.dispatch.id), { revision: 2, allocated_W: 0, shortfall_W: 8_000 }, 'for a while nothing is left of it')
  await core.transact((w) => cancelDispatch(w, caller(tenant), high.dispatch.id))
  const back = await database.stores.dispatches.get(tenant, low.dispatch.id)
  t.equal(back?.state === 'notified' || back?.state === 'scheduled', true)
  await until(core, clock, start)
})

t.test('CORE-053 a lower order cannot use a device that obeys a higher one, and is told so', async (t) => {
  const { order } = await scene(t, { points: 1 })
  await order({ delta_W: -2_000, priority: 10 })
  const low = await order({ delta_W: -2_000 })
  t.match(low, { outcome: 'guarded', checks: [{ check: 'capacity' }], plan: { excluded: [{ reason: 'heldByHigherPriority' }] } })
})
