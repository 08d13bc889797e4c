import type { ChargingProfile, ChargingSchedulePeriod, RateUnit } from '#csms/wire/charging-profile.js'
import { isoMs } from '#csms/time.js'
import { leastAmperes, limitOf, wattsOf, type Electrical } from './convert.js'
import type { Place } from './purpose.js'

/** A ceiling over time, epoch seconds, W, consumption positive. */
export interface Ceiling {
  readonly start: number
  readonly end: number
  readonly W: number
}

export interface ProfileDraft {
  readonly id: number
  readonly place: Place
  readonly stackLevel: number
  readonly unit: RateUnit
  readonly electrical: Electrical
  readonly ceilings: readonly Ceiling[]
  /** Most periods of one schedule. */
  readonly periods: number
  /** Epoch seconds. */
  readonly validFrom: number
  readonly validTo: number
  readonly minRate?: boolean
  /** The station can go from three phases to one (OCPP-232). */
  readonly switchesPhases?: boolean
  /** The grid's phases, sent as numberPhases where it is not 3 (OCPP-187). */
  readonly numberPhases: number | undefined
}

export interface Drafted {
  readonly profile: ChargingProfile
  /** When the next part must be sent, if the ceilings need more periods than the station takes (CORE-100). */
  readonly continuesAt: number | undefined
}

/** OCPP-232: on one phase a car follows down to 6 A x U; but no two switches come closer than this. */
const dwell_s = 900

interface Step { readonly at: number; readonly limit: number; readonly phases: number | undefined }

/** Each ceiling as a limit and, where the station can switch, the phases on which the car can follow it. */
function stepsOf(d: ProfileDraft): Step[] {
  const out: Step[] = []
  const three = wattsOf(leastAmperes, d.electrical), one = { ...d.electrical, phases: 1 }
  let switchedAt = -Infinity, single = false
  for (const { start: at, W } of d.ceilings) {
    const wish = d.switchesPhases === true && d.electrical.current === 'AC' && d.electrical.phases === 3 && W > 0 && W < three
    if (wish !== single && at - switchedAt >= dwell_s) {
      switchedAt = at
      single = wish
    }
    const limit = limitOf(single ? Math.min(W, one.voltage * 32) : W, d.unit, single ? one : d.electrical, d.minRate)
    const phases = single ? 1 : d.electrical.current === 'DC' ? undefined : d.numberPhases
    const last = out.at(-1)
    if (last?.limit !== limit || last.phases !== phases) out.push({ at, limit, phases })
  }
  return out
}

/**
 * An absolute schedule from its first ceiling to its last (OCPP-233). It ends by itself: duration and validTo are always set
 * (OCPP-188), so a lost server ends control. When it does not fit, it ends with the last period that does; the next part
 * restates it from that period on, so that the parts abut.
 */
export function draft(d: ProfileDraft): Drafted {
  const start = (d.ceilings[0] as Ceiling).start
  const all = stepsOf(d)
  const sent = all.slice(0, d.periods)
  const cut = all[d.periods]
  const end = cut ? cut.at : (d.ceilings.at(-1) as Ceiling).end
  const period = (p: Step): ChargingSchedulePeriod => ({ startPeriod: p.at - start, limit: p.limit, ...(p.phases === undefined ? {} : { numberPhases: p.phases }) })
  return {
    profile: {
      id: d.id, stackLevel: d.stackLevel, chargingProfilePurpose: d.place.purpose, chargingProfileKind: 'Absolute',
      validFrom: isoMs(d.validFrom * 1000), validTo: isoMs(d.validTo * 1000),
      ...(d.place.purpose === 'TxProfile' ? { transactionId: d.place.transactionId } : {}),
      chargingSchedule: [{
        id: d.id, startSchedule: isoMs(start * 1000), duration: end - start, chargingRateUnit: d.unit, chargingSchedulePeriod: sent.map(period),
      }],
    },
    continuesAt: cut ? (sent.at(-1) as Step).at : undefined,
  }
}

/** Lower levels may be lower: a level of ours never raises the limit (OCPP-229). `lower` tells their limit at a moment. */
export function neverRaising(ceilings: readonly Ceiling[], changes: readonly number[], lower: (at: number) => number | undefined): Ceiling[] {
  const out: Ceiling[] = []
  for (const c of ceilings) {
    const cuts = [c.start, ...changes.filter((at) => at > c.start && at < c.end), c.end]
    for (let i = 0; i + 1 < cuts.length; i += 1) {
      const start = cuts[i] as number
      out.push({ start, end: cuts[i + 1] as number, W: Math.min(c.W, lower(start) ?? Infinity) })
    }
  }
  return out
}
