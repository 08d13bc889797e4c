import { commitmentOf, type Commitment } from '#core/flex/commitment.js'
import { accountBook } from '#core/program/move.js'
import type { Enrolment } from '#core/program/enrolment.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import type { Claim } from '#core/settlement/ledger.js'
import type { OptOutRule } from '#core/settlement/opt-out-price.js'
import { pricedRefusals, ran, seasonStart } from '#core/settlement/season-refusals.js'
import type { RunEvent, RunInput } from '#core/settlement/run.js'
import { stackingOf } from '#core/settlement/stacking.js'
import type { PartyShare } from '#core/settlement/settle.js'
import type { PriceRule } from '#core/settlement/terms.js'
import { performanceFactor } from '#core/verification/performance.js'
import type { PerformanceBody } from '#core/verification/verify.js'

/** Verified dispatches that start in the period, each with its newest performance; later readings wait for the next run (CORE-120). */
async function eventsOf(stores: Stores, tenant: string, program: Program, period: { from: number; to: number }): Promise<RunEvent[]> {
  const dispatches = (await every((page) => stores.dispatches.list(tenant, { program: program.id, from: period.from, to: period.to }, page), 200))
    .filter((d) => (d.state === 'verified' || d.state === 'settled') && d.start >= period.from && d.start < period.to)
  const { tests = 'paid' } = program.rules as { tests?: 'paid' | 'capped' | 'unpaid' }
  const events: RunEvent[] = [], accounts = await accountBook(stores, tenant)
  for (const d of dispatches) {
    const found = (await every((page) => stores.verifications.list(tenant, { dispatch: d.id, kind: 'performance' }, page), 200)).at(-1)
    if (!found) continue
    const body = found.body as PerformanceBody
    events.push({
      dispatch: d.id, verification: found.id, inputHash: found.inputHash, status: body.status, committed_kW: String(Math.abs(d.allocated_W) / 1000), ...(d.test && tests !== 'paid' ? { test: tests } : {}), days: body.days,
      intervals: body.intervals.map(({ start, end }) => ({ start, end })), portfolio_kW: body.level === 'portfolio' ? body.intervals.map((i) => i.delivered_kW ?? 0) : null,
      points: body.points.map((p) => ({ id: p.servicePoint, status: p.status, own_kWh: p.delivered_kWh, delivered_kW: p.delivered_kW.length > 0 ? p.delivered_kW : body.intervals.map(() => 0), baseline_kWh: p.baseline_kWh ?? null, metered_kWh: p.metered_kWh ?? null, flags: p.flags ?? [], account: accounts(p.servicePoint, d.start) })),
    })
  }
  return events
}

export async function runInput(stores: Stores, tenant: string, program: Program, period: { from: number; to: number }): Promise<RunInput> {
  const found = await eventsOf(stores, tenant, program, period)
  const enrolled = await every((page) => stores.enrolments.list(tenant, { program: program.id }, page)), ids = new Set(found.flatMap((e) => e.points.map((p) => p.id)))
  const commitment = await commitmentOf(stores, tenant, program.id, { start: period.from, end: period.to })
  const nominated = (e: Enrolment): number | null => commitment.enrolments.get(e.id) ?? e.nominated_W
  const { yielded, capacity } = await stackingOf(stores, tenant, program, period, { events: found, enrolled, nominated }, (p, of) => eventsOf(stores, tenant, p, of))
  const events = found.map((e) => (yielded.has(e.dispatch) ? { ...e, yielded: yielded.get(e.dispatch)! } : e))
  if (events.length === 0) for (const point of await promisedBy(stores, tenant, commitment, enrolled)) ids.add(point)
  const rules = program.rules as { prices?: readonly PriceRule[]; disputeDays?: number; optOut?: OptOutRule }, optOuts = await pricedRefusals(stores, tenant, program, period)
  return {
    ...period, events, ...(Object.keys(capacity).length > 0 ? { capacityElsewhere: capacity } : {}), ...(optOuts && Object.keys(optOuts).length > 0 ? { optOuts } : {}),
    terms: {
      program: program.id, programVersion: program.programVersion, currency: program.currency, energyPrice: program.energyPrice, customerShare: program.customerShare,
      floorLevel: program.floorLevel, cap: program.paidRatioCap, method: program.baseline.method, level: program.baseline.level, disputeDays: rules.disputeDays ?? 30, ...(rules.optOut?.penalty === undefined ? {} : { optOutPenalty: rules.optOut.penalty }),
      ...partiesOf(program),
      rules: [...(program.capacityPrice === null ? [] : [{ kind: 'capacity', rate: program.capacityPrice, per: 'month' } as const]), ...(rules.prices ?? [])],
    },
    points: Object.fromEntries(inForce(enrolled, events).filter((e) => ids.has(e.servicePoint)).map((e) => [e.servicePoint, { share: e.share, nominated_W: nominated(e) }])),
    month: { nominated_kW: commitment.portfolio_W === undefined ? null : String(commitment.portfolio_W / 1000), lastPF: events.length > 0 ? null : await lastFactor(stores, tenant, program, period.from), seasonEvents: await eventsOfSeason(stores, tenant, program, period), ...(commitment.portfolio_W === undefined ? {} : { available_kWh: commitment.ready_kWh }) },
  }
}

