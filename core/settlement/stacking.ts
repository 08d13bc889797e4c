import { lost } from '#core/dispatch/delivery-states.js'
import type { Enrolment } from '#core/program/enrolment.js'
import type { Program } from '#core/program/program.js'
import { verdict } from '#core/program/screening.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import { Exact } from '#core/quantity/money.js'
import type { RunEvent } from '#core/settlement/run.js'
import type { PriceRule } from '#core/settlement/terms.js'

interface Period { readonly from: number; readonly to: number }
/** The events of a program that start in a period, as a run sees them. */
export type EventsOf = (program: Program, period: Period) => Promise<RunEvent[]>

/** What other programs pay of the same points (CORE-023): intervals of events by point, and whose capacity with how many kW. */
export interface Stacking {
  readonly yielded: ReadonlyMap<string, Readonly<Record<string, readonly number[]>>>
  readonly capacity: Readonly<Record<string, { readonly program: string; readonly kW: string }>>
}

/** Interpretation: a program's priority is `rules.priority`, lower wins as among orders; 50 where it says nothing, ties by id (CORE-008). */
const rank = ({ rules }: Pick<Program, 'rules'>): number => Number((rules as { priority?: number }).priority ?? 50)
export const outranks = (a: Pick<Program, 'id' | 'rules'>, b: Pick<Program, 'id' | 'rules'>): boolean => (rank(a) === rank(b) ? a.id < b.id : rank(a) < rank(b))

const paysCapacity = (p: Program): boolean => p.capacityPrice !== null || ((p.rules as { prices?: readonly PriceRule[] }).prices ?? []).some((r) => r.kind === 'capacity')
const day = 86_400

/**
 * CORE-023, the two verdicts between exclusive and free. `stack-energy-once`: energy of an interval that a program of higher priority pays for the
 * point is not paid again. `stack-capacity`: a point that was active in both in the period has one capacity payment, from the program of higher
 * priority. What was delivered still counts for the factor and the penalty of both: the device did what each asked.
 */
export async function stackingOf(stores: Stores, tenant: string, program: Program, period: Period, own: { events: readonly RunEvent[]; enrolled: readonly Enrolment[]; nominated: (e: Enrolment) => number | null }, eventsOf: EventsOf): Promise<Stacking> {
  const yielded = new Map<string, Record<string, number[]>>(), capacity: Record<string, { program: string; kW: string }> = {}
  for (const rival of await every((page) => stores.programs.list(tenant, {}, page), 200)) {
    if (rival.id === program.id || !outranks(rival, program)) continue
    const says = verdict(program, rival)
    if (says === 'stack-energy-once' && rival.energyPrice !== null && own.events.length > 0) yieldEnergy(own.events, await eventsOf(rival, { from: period.from - day, to: period.to }), yielded)
    if (says === 'stack-capacity' && paysCapacity(rival)) {
      const theirs = new Set((await every((page) => stores.enrolments.list(tenant, { program: rival.id }, page), 5000)).filter((e) => activeIn(e, period)).map((e) => e.servicePoint))
      for (const e of own.enrolled) if (theirs.has(e.servicePoint) && activeIn(e, period)) capacity[e.servicePoint] ??= { program: rival.id, kW: await kWOf(stores, tenant, e, own) }
    }
  }
  return { yielded, capacity }
}

function yieldEnergy(mine: readonly RunEvent[], theirs: readonly RunEvent[], into: Map<string, Record<string, number[]>>): void {
  const paid = theirs.filter((e) => e.status === 'OK' && e.test !== 'unpaid')
  for (const e of mine) for (const p of e.points) {
    const rivals = paid.filter((r) => r.points.some((x) => x.id === p.id && x.status === 'OK')).flatMap((r) => r.intervals)
    const taken = e.intervals.flatMap((i, n) => (rivals.some((r) => r.start < i.end && r.end > i.start) ? [n] : []))
    if (taken.length === 0) continue
    const of = into.get(e.dispatch) ?? {}
    of[p.id] = [...new Set([...of[p.id] ?? [], ...taken])].sort((a, b) => a - b)
    into.set(e.dispatch, of)
  }
}

function activeIn(e: Enrolment, { from, to }: Period): boolean {
  let since: number | undefined
  for (const h of e.history) {
    const at = Date.parse(h.at) / 1000
    if (h.to === 'active') since = at
    else if (since !== undefined) {
      if (since < to && at > from) return true
      since = undefined
    }
  }
  return since !== undefined && since < to
}

/** What the point's part of the capacity is: its nomination, else what it was asked in the largest event. */
async function kWOf(stores: Stores, tenant: string, e: Enrolment, { events, nominated }: { events: readonly RunEvent[]; nominated: (e: Enrolment) => number | null }): Promise<string> {
  const said = nominated(e), largest = [...events].sort((a, b) => Number(b.committed_kW) - Number(a.committed_kW))[0]
  if (said !== null) return new Exact(said).div(1000).toString()
  if (!largest) return '0'
  const asked = (await stores.deliveries.of(tenant, largest.dispatch)).filter((d) => d.servicePoint === e.servicePoint && !lost.has(d.state)).reduce((sum, d) => sum + Math.abs(d.order.intervals[0]?.delta_W ?? 0), 0)
  return new Exact(asked).div(1000).toString()
}
