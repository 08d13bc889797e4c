import { kind, forever, type OptOut } from '#core/opt-out/opt-out.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import { priced, type OptOutRule, type Refusals } from '#core/settlement/opt-out-price.js'

/** A dispatch that happened. */
export const ran = (d: Dispatch): boolean => d.state === 'completed' || d.state === 'verified' || d.state === 'settled'

/** The season that a time lies in: the program's, else the calendar year in UTC. */
export function seasonStart(program: Program, at: number): number {
  const year = new Date(at * 1000).getUTCFullYear(), own = program.limits.seasonFrom
  return own === undefined ? Date.UTC(year, 0, 1) / 1000 : Math.min(Date.parse(`${own}T00:00:00Z`) / 1000, at)
}

/** CORE-113: priced refusals of a period, by service point; nothing where the program has no price for them. */
export async function pricedRefusals(stores: Stores, tenant: string, program: Program, period: { from: number; to: number }): Promise<Record<string, number> | undefined> {
  const rule = program.rules['optOut'] as OptOutRule | undefined
  if (rule?.penalty === undefined) return undefined
  const from = seasonStart(program, period.from), events = (await every((page) => stores.dispatches.list(tenant, { program: program.id, from, to: period.to }, page), 200)).filter((d) => ran(d) && !d.test && d.start >= from)
  const enrolled = [...new Set((await every((page) => stores.enrolments.list(tenant, { program: program.id }, page), 5000)).map((e) => e.servicePoint))]
  const pointOf = new Map((await every((page) => stores.resources.list(tenant, { servicePoints: enrolled }, page), 5000)).map((r) => [r.id, r.servicePoint])), season: Refusals[] = []
  for (const d of events) {
    const outs = (await stores.documents.list<OptOut>(tenant, { kind, sort1To: d.end - 1, sort2From: d.start + 1, limit: 100_000 })).filter((o) => (o.body.to ?? forever) > d.start)
    const said = outs.flatMap((o) => { const id = pointOf.get(o.body.resource); return id === undefined ? [] : [{ id, reason: o.body.reason }] }), known = new Set(said.map((s) => s.id))
    // a device that refused only this order left no opt-out of its own
    const refused = (await stores.deliveries.of(tenant, d.id)).filter((x) => x.state === 'optedOut' && !known.has(x.servicePoint))
    season.push({ start: d.start, points: [...said, ...refused.map((x) => ({ id: x.servicePoint, reason: x.reason ?? '' }))] })
  }
  return priced(season, rule, period.from, period.to)
}