/** CORE-184, `rules.shares`: the parties in the order of the contract; 'customer' stands where the customers are served, first where it is not named. */
function partiesOf(program: Program): Pick<RunInput['terms'], 'ahead' | 'behind'> {
  const named = (program.rules as { shares?: readonly { party: string; share?: string }[] }).shares
  if (!named) return {}
  const at = named.findIndex((s) => s.party === 'customer'), of = (some: typeof named): PartyShare[] => some.map((s) => ({ party: s.party, share: s.share! }))
  return { ahead: of(named.slice(0, Math.max(0, at))), behind: of(named.slice(at + 1)) }
}

/** CORE-181: from the season's first day to the end of the period, tests not counted. */
async function eventsOfSeason(stores: Stores, tenant: string, program: Program, period: { from: number; to: number }): Promise<number> {
  const from = seasonStart(program, period.from)
  return (await every((page) => stores.dispatches.list(tenant, { program: program.id, from, to: period.to }, page), 200)).filter((d) => ran(d) && !d.test && d.start >= from && d.start < period.to).length
}

/** Whose promise it was, where no event tells: the enrolments that nominated, and those behind a portfolio that did. */
async function promisedBy(stores: Stores, tenant: string, { enrolments, aggregations }: Commitment, enrolled: readonly Enrolment[]): Promise<string[]> {
  const members = (await stores.aggregations.getMany(tenant, aggregations)).flatMap((a) => a.members.map((m) => m.resource))
  const behind = new Set((await stores.resources.getMany(tenant, [...new Set(members)])).map((r) => r.servicePoint))
  return enrolled.filter((e) => enrolments.has(e.id) || (behind.has(e.servicePoint) && e.state === 'active')).map((e) => e.servicePoint)
}

/** CORE-173: of the last test or event that ended before an instant and could be verified. */
async function lastFactor(stores: Stores, tenant: string, program: Program, before: number): Promise<string | null> {
  const earlier = (await every((page) => stores.dispatches.list(tenant, { program: program.id, to: before }, page), 200)).filter((d) => (d.state === 'verified' || d.state === 'settled') && d.end <= before).sort((a, b) => b.end - a.end)
  for (const d of earlier) {
    const body = (await every((page) => stores.verifications.list(tenant, { dispatch: d.id, kind: 'performance' }, page), 200)).at(-1)?.body as PerformanceBody | undefined
    if (body?.status === 'OK' && body.delivered_kWh !== null) return performanceFactor([(body.delivered_kWh * 3600) / (d.end - d.start)], body.allocated_kW) ?? null
  }
  return null
}

/**
 * CORE-027, CORE-028: the terms of the enrolment under which a point was dispatched, not those of one that came later. Of several in a period the
 * one of the last event counts.
 */
function inForce(enrolled: readonly Enrolment[], events: readonly RunEvent[]): Enrolment[] {
  const at = events.map((e) => (e.intervals[0]?.start ?? 0) * 1000), covers = (e: Enrolment, ms: number): boolean => {
    let state: string | null = null
    for (const h of e.history) if (Date.parse(h.at) <= ms) state = h.to
    return state === 'active'
  }
  // those that were never active at an event come first, so that one that was replaces it
  return [...enrolled].sort((a, b) => Math.max(-1, ...at.filter((ms) => covers(a, ms))) - Math.max(-1, ...at.filter((ms) => covers(b, ms))))
}

/** CORE-189: which Wh of which point this run wants to be paid for; what another program pays is not claimed (CORE-023). */
export const claimsOf = (program: string, input: RunInput): Claim[] => input.events.flatMap((e) => e.points.flatMap((p) => {
  const out = new Set(e.yielded?.[p.id]), claims: { program: string; point: string; start: number; end: number }[] = []
  e.intervals.forEach(({ start, end }, i) => {
    const last = claims.at(-1)
    if (out.has(i)) return
    if (last && last.end === start) last.end = end
    else claims.push({ program, point: p.id, start, end })
  })
  return claims
}))
