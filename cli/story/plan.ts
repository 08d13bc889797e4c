import { DateTime } from 'luxon'
import { shares } from '#sim/fleet.js'

/** What the main job of the contract (§5) is about, decided once from the flags. */
export interface StoryPlan {
  readonly day: string
  readonly zone: string
  readonly vens: number
  readonly inverters: number
  readonly chargers: number
  readonly power_kW: number
  /** All instants in epoch seconds: devices come up, the order is given, it runs, the last reading is in. */
  readonly opens: number
  readonly orders: number
  readonly start: number
  readonly end: number
  readonly closes: number
  readonly rate: number
  /** The rate was asked for: the machine's own pace has no say. */
  readonly rateAsked: boolean
  readonly historyFrom: number
}

/** Weekday holidays of the United States in the years the demo may fall in: no business days. */
export const holidays: readonly string[] = [
  '2025-01-01', '2025-05-26', '2025-07-04', '2025-09-01', '2025-11-27', '2025-12-25',
  '2026-01-01', '2026-05-25', '2026-07-03', '2026-09-07', '2026-11-26', '2026-12-25',
  '2027-01-01', '2027-05-31', '2027-07-05', '2027-09-06', '2027-11-25', '2027-12-24',
  '2028-05-29', '2028-07-04', '2028-09-04', '2028-11-23', '2028-12-25',
]

export const zone = 'America/Denver'
const historyDays = 45

const isBusinessDay = (day: DateTime): boolean => day.weekday <= 5 && !holidays.includes(day.toISODate() ?? '')

/** The next business day after `nowMs` in the program's zone. */
export function nextBusinessDay(nowMs: number): string {
  let day = DateTime.fromMillis(nowMs, { zone }).startOf('day').plus({ days: 1 })
  while (!isBusinessDay(day)) day = day.plus({ days: 1 })
  return day.toISODate() as string
}

/**
 * The whole story in clock time. `rate` undefined: the live part (15:00 to 18:05 local) takes about 75 machine seconds for a fleet of a few
 * hundred, and longer for bigger ones, so that two cores keep up.
 */
export function planStory(options: { devices: number; nowMs: number; day?: string; rate?: number }): StoryPlan {
  const day = options.day ?? nextBusinessDay(options.nowMs)
  const at = (hour: number, minute: number): number => DateTime.fromISO(day, { zone }).set({ hour, minute }).toUnixInteger()
  const fleet = shares(options.devices)
  const total = fleet.vens + fleet.inverters + fleet.chargers
  return {
    day, zone, ...fleet,
    power_kW: 10 * total,
    opens: at(15, 0), orders: at(15, 30), start: at(16, 0), end: at(18, 0), closes: at(18, 5),
    rate: options.rate ?? (total <= 400 ? 144 : total <= 1000 ? 60 : 24), rateAsked: options.rate !== undefined,
    historyFrom: DateTime.fromISO(day, { zone }).minus({ days: historyDays }).toUnixInteger(),
  }
}

/** What two idle cores import of the history in a second, and the slowest lapse: the live part then takes a quarter of an hour. */
const usual_rowsPerSecond = 60_000, slowest = 12

/** The lapse that this machine keeps up with, judged by how fast it took the history: a busy one plays the same story more slowly. */
export function pacedPlan(plan: StoryPlan, history: { rows: number; seconds: number }): StoryPlan {
  if (plan.rateAsked || history.rows === 0 || history.seconds <= 0) return plan
  const pace = Math.min(1, history.rows / history.seconds / usual_rowsPerSecond)
  return { ...plan, rate: Math.max(Math.min(slowest, plan.rate), Math.round(plan.rate * pace)) }
}
