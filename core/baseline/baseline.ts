import { adjust, applyAdjustment } from '#core/baseline/adjustment.js'
import { LocalCalendar, dateOf, dayNumber, type DayNumber } from '#core/baseline/calendar.js'
import { eligibleDays, mean, slotLoad, type DayLoad, type DayReason, type Exclusions } from '#core/baseline/eligibility.js'
import type { Preset } from '#core/baseline/method.js'
import { byLoad, newest, pickDays } from '#core/baseline/pick.js'
import { planBaseline, type Plan } from '#core/baseline/plan.js'
import { preset as presetOf } from '#core/baseline/preset.js'
import type { Series } from '#core/baseline/series.js'
import type { Interval } from '#core/quantity/interval.js'

export interface DayTrace {
  readonly day: string
  readonly verdict: 'kept' | 'dropped'
  readonly reason: DayReason
  /** Mean load over the event window where the day was complete. */
  readonly mean_kW?: number
}

/** What a dispute reads (CORE-010): method and parameters, each day with its reason, each cap and fallback that fired. */
export interface BaselineTrace {
  readonly method: string
  readonly version: number
  readonly dayType: string
  readonly eventDay: string
  readonly assumed: readonly string[]
  readonly considered: readonly DayTrace[]
  readonly adjustment: { readonly kind: string; readonly windowMinutes: readonly number[]; readonly uncapped?: number }
}

export interface BaselineOk {
  readonly status: 'OK'
  readonly method: string
  readonly eventDay: string
  /** Days used, ascending; of them `fallback` are event days that CORE-127 let in; `low` were screened out (CORE-126). */
  readonly days: readonly string[]
  readonly fallback: readonly string[]
  readonly low: readonly string[]
  readonly dropped: readonly { readonly day: string; readonly reason: DayReason }[]
  /** Adjusted baseline of each elapsed interval of the event, and the same before adjustment. */
  readonly slots: readonly (Interval & { readonly kW: number })[]
  readonly unadjusted: readonly number[]
  readonly adjustment: number | null
  /** ADJ_… of adjustment.ts, and what a method of §11.3 has to say (REGRESSION_FALLBACK …). */
  readonly flags: readonly string[]
  readonly trace: BaselineTrace
}

export interface BaselineInsufficient {
  readonly status: 'INSUFFICIENT_DATA'
  readonly method: string
  readonly eventDay: string
  readonly days: readonly string[]
  readonly dropped: readonly { readonly day: string; readonly reason: DayReason }[]
  readonly reasons: readonly string[]
  readonly trace: BaselineTrace
}

export type BaselineResult = BaselineOk | BaselineInsufficient

export interface BaselineInput {
  readonly preset: string | Preset
  readonly zone: string
  readonly intervalMinutes: number
  readonly event: Interval
  readonly series: Series
  /** Local dates of event days of any program (CORE-024), outages and shutdowns, holidays of the zone. */
  readonly excludedDays?: readonly string[]
  readonly outageDays?: readonly string[]
  readonly holidays?: readonly string[]
  /** Times whose actual load must not adjust a baseline (CORE-133). */
  readonly unusable?: readonly Interval[]
}

export const dayNumbers = (dates: readonly string[] | undefined): ReadonlySet<DayNumber> => new Set((dates ?? []).map(dayNumber))

/** One baseline of the X of Y family. For many points with one event, make the plan once and call `baselineOf`. */
export function baseline(input: BaselineInput): BaselineResult {
  const plan = planBaseline({
    preset: presetOf(input.preset), calendar: new LocalCalendar(input.zone, input.intervalMinutes), event: input.event, holidays: dayNumbers(input.holidays),
  })
  return baselineOf(plan, input.series, { eventDays: dayNumbers(input.excludedDays), outageDays: dayNumbers(input.outageDays) }, input.unusable)
}

const nothing: Exclusions = { eventDays: new Set(), outageDays: new Set() }

export function baselineOf(plan: Plan, series: Series, exclusions: Exclusions = nothing, unusable: readonly Interval[] = []): BaselineResult {
  const rule = plan.preset.rules[plan.type]
  const { eligible, eventDays, dropped } = eligibleDays(plan, series, exclusions)
  const { taken, low } = rule ? newest(eligible, rule, plan.preset.lowUsage) : { taken: [], low: [] }
  // CORE-127: too few days → excluded event days of the type, highest event-window load first, until the minimum.
  const missing = rule ? Math.max(0, rule.min - taken.length) : 0
  const added = [...eventDays].sort(byLoad).slice(0, missing)
  const pool = [...taken, ...added]
  const enough = rule !== undefined && pool.length >= rule.min
  const days = enough ? pickDays(pool, rule.pick, rule.y).sort((a, b) => a.day - b.day) : []
  const adjusted = enough ? applyTo(plan, series, days, unusable) : undefined
  const verdicts = considered(plan, { eligible, eventDays, dropped, low, pool, added, days })
  const trace: BaselineTrace = {
    method: plan.preset.name, version: plan.preset.version, dayType: plan.type, eventDay: dateOf(plan.eventDay), assumed: plan.preset.assumed, considered: verdicts,
    adjustment: { kind: plan.preset.adjustment.kind, windowMinutes: adjusted?.windows ?? [], ...(adjusted?.uncapped === undefined ? {} : { uncapped: adjusted.uncapped }) },
  }
  const refused = verdicts.filter((v) => v.verdict === 'dropped').map(({ day, reason }) => ({ day, reason }))
  const common = { method: plan.preset.name, eventDay: dateOf(plan.eventDay), dropped: refused, trace }
  if (!adjusted || adjusted.missing) {
    const usable = pool.map((d) => d.day).sort((a, b) => a - b).map(dateOf)
    return { status: 'INSUFFICIENT_DATA', ...common, days: usable, reasons: adjusted?.missing ? [adjusted.missing] : thinness(plan, pool.length, refused) }
  }
  return {
    status: 'OK', ...common, days: days.map((d) => dateOf(d.day)), fallback: added.map((d) => dateOf(d.day)).sort(), low: low.map((d) => dateOf(d.day)).sort(),
    slots: plan.slots.map((s, i) => ({ start: s.start, end: s.end, kW: adjusted.kW[i]! })), unadjusted: adjusted.unadjusted, adjustment: adjusted.value, flags: adjusted.flags,
  }
}

