import type { DayNumber } from '#core/baseline/calendar.js'
import type { Plan } from '#core/baseline/plan.js'
import type { Series } from '#core/baseline/series.js'
import type { Instant } from '#core/quantity/interval.js'

/** Why a day was not used, or was (CORE-010). */
export type DayReason =
  | 'USED' | 'EVENT_DAY_ADDED' | 'DAY_TYPE' | 'HOLIDAY' | 'EVENT_DAY' | 'OUTAGE' | 'INCOMPLETE' | 'NO_SUCH_HOUR' | 'LOW_USAGE' | 'NOT_PICKED' | 'OLDER_THAN_NEEDED'

/** The load of one complete day: kW per wall-clock slot of the event, and of the adjustment windows. */
export interface DayLoad {
  readonly day: DayNumber
  readonly event: readonly number[]
  readonly windows: readonly number[]
  readonly mean: number
}

/** Kinds of day that never serve: event days of *any* program (CORE-024), outages and shutdowns (CORE-122). */
export interface Exclusions {
  readonly eventDays: ReadonlySet<DayNumber>
  readonly outageDays: ReadonlySet<DayNumber>
}

/** Mean of the occurrences of a wall-clock slot: the two of a repeated hour are averaged (CORE-129); NaN when one is missing. */
export function slotLoad(series: Series, instants: readonly Instant[]): number {
  if (instants.length === 1) return series.at(instants[0]!)
  let sum = 0
  for (const at of instants) sum += series.at(at)
  return instants.length === 0 ? NaN : sum / instants.length
}

export const mean = (values: readonly number[]): number => {
  let sum = 0
  for (const v of values) sum += v
  return sum / values.length
}

function loads(series: Series, slots: readonly (readonly Instant[])[]): number[] | undefined {
  const out: number[] = []
  for (const instants of slots) {
    const value = slotLoad(series, instants)
    if (Number.isNaN(value)) return undefined
    out.push(value)
  }
  return out
}

/** CORE-122, CORE-124, CORE-129: days that may be used, newest first; the complete event days kept aside for CORE-127; a reason for every other. */
export function eligibleDays(plan: Plan, series: Series, exclusions: Exclusions) {
  const eligible: DayLoad[] = [], eventDays: DayLoad[] = []
  const dropped = new Map<DayNumber, DayReason>()
  const strict = plan.preset.rules[plan.type]?.exclusions !== false
  for (const c of plan.candidates) {
    if (!c.event) {
      dropped.set(c.day, plan.isHoliday(c.day) ? 'HOLIDAY' : 'DAY_TYPE')
      continue
    }
    if (exclusions.outageDays.has(c.day)) {
      dropped.set(c.day, 'OUTAGE')
      continue
    }
    const isEvent = strict && exclusions.eventDays.has(c.day)
    const event = loads(series, c.event), windows = event && loads(series, c.windows)
    if (!event || !windows) {
      const noHour = [...c.event, ...c.windows].some((i) => i.length === 0)
      dropped.set(c.day, isEvent ? 'EVENT_DAY' : noHour ? 'NO_SUCH_HOUR' : 'INCOMPLETE')
      continue
    }
    const load = { day: c.day, event, windows, mean: mean(event) }
    if (isEvent) {
      dropped.set(c.day, 'EVENT_DAY')
      eventDays.push(load)
    } else eligible.push(load)
  }
  return { eligible, eventDays, dropped }
}
