import type { ChargingProfile, ChargingSchedulePeriod, RateUnit } from '#csms/wire/charging-profile.js'
import { isoMs } from '#csms/time.js'
import { limitOf, type Electrical } from './convert.js'
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
  /** The grid's phases, sent as numberPhases where it is not 3 (OCPP-187). */
  readonly numberPhases: number | undefined
}

export interface Drafted {
  readonly profile: ChargingProfile
  /** When the next part must be sent, if the ceilings need more periods than the station takes (CORE-100). */
  readonly continuesAt: number | undefined
}

/**
 * An absolute schedule from its first ceiling to its last (OCPP-233). It ends by itself: duration and validTo are always set
 * (OCPP-188), so a lost server ends control. When it does not fit, it ends with the last period that does; the next part
 * restates it from that period on, so that the parts abut.
 */
export function draft(d: ProfileDraft): Drafted {
  const start = (d.ceilings[0] as Ceiling).start
  const all: { at: number; limit: number }[] = []
  for (const { start: at, W } of d.ceilings) {
    const limit = limitOf(W, d.unit, d.electrical, d.minRate)
    if (all.at(-1)?.limit !== limit) all.push({ at, limit })
  }
  const sent = all.slice(0, d.periods)
  const cut = all[d.periods]
  const end = cut ? cut.at : (d.ceilings.at(-1) as Ceiling).end
  const period = (p: { at: number; limit: number }): ChargingSchedulePeriod => ({
    startPeriod: p.at - start, limit: p.limit, ...(d.numberPhases === undefined || d.electrical.current === 'DC' ? {} : { numberPhases: d.numberPhases }),
  })
  return {
    profile: {
      id: d.id, stackLevel: d.stackLevel, chargingProfilePurpose: d.place.purpose, chargingProfileKind: 'Absolute',
      validFrom: isoMs(d.validFrom * 1000), validTo: isoMs(d.validTo * 1000),
      ...(d.place.purpose === 'TxProfile' ? { transactionId: d.place.transactionId } : {}),
      chargingSchedule: [{
        id: d.id, startSchedule: isoMs(start * 1000), duration: end - start, chargingRateUnit: d.unit, chargingSchedulePeriod: sent.map(period),
      }],
    },
    continuesAt: cut ? (sent.at(-1) as { at: number }).at : undefined,
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
