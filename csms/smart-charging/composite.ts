import type { ChargingProfile, ChargingSchedule } from '#csms/wire/charging-profile.js'
import { stampMs } from '#csms/time.js'
import { wattsOf, type Electrical } from './convert.js'

/** A profile where it is installed. */
export interface Installed {
  readonly evseId: number
  readonly profile: ChargingProfile
}

export interface CompositeQuery {
  readonly evseId: number
  readonly transactionId?: string
  /** Start of that transaction, for Relative profiles; epoch ms. */
  readonly startedAt?: number
  readonly electrical: Electrical
}

const day = 86_400_000

/** Milliseconds since the schedule began that count at `at`, or undefined when it does not apply. */
function offset(profile: ChargingProfile, schedule: ChargingSchedule, at: number, startedAt: number | undefined): number | undefined {
  const start = profile.chargingProfileKind === 'Relative' ? startedAt : schedule.startSchedule === undefined ? undefined : stampMs(schedule.startSchedule)
  if (start === undefined || at < start) return undefined
  let since = at - start
  // Interpretation: K01 recurs by elapsed days of 24 h in UTC, as startSchedule carries no zone; clock changes do not move it.
  if (profile.chargingProfileKind === 'Recurring') since %= profile.recurrencyKind === 'Weekly' ? 7 * day : day
  return schedule.duration !== undefined && since >= schedule.duration * 1000 ? undefined : since
}

/** The limit of one profile at a moment in W, or undefined: not valid then, or its schedule has no period for it. */
export function limitAt({ profile }: Installed, at: number, query: CompositeQuery): number | undefined {
  // OCPP-188: [validFrom, validTo).
  if (profile.validFrom !== undefined && at < stampMs(profile.validFrom)) return undefined
  if (profile.validTo !== undefined && at >= stampMs(profile.validTo)) return undefined
  const schedule = profile.chargingSchedule[0]
  if (!schedule) return undefined
  const since = offset(profile, schedule, at, query.startedAt)
  if (since === undefined) return undefined
  const period = schedule.chargingSchedulePeriod.findLast((p) => p.startPeriod * 1000 <= since)
  if (!period) return undefined
  if (schedule.chargingRateUnit === 'W') return period.limit
  return wattsOf(period.limit, { ...query.electrical, phases: Math.min(query.electrical.phases, period.numberPhases ?? 3) })
}

/** OCPP-184: within a purpose the highest stack level that is valid wins, even if its limit is higher. */
function leading(profiles: readonly Installed[], at: number, query: CompositeQuery): number | undefined {
  let best: { level: number; limit: number } | undefined
  for (const installed of profiles) {
    const limit = limitAt(installed, at, query)
    if (limit !== undefined && (!best || installed.profile.stackLevel > best.level)) best = { level: installed.profile.stackLevel, limit }
  }
  return best?.limit
}

/**
 * Effective limit in W at `at` for an EVSE (evseId 0: the station), undefined = none:
 * min over {MaxProfile, ExternalConstraints, (TxProfile if it has a period, else TxDefault)} (OCPP §11).
 */
export function effectiveLimit(all: readonly Installed[], at: number, query: CompositeQuery): number | undefined {
  const of = (purpose: string, evse: (id: number) => boolean): Installed[] =>
    all.filter((i) => i.profile.chargingProfilePurpose === purpose && evse(i.evseId))
  const here = (id: number): boolean => id === query.evseId
  const tx = query.transactionId === undefined ? undefined
    : leading(of('TxProfile', here).filter((i) => i.profile.transactionId === query.transactionId), at, query)
  const limits = [
    leading(of('ChargingStationMaxProfile', (id) => id === 0), at, query),
    leading(of('ChargingStationExternalConstraints', (id) => id === 0 || here(id)), at, query),
    tx ?? (query.evseId === 0 ? undefined : leading(of('TxDefaultProfile', (id) => id === 0 || here(id)), at, query)),
  ].filter((limit) => limit !== undefined)
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** Moments in [from, to) at which some profile's limit may change; epoch ms, sorted, `from` first. */
export function breakpoints(all: readonly Installed[], from: number, to: number, startedAt?: number): number[] {
  const at = new Set([from])
  const add = (ms: number): void => { if (ms > from && ms < to) at.add(ms) }
  for (const { profile } of all) {
    if (profile.validFrom) add(stampMs(profile.validFrom))
    if (profile.validTo) add(stampMs(profile.validTo))
    for (const schedule of profile.chargingSchedule) {
      const start = profile.chargingProfileKind === 'Relative' ? startedAt : schedule.startSchedule === undefined ? undefined : stampMs(schedule.startSchedule)
      if (start === undefined) continue
      const turn = profile.recurrencyKind === 'Weekly' ? 7 * day : day
      const turns = profile.chargingProfileKind === 'Recurring' ? Math.ceil((to - start) / turn) : 0
      const first = profile.chargingProfileKind === 'Recurring' ? Math.max(0, Math.floor((from - start) / turn)) : 0
      for (let n = first; n <= turns; n += 1) {
        for (const p of schedule.chargingSchedulePeriod) add(start + n * turn + p.startPeriod * 1000)
        if (schedule.duration !== undefined) add(start + n * turn + schedule.duration * 1000)
      }
    }
  }
  return [...at].sort((a, b) => a - b)
}
