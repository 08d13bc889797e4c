import type { Station } from '#csms/station.js'
import type { RateUnit } from '#csms/wire/charging-profile.js'
import type { Electrical } from './convert.js'

/** What a station can do with profiles, from its device model; what it did not say is assumed (OCPP §22). */
export interface Capability {
  readonly stackLevel: number
  readonly periods: number
  readonly units: readonly RateUnit[]
}

const first = (...values: (string | number | undefined)[]): number | undefined => {
  for (const value of values) {
    const n = typeof value === 'number' ? value : value === undefined || value === '' ? NaN : Number(value)
    if (Number.isFinite(n)) return n
  }
  return undefined
}

export function capabilityOf(station: Station, assumedStackLevel: number): Capability {
  const level = station.variable('SmartChargingCtrlr', 'ProfileStackLevel'), periods = station.variable('SmartChargingCtrlr', 'PeriodsPerSchedule')
  const units = station.actual('SmartChargingCtrlr', 'RateUnit') ?? station.actual('1.6', 'ChargingScheduleAllowedChargingRateUnit') ?? ''
  return {
    stackLevel: first(level?.attributes.Actual?.value, level?.characteristics?.maxLimit, station.actual('1.6', 'ChargeProfileMaxStackLevel')) ?? assumedStackLevel,
    periods: Math.max(1, first(periods?.attributes.Actual?.value, periods?.characteristics?.maxLimit, station.actual('1.6', 'ChargingScheduleMaxPeriods')) ?? 24),
    units: units.split(',').map((u) => u.trim()).map((u) => (u === 'Power' ? 'W' : u === 'Current' ? 'A' : u)).filter((u): u is RateUnit => u === 'W' || u === 'A'),
  }
}

/** OCPP-262: a 2.1 feature, under either of the spellings of the standard. */
export const supports = (station: Station, feature: string): boolean =>
  station.actual('SmartChargingCtrlr', 'SupportsFeature', feature) === 'true' || station.actual('SmartChargingCtrlr', `Supports${feature}`) === 'true'

/** Rated W of an EVSE, from its device model; Infinity when it did not say. */
export const evseMost = (station: Station, evseId: number): number => first(station.variable('EVSE', 'Power', undefined, evseId)?.characteristics?.maxLimit) ?? Infinity

/** OCPP-267: ids up to this one are the station's own. */
export const profileFloor = (station: Station): number => first(station.actual('SmartChargingCtrlr', 'MaxExternalConstraintsId')) ?? 0

/** OCPP-232: may the station run an EVSE on one phase although its car and grid have three? */
export const switchesPhases = (station: Station, evseId: number): boolean =>
  station.variable('EVSE', 'ACPhaseSwitchingSupported', undefined, evseId)?.attributes.Actual?.value === 'true'
  || station.actual('SmartChargingCtrlr', 'ACPhaseSwitchingSupported') === 'true' || station.actual('SmartChargingCtrlr', 'Phases3to1') === 'true'
  || station.actual('1.6', 'ConnectorSwitch3to1PhaseSupported') === 'true'

/** Volts and phases for one EVSE: of the car when known (OCPP-230). */
export function electricalOf(station: Station, evseId: number): Electrical {
  const needs = station.needs.get(evseId), t = station.running(evseId)
  return { voltage: station.record.voltage, phases: t?.phases ?? needs?.phases ?? station.record.phases, current: needs?.current ?? 'AC' }
}
