/** Charging profiles as a station sees them (OCPP 2.0.1 Part 2 block K). Only what a station needs to obey. */
export interface Period { readonly startPeriod: number; readonly limit: number; readonly numberPhases?: number }
export interface Schedule {
  readonly id?: number
  readonly startSchedule?: string
  readonly duration?: number
  readonly chargingRateUnit: 'W' | 'A'
  readonly chargingSchedulePeriod: readonly Period[]
}
export interface ChargingProfile {
  readonly id: number
  readonly stackLevel: number
  readonly chargingProfilePurpose: string
  readonly chargingProfileKind: string
  readonly recurrencyKind?: string
  readonly validFrom?: string
  readonly validTo?: string
  readonly transactionId?: string
  readonly chargingSchedule: readonly Schedule[]
}
/** A profile where it is installed: evseId 0 = the whole station. */
export interface Installed { readonly evseId: number; readonly profile: ChargingProfile }

const nominal_V = 230
const recurrence_s: Readonly<Record<string, number>> = { Daily: 86_400, Weekly: 604_800 }

/** The limit of one profile at an instant, in W; undefined when it says nothing then (K01.FR.10, K02.FR.08: gaps fall back). */
export function limitOf(profile: ChargingProfile, at_ms: number, transactionStart_ms: number | undefined): number | undefined {
  if (profile.validFrom !== undefined && at_ms < Date.parse(profile.validFrom)) return undefined
  if (profile.validTo !== undefined && at_ms >= Date.parse(profile.validTo)) return undefined
  const schedule = profile.chargingSchedule[0]
  if (!schedule) return undefined
  const start = profile.chargingProfileKind === 'Relative' ? transactionStart_ms : Date.parse(schedule.startSchedule ?? profile.validFrom ?? '') || undefined
  if (start === undefined || at_ms < start) return undefined
  let into = (at_ms - start) / 1000
  if (profile.chargingProfileKind === 'Recurring') into %= recurrence_s[profile.recurrencyKind ?? 'Daily'] ?? 86_400
  if (schedule.duration !== undefined && into >= schedule.duration) return undefined
  const period = schedule.chargingSchedulePeriod.findLast((p) => into >= p.startPeriod)
  if (!period) return undefined
  return schedule.chargingRateUnit === 'W' ? period.limit : period.limit * nominal_V * (period.numberPhases ?? 3)
}

/** Of one purpose the highest stack level that is valid now counts, even when its limit is the higher one (block K, merging). */
function ofPurpose(all: readonly Installed[], purpose: string, at_ms: number, start_ms: number | undefined): number | undefined {
  let best: { stackLevel: number; limit: number } | undefined
  for (const { profile } of all) {
    if (profile.chargingProfilePurpose !== purpose) continue
    const limit = limitOf(profile, at_ms, start_ms)
    if (limit !== undefined && (!best || profile.stackLevel > best.stackLevel)) best = { stackLevel: profile.stackLevel, limit }
  }
  return best?.limit
}

/** The limit in force on an EVSE: the lowest of station maximum, external constraints and (TxProfile, else TxDefaultProfile). */
export function limitAt(installed: readonly Installed[], evseId: number, at_ms: number, transaction?: { readonly id: string; readonly start_ms: number }): number {
  const here = installed.filter((i) => i.evseId === 0 || i.evseId === evseId)
  const own = here.filter((i) => i.profile.transactionId === undefined || i.profile.transactionId === transaction?.id)
  const start = transaction?.start_ms
  return Math.min(
    ofPurpose(here.filter((i) => i.evseId === 0), 'ChargingStationMaxProfile', at_ms, start) ?? Infinity,
    ofPurpose(here, 'ChargingStationExternalConstraints', at_ms, start) ?? Infinity,
    (transaction ? ofPurpose(own, 'TxProfile', at_ms, start) : undefined) ?? ofPurpose(here, 'TxDefaultProfile', at_ms, start) ?? Infinity,
  )
}

/** The composite schedule of `[from, from + duration)` (K08): a period for each change of the limit. */
export function composite(installed: readonly Installed[], evseId: number, from_ms: number, duration_s: number, most_W: number, unit: 'W' | 'A', transaction?: { readonly id: string; readonly start_ms: number }): Period[] {
  const periods: Period[] = []
  const edges = new Set<number>([0])
  for (let s = 60; s < duration_s; s += 60) edges.add(s)
  for (const { profile } of installed) {
    for (const schedule of profile.chargingSchedule) {
      const start = Date.parse(schedule.startSchedule ?? '')
      const marks = [profile.validFrom, profile.validTo].map((text) => Date.parse(text ?? '')).concat(start, start + (schedule.duration ?? Number.NaN) * 1000, schedule.chargingSchedulePeriod.map((p) => start + p.startPeriod * 1000))
      for (const mark of marks) {
        const into = Math.ceil((mark - from_ms) / 1000)
        if (into > 0 && into < duration_s) edges.add(into)
      }
    }
  }
  for (const at of [...edges].sort((a, b) => a - b)) {
    const watts = Math.min(most_W, limitAt(installed, evseId, from_ms + at * 1000, transaction))
    const limit = unit === 'W' ? watts : Math.floor(watts * 10 / (nominal_V * 3)) / 10
    if (periods.at(-1)?.limit !== limit) periods.push({ startPeriod: at, limit })
  }
  return periods
}

/** Why a station refuses a profile (K01, OCPP-180 … OCPP-191); undefined = accepted. */
export function refusal(evseId: number, profile: ChargingProfile, installed: readonly Installed[], evses: number, transactionOf: (evseId: number) => string | undefined): string | undefined {
  const schedule = profile.chargingSchedule[0]
  if (evseId < 0 || evseId > evses) return 'UnknownEvse'
  if (!schedule || schedule.chargingSchedulePeriod[0]?.startPeriod !== 0) return 'InvalidSchedule'
  if (schedule.chargingSchedulePeriod.some((p, i, all) => i > 0 && p.startPeriod <= (all[i - 1] as Period).startPeriod)) return 'InvalidSchedule'
  if (profile.chargingProfileKind !== 'Relative' && schedule.startSchedule === undefined) return 'InvalidSchedule'
  if (profile.chargingProfileKind === 'Recurring' && profile.recurrencyKind === undefined) return 'InvalidProfile'
  if (profile.chargingProfilePurpose === 'ChargingStationExternalConstraints') return 'InvalidProfile'
  if (profile.chargingProfilePurpose === 'ChargingStationMaxProfile' && (evseId !== 0 || profile.chargingProfileKind === 'Relative')) return 'InvalidProfile'
  if (profile.chargingProfilePurpose === 'TxProfile') {
    if (evseId === 0 || profile.transactionId === undefined) return 'InvalidProfile'
    if (transactionOf(evseId) !== profile.transactionId) return 'TxNotFound'
  }
  if (profile.stackLevel < 0 || profile.stackLevel > 10) return 'InvalidStackLevel'
  const clash = installed.some((i) => i.profile.id !== profile.id && i.evseId === evseId && i.profile.chargingProfilePurpose === profile.chargingProfilePurpose &&
    i.profile.stackLevel === profile.stackLevel && i.profile.transactionId === profile.transactionId && overlap(i.profile, profile))
  return clash ? 'DuplicateProfile' : undefined
}

const overlap = (a: ChargingProfile, b: ChargingProfile): boolean =>
  (Date.parse(a.validFrom ?? '') || 0) < (Date.parse(b.validTo ?? '') || Infinity) && (Date.parse(b.validFrom ?? '') || 0) < (Date.parse(a.validTo ?? '') || Infinity)
