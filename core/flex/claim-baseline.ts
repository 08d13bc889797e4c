import { note } from '#core/audit/note.js'
import { prognosisKind, type Prognosis } from '#core/flex/prognosis.js'
import type { BaselineClaim, ClaimIntake } from '#core/port/intake.js'
import { every } from '#core/port/store/every.js'
import type { Instant } from '#core/quantity/interval.js'
import type { Transact, Work } from '#core/work.js'
import type { Caller } from '#core/caller.js'

interface Run { readonly start: Instant; readonly kW: number[] }

/**
 * A claim in a program's intervals, kW, as runs without a gap. Parts of one interval that several resources of a report claim are added, like
 * their readings; finer intervals are added up, and one that is not claimed whole, or claimed coarser, is left out: a flat profile is
 * never for payment (CORE-121).
 */
export function runsOf(claims: readonly BaselineClaim[], step_s: number): Run[] {
  const Wh = new Map<Instant, number>(), covered = new Map<Instant, Set<string>>(), length = new Map<Instant, number>(), coarse = new Set<Instant>()
  for (const c of claims) {
    const at = Math.floor(c.start / step_s) * step_s
    if (c.end > at + step_s) {
      for (let slot = at; slot < c.end; slot += step_s) coarse.add(slot)
      continue
    }
    const piece = `${c.start} ${c.end}`, seen = covered.get(at) ?? new Set<string>()
    Wh.set(at, (Wh.get(at) ?? 0) + c.Wh)
    if (!seen.has(piece)) length.set(at, (length.get(at) ?? 0) + c.end - c.start)
    covered.set(at, seen.add(piece))
  }
  const runs: Run[] = []
  for (const at of [...Wh.keys()].filter((x) => length.get(x) === step_s && !coarse.has(x)).sort((a, b) => a - b)) {
    const last = runs.at(-1), kW = Wh.get(at)! * 3.6 / step_s
    if (last && last.start + last.kW.length * step_s === at) last.kW.push(kW)
    else runs.push({ start: at, kW: [kW] })
  }
  return runs
}

/**
 * CORE-093: what a device says its load would be is a claim, in every program that its point is active in: where the program settles on nominated
 * baselines (CORE-157) it counts as far as it came before the gate closed; elsewhere it stands beside what was computed. A claim that came late
 * is kept too, with the time at which it came, so that a verification can say why it was not used. The same claim again changes nothing.
 */
export async function claimBaseline(work: Work, caller: Caller, wish: Parameters<ClaimIntake['claim']>[1]): Promise<number> {
  const { stores, clock, ids } = work, { tenant } = caller, resource = await stores.resources.get(tenant, wish.resource)
  if (!resource) return 0
  const active = (await every((page) => stores.enrolments.list(tenant, { servicePoint: resource.servicePoint, state: 'active' }, page)))
  let taken = 0
  for (const program of (await stores.programs.getMany(tenant, active.map((e) => e.program))).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const step = program.intervalMinutes * 60
    for (const { start, kW } of runsOf(wish.claims, step)) {
      const key = `${wish.lineage} ${resource.servicePoint} ${start}`
      if (await stores.documents.byKey(tenant, prognosisKind, program.id, key)) continue
      const id = ids.uuid(), body: Prognosis = { program: program.id, servicePoint: resource.servicePoint, start, kW, source: wish.source, lineage: wish.lineage }
      await stores.documents.insert<Prognosis>({ tenant, kind: prognosisKind, id, parent: program.id, key, owner: resource.servicePoint, sort1: start, sort2: start + kW.length * step, body }, clock.nowMs())
      await note(work, caller, [{ action: 'prognosis.claim', entity: id, reason: wish.source, after: body }])
      taken++
    }
  }
  return taken
}

/** The port that the protocol doors call. */
export const claimIntake = (transact: Transact): ClaimIntake => ({
  claim: async (caller, wish) => { await transact((work) => claimBaseline(work, caller, wish)) },
})
