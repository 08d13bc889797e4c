import { note } from '#core/audit/note.js'
import { mapSeries, sumSeries, type Series } from '#core/baseline/series.js'
import type { Caller } from '#core/caller.js'
import { Refusal, type Fault } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import type { Instant, Interval } from '#core/quantity/interval.js'
import type { Work } from '#core/work.js'

export const prognosisKind = 'core/Prognosis'

/**
 * A participant's own forecast of its load, the nominated baseline (core-dr.md §2: a D-prognosis; CORE-157): kW by program interval from `start`,
 * consumption positive. It is locked when it is taken; a later one replaces it only where the gate is still open.
 */
export interface Prognosis {
  readonly program: string
  /** null: of the program's whole portfolio. */
  readonly servicePoint: string | null
  readonly start: Instant
  readonly kW: readonly number[]
  /** Who claimed it, e.g. `openadr:site-1`, and in which message; absent where a participant or operator gave it. */
  readonly source?: string
  readonly lineage?: string
}

/** Seconds before an interval after which its forecast is not taken any more; `rules.gateClosure_s`, the interval's start when not said. */
const gateOf = (program: Pick<Program, 'rules'>): number => Math.max(0, Number(program.rules['gateClosure_s'] ?? 0))

export async function takePrognosis(work: Work, caller: Caller, wish: { program: string; servicePoint?: string | undefined; start: Instant; kW: readonly number[] }): Promise<Document<Prognosis>> {
  const { stores, clock, ids } = work, program = present(await stores.programs.find(caller.tenant, wish.program), 'program', wish.program)
  mustSeeProgram(caller, program.id)
  const point = wish.servicePoint === undefined ? null : present(await stores.servicePoints.find(caller.tenant, wish.servicePoint), 'service point', wish.servicePoint).id
  const step = program.intervalMinutes * 60, faults: Fault[] = []
  if (wish.start % step !== 0) faults.push({ path: '/start', reason: `is not on the program's intervals of ${program.intervalMinutes} minutes` })
  wish.kW.forEach((kW, i) => { if (!Number.isFinite(kW)) faults.push({ path: `/kW/${i}`, reason: 'is not a number' }) })
  if (faults.length > 0) throw new Refusal('invalid', 'this forecast cannot be', { faults })
  if (wish.start - gateOf(program) < clock.now()) throw new Refusal('conflict', 'the gate of its first interval is closed', { faults: [{ path: '/start', reason: `forecasts are taken until ${gateOf(program)} s before an interval` }] })
  const id = ids.uuid(), end = wish.start + wish.kW.length * step, body: Prognosis = { program: program.id, servicePoint: point, start: wish.start, kW: wish.kW }
  await note(work, caller, [{ action: 'prognosis.take', entity: id, after: body }])
  return await stores.documents.insert<Prognosis>({ tenant: caller.tenant, kind: prognosisKind, id, parent: program.id, owner: point, sort1: wish.start, sort2: end, body }, clock.nowMs())
}

/** What NOMINATED subtracts from: a series, and when the newest part of it that covers the event was locked, in epoch seconds. */
export interface Nominated {
  readonly series: Series
  readonly lockedAt: number
  readonly gateClosure: number
}

/** The forecasts of a program over a span, as they stood. */
export interface NominatedBaselines {
  of(servicePoint: string): Nominated | undefined
  /** Of these points together: the portfolio's own forecast where nobody is missing from it, else the sum of theirs. */
  portfolio(points: readonly string[], complete: boolean): Nominated | undefined
  /** Every forecast that was looked at, by id: part of the inputs of whatever is computed (CORE-010). */
  readonly ids: readonly string[]
}

/**
 * For each interval the newest forecast that was locked while its gate was open. Interpretation: an order closes the gate of its own event: a forecast
 * that came after it knew of it. `orderedAt`: epoch ms, Infinity where
 * nothing was ordered; `asOf` (epoch ms) as everywhere (CORE-011).
 */
export async function nominatedBaselines(stores: Pick<Stores, 'documents'>, tenant: string, program: Pick<Program, 'id' | 'intervalMinutes' | 'rules'>, { span, event, orderedAt, asOf = Infinity }: { span: Interval; event: Interval; orderedAt: number; asOf?: number | undefined }): Promise<NominatedBaselines> {
  const found = (await stores.documents.list<Prognosis>(tenant, { kind: prognosisKind, parent: program.id, sort1To: span.end - 1, sort2From: span.start + 1, order: ['createdAt', 'id'], limit: 100_000 })).filter((d) => d.createdAt <= asOf)
  const step = program.intervalMinutes * 60, gate_s = gateOf(program), gateClosure = Math.min(event.start - gate_s, Math.floor(orderedAt / 1000)), owners = new Map<string | null, Document<Prognosis>[]>()
  for (const d of found) owners.set(d.body.servicePoint, [...owners.get(d.body.servicePoint) ?? [], d])
  const inEvent = (at: Instant): boolean => at < event.end && at + step > event.start
  function nominated(owner: string | null): Nominated | undefined {
    const values = new Map<Instant, number>()
    let lockedAt = -Infinity, late: number | undefined
    for (const d of owners.get(owner) ?? []) d.body.kW.forEach((kW, i) => {
      const at = d.body.start + i * step, locked = d.createdAt / 1000
      if (locked > (inEvent(at) ? Math.min(gateClosure, at - gate_s) : at - gate_s)) late = inEvent(at) ? locked : late
      else {
        values.set(at, kW)
        if (inEvent(at)) lockedAt = Math.max(lockedAt, locked)
      }
    })
    if (lockedAt === -Infinity && late === undefined) return values.size === 0 ? undefined : { series: mapSeries(values), lockedAt: gateClosure, gateClosure }
    return { series: mapSeries(values), lockedAt: lockedAt === -Infinity ? late! : lockedAt, gateClosure }
  }
  return {
    of: nominated, ids: found.map((d) => d.id),
    portfolio(points, complete) {
      const whole = complete ? nominated(null) : undefined, each = points.map(nominated)
      if (whole || each.length === 0 || each.some((n) => n === undefined)) return whole
      return { series: sumSeries(each.map((n) => n!.series)), lockedAt: Math.max(...each.map((n) => n!.lockedAt)), gateClosure }
    },
  }
}