/** Weighted or plain mean of one column of the selected days (CORE-128). */
function column(days: readonly DayLoad[], weights: readonly number[] | undefined, value: (d: DayLoad) => number): number {
  if (!weights || weights.length !== days.length) return mean(days.map(value))
  const newestFirst = [...days].sort((a, b) => b.day - a.day)
  return newestFirst.reduce((sum, d, i) => sum + value(d) * weights[i]!, 0) / weights.reduce((a, b) => a + b, 0)
}

function applyTo(plan: Plan, series: Series, days: readonly DayLoad[], unusable: readonly Interval[]) {
  if (plan.preset.flatHour) return flatHour(plan, series, days)
  const weights = plan.preset.weights?.[plan.type]
  const perMinute = plan.minutes.map((_, i) => column(days, weights, (d) => d.event[i]!))
  const unadjusted = plan.place.map((i) => perMinute[i]!)
  const at = (minute: number): number => {
    const i = plan.windowMinutes.indexOf(minute)
    // An alternative window (CORE-133) was not loaded with the days: read it now.
    return i >= 0 ? column(days, weights, (d) => d.windows[i]!) : column(days, weights, (d) => slotLoad(series, plan.calendar.instants(d.day, minute)))
  }
  const found = adjust(plan, series, at, unusable)
  return { ...found, unadjusted, kW: unadjusted.map((kW) => applyAdjustment(plan.preset.adjustment.kind, kW, found.value)), missing: undefined }
}

/** TX_5DAY_HOUR: the hour before the event on the event day and the preceding days, averaged, flat over the event. */
function flatHour(plan: Plan, series: Series, days: readonly DayLoad[]) {
  const own = plan.minutes.map((m) => slotLoad(series, plan.calendar.instants(plan.eventDay, m)))
  const flat = mean([...days.map((d) => d.mean), mean(own)])
  const unadjusted = plan.slots.map(() => flat)
  const missing = Number.isNaN(flat) ? 'the hour starting two hours before the event has no readings on the event day' : undefined
  return { value: null, uncapped: undefined, flags: [], windows: plan.minutes, unadjusted, kW: unadjusted, missing }
}

function considered(plan: Plan, found: {
  eligible: DayLoad[]; eventDays: DayLoad[]; dropped: ReadonlyMap<DayNumber, DayReason>; low: DayLoad[]; pool: DayLoad[]; added: DayLoad[]; days: DayLoad[]
}): DayTrace[] {
  const reasons = new Map<DayNumber, DayReason>(found.dropped), means = new Map<DayNumber, number>()
  for (const d of found.eligible) reasons.set(d.day, 'OLDER_THAN_NEEDED')
  for (const d of found.low) reasons.set(d.day, 'LOW_USAGE')
  for (const d of found.pool) reasons.set(d.day, 'NOT_PICKED')
  for (const d of found.days) reasons.set(d.day, 'USED')
  const used = new Set(found.days)
  for (const d of found.added) if (used.has(d)) reasons.set(d.day, 'EVENT_DAY_ADDED')
  for (const d of [...found.eligible, ...found.eventDays]) means.set(d.day, d.mean)
  return plan.candidates.map(({ day }) => {
    const reason = reasons.get(day)!, kW = means.get(day)
    const verdict = reason === 'USED' || reason === 'EVENT_DAY_ADDED' ? 'kept' : 'dropped'
    return { day: dateOf(day), verdict, reason, ...(kW === undefined ? {} : { mean_kW: kW }) }
  })
}

/** "cannot verify: 3 of 5 needed days; 4 of 10 days have gaps" */
function thinness(plan: Plan, found: number, dropped: readonly { reason: DayReason }[]): string[] {
  const rule = plan.preset.rules[plan.type]
  if (!rule) return [`${plan.preset.name} has no rule for day type '${plan.type}' of ${dateOf(plan.eventDay)}`]
  const count = (r: DayReason): number => dropped.filter((d) => d.reason === r).length
  const like = plan.candidates.length - count('DAY_TYPE') - count('HOLIDAY')
  const reasons = [`${found} usable days, ${rule.min} needed (${plan.preset.name}, day type ${plan.type}, ${plan.preset.lookback} days back)`]
  const words: [DayReason, string][] = [
    ['INCOMPLETE', 'have gaps'], ['EVENT_DAY', 'are event days'], ['OUTAGE', 'are outage days'], ['LOW_USAGE', 'show low usage'], ['NO_SUCH_HOUR', 'miss the hour at a clock change'],
  ]
  for (const [reason, phrase] of words) if (count(reason) > 0) reasons.push(`${count(reason)} of ${like} days ${phrase}`)
  return reasons
}
