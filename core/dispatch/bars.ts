import { DateTime } from 'luxon'
import { hardFilter, type FilterReason } from '#core/dispatch/hard-filter.js'
import type { PlanInput, PlanResource } from '#core/dispatch/plan.js'
import type { Interval } from '#core/quantity/interval.js'

/** What a customer or installer has set on a resource (core-dr.md §3 Resource.constraints; CORE-060, CORE-074). All optional. */
export interface Constraints {
  readonly medical?: boolean
  readonly maxCalls?: number
  readonly maxCallsPerWeek?: number
  readonly minNotice_s?: number
  /** Time between the end of one call and the start of the next; thermal recovery (CORE-033) is this. */
  readonly rest_s?: number
  /** Local times of the program's zone: `{ from: "22:00", to: "06:00", weekdays?: [1 … 7] }`. */
  readonly neverUse?: readonly { readonly from: string; readonly to: string; readonly weekdays?: readonly number[] }[]
  /** Lowest energy price per kWh at which the customer takes part. */
  readonly minimumPrice?: number | string
  /** Customer's own order among the devices of one point: lower first (CORE-074). */
  readonly preference?: number
  readonly vendor?: string
}

/** The words an operator reads for the codes of CORE-060. */
const words: Readonly<Record<FilterReason, string>> = {
  NOT_ACTIVE: 'retired', OPTED_OUT: 'optedOut', NOTICE_TOO_SHORT: 'noticeTooShort', NO_CALLS_LEFT: 'noCallsLeft', REST_TIME: 'restTime', COMMS_STALE: 'commsStale', COMMS_LOST: 'commsLost',
  DEPARTURE: 'departure', RESERVE: 'reserve', COMFORT: 'comfort', NEVER_USE_WINDOW: 'neverUseWindow', CALLS_A_WEEK: 'callsAWeek', BELOW_MINIMUM_PRICE: 'belowMinimumPrice',
}

const week_s = 7 * 86_400

/** CORE-060, CORE-074: every reason that keeps a resource out, in words; none = it may be asked. */
export function barredBy({ resource, barred, dispatches, calls = [], lastSeen }: PlanResource, { order, now, program }: PlanInput): string[] {
  const c = resource.constraints as Constraints, rules = program.rules as { telemetry?: { reporting_s: number } }
  const early = [barred, resource.state === 'active' ? undefined : 'retired', resource.bindings.some((b) => b.control) ? undefined : 'noControlBinding', c.medical === true ? 'medical' : undefined]
  // Interpretation: freshness is judged where the program says how often its points report; elsewhere nobody can say what is stale
  const reporting = rules.telemetry?.reporting_s
  const found = hardFilter({
    id: resource.id, active: true, optedOut: false, noticeSeconds: c.minNotice_s ?? 0, callsLeft: c.maxCalls === undefined ? null : c.maxCalls - dispatches,
    lastEventEnd: calls.reduce<number | undefined>((last, e) => (e.end <= order.start ? Math.max(last ?? 0, e.end) : last), undefined), restSeconds: c.rest_s ?? 0,
    lastSeen: reporting === undefined ? now : lastSeen, reportingSeconds: reporting ?? 1, departureFeasible: null, reserveKept: null, comfortKept: null,
    neverUse: (c.neverUse ?? []).some((w) => touches(w, order, program.timeZone)),
    callsThisWeek: calls.filter((e) => e.start > order.start - week_s && e.start <= order.start).length, maxCallsAWeek: c.maxCallsPerWeek,
    price: program.energyPrice === null || program.energyPrice === undefined ? undefined : Number(program.energyPrice), minimumPrice: c.minimumPrice === undefined ? undefined : Number(c.minimumPrice),
  }, { now, start: order.start, statistical: true })
  return [...early.filter((r) => r !== undefined), ...found.map((r) => words[r])]
}

/** Does any moment of the window lie in the daily local window? One that ends before it begins runs over midnight. */
function touches(w: NonNullable<Constraints['neverUse']>[number], window: Interval, zone: string): boolean {
  const at = (day: DateTime, time: string): number => {
    const [hour = 0, minute = 0] = time.split(':').map(Number)
    return day.plus({ days: hour >= 24 ? 1 : 0 }).set({ hour: hour % 24, minute }).toSeconds()
  }
  const first = DateTime.fromSeconds(window.start, { zone }).startOf('day').minus({ days: 1 })
  for (let day = first; day.toSeconds() < window.end; day = day.plus({ days: 1 })) {
    if (w.weekdays && !w.weekdays.includes(day.weekday)) continue
    const from = at(day, w.from), to = w.to > w.from ? at(day, w.to) : at(day.plus({ days: 1 }), w.to)
    if (from < window.end && to > window.start) return true
  }
  return false
}
