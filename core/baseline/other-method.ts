import type { BaselineInput, BaselineResult, BaselineTrace, DayTrace } from '#core/baseline/baseline.js'
import { dateOf, LocalCalendar, type DayNumber } from '#core/baseline/calendar.js'
import { dayType } from '#core/baseline/day-type.js'
import { slotLoad } from '#core/baseline/eligibility.js'
import { eventSlots, type EventSlot } from '#core/baseline/plan.js'
import type { Series } from '#core/baseline/series.js'

/** What the methods of §11.3 may need beyond the readings. */
export interface MethodInput extends Omit<BaselineInput, 'preset'> {
  readonly method: string
  /** Degrees Celsius by instant, at the interval of the readings (WEATHER_MATCH, REGRESSION, TOWT). */
  readonly temperature?: Series | undefined
  /** The participant's own forecast in kW and when it was locked (NOMINATED). */
  readonly nominated?: { readonly series: Series; readonly lockedAt: number; readonly gateClosure: number } | undefined
  /** Intervals before (and after) the instruction (METER_BEFORE_AFTER); 3 by default. */
  readonly intervals?: number | undefined
  readonly interpolate?: boolean | undefined
  /** Day method to fall back to (REGRESSION below 20 days); CAISO_10IN10 by default. */
  readonly fallback?: string | undefined
}

/** The event on the local clock and the readings by local day and minute: what every method of §11.3 looks at. */
export interface Scene {
  readonly input: MethodInput
  readonly calendar: LocalCalendar
  readonly eventDay: DayNumber
  readonly slots: readonly EventSlot[]
  readonly load: (day: DayNumber, minute: number) => number
  readonly isEvent: (day: DayNumber) => boolean
  readonly isHoliday: (day: DayNumber) => boolean
}

/** What a method gives: kW by event slot, the days behind it, and for each day why. */
export interface Found {
  readonly kW?: readonly number[]
  readonly unadjusted?: readonly number[]
  readonly adjustment?: number | null
  readonly flags?: readonly string[]
  readonly considered?: readonly DayTrace[]
  readonly reasons?: readonly string[]
}

export function scene(input: MethodInput, eventDays: ReadonlySet<DayNumber>, holidays: ReadonlySet<DayNumber>): Scene {
  const calendar = new LocalCalendar(input.zone, input.intervalMinutes), { day, slots } = eventSlots(calendar, input.event)
  return {
    input, calendar, eventDay: day, slots, isEvent: (d) => eventDays.has(d), isHoliday: (d) => holidays.has(d),
    load: (d, minute) => slotLoad(input.series, calendar.instants(d, minute)),
  }
}

/** Days of the event day's type from `eventDay - offset` back to `eventDay - lookback`, with the reason for every other. */
export function likeDays(s: Scene, lookback: number, offset = 1): { days: DayNumber[]; considered: DayTrace[] } {
  const days: DayNumber[] = [], considered: DayTrace[] = []
  const type = dayType('biz/non', s.eventDay, s.isHoliday(s.eventDay))
  for (let d = s.eventDay - offset; d >= s.eventDay - lookback; d--) {
    const drop = (reason: DayTrace['reason']): void => void considered.push({ day: dateOf(d), verdict: 'dropped', reason })
    if (dayType('biz/non', d, s.isHoliday(d)) !== type) drop('DAY_TYPE')
    else if (s.isEvent(d)) drop('EVENT_DAY')
    else if (s.slots.some((slot) => Number.isNaN(s.load(d, slot.minute)))) drop('INCOMPLETE')
    else days.push(d)
  }
  return { days, considered }
}

export const used = (days: readonly DayNumber[]): DayTrace[] => days.map((d) => ({ day: dateOf(d), verdict: 'kept', reason: 'USED' }))

/** The common result form, so that whoever asks for a baseline need not know which family it came from. */
export function resultOf(s: Scene, found: Found): BaselineResult {
  const considered = [...(found.considered ?? [])].sort((a, b) => (a.day < b.day ? 1 : -1)), eventDay = dateOf(s.eventDay), method = s.input.method
  const dropped = considered.filter((d) => d.verdict === 'dropped').map(({ day, reason }) => ({ day, reason }))
  const days = considered.filter((d) => d.verdict === 'kept').map((d) => d.day).sort()
  const trace: BaselineTrace = {
    method, version: 1, dayType: dayType('biz/non', s.eventDay, s.isHoliday(s.eventDay)), eventDay, assumed: [], considered,
    adjustment: { kind: found.adjustment === undefined || found.adjustment === null ? 'none' : 'multiplicative', windowMinutes: [] },
  }
  const kW = found.kW
  if (!kW || kW.some(Number.isNaN)) return { status: 'INSUFFICIENT_DATA', method, eventDay, days, dropped, reasons: found.reasons ?? ['readings that the method needs are missing'], trace }
  return {
    status: 'OK', method, eventDay, days, fallback: [], low: [], dropped, slots: s.slots.map((slot, i) => ({ start: slot.start, end: slot.end, kW: kW[i]! })),
    unadjusted: found.unadjusted ?? kW, adjustment: found.adjustment ?? null, flags: found.flags ?? [], trace,
  }
}
