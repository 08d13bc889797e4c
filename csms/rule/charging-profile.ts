import { capabilityOf, profileFloor, switchesPhases } from '#csms/smart-charging/capability.js'
import { live } from '#csms/smart-charging/ledger.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import type { ChargingProfile, ChargingSchedule, ChargingSchedulePeriod, Purpose } from '#csms/wire/charging-profile.js'
import { when, type Check, type RuleFacts } from './rule.js'

/** K01 for one schedule (OCPP-181…183). */
function scheduleChecks(profile: ChargingProfile, s: ChargingSchedule, facts: { periods: number | undefined; units: readonly string[]; switches: boolean }): Check[] {
  const periods = s.chargingSchedulePeriod, starts = periods.map((p) => p.startPeriod)
  const relative = profile.chargingProfileKind === 'Relative'
  return [
    ...when(!relative && s.startSchedule === undefined, 'K01.FR.40', `${profile.chargingProfileKind} needs startSchedule`),
    ...when(relative && s.startSchedule !== undefined, 'K01.FR.41', 'Relative must not have startSchedule'),
    ...when(starts[0] !== 0, 'K01.FR.31', 'the first startPeriod is 0'),
    ...when(starts.some((at, i) => i > 0 && at <= (starts[i - 1] as number)), 'K01.FR.35', 'startPeriod must rise from period to period'),
    ...when(s.duration !== undefined && starts.some((at) => at >= (s.duration as number)), 'K01.FR.31', 'a period begins after the schedule ends'),
    ...when(facts.periods !== undefined && periods.length > facts.periods, 'K01.FR.11', `more than ${facts.periods} periods`),
    ...when(facts.units.length > 0 && !facts.units.includes(s.chargingRateUnit), 'K01.FR.26', `chargingRateUnit ${s.chargingRateUnit} is not in RateUnit`),
    ...when(periods.some((p) => [p.limit, p.limit_L2, p.limit_L3].some((limit) => limit !== undefined && limit < 0)), 'OCPP-240', 'a limit is never negative'),
    ...when(periods.some((p) => Math.abs(p.limit * 10 - Math.round(p.limit * 10)) > 1e-6), 'OCPP-183', 'a limit has at most one decimal'),
    ...when(periods.some((p) => p.phaseToUse !== undefined && p.numberPhases !== 1), 'K01.FR.19', 'phaseToUse only with numberPhases 1'),
    ...when(periods.some((p) => p.phaseToUse !== undefined) && !facts.switches, 'K01.FR.20', 'phaseToUse only with ACPhaseSwitchingSupported'),
    ...periods.flatMap(periodChecks),
  ]
}

const discharging = ['dischargeLimit', 'dischargeLimit_L2', 'dischargeLimit_L3', 'setpoint', 'setpoint_L2', 'setpoint_L3', 'setpointReactive', 'setpointReactive_L2', 'setpointReactive_L3'] as const

/** 2.1 (OCPP-263): which numbers a period may carry in its operation mode. */
function periodChecks(p: ChargingSchedulePeriod): Check[] {
  const mode = p.operationMode ?? 'ChargingOnly', has = (names: readonly (keyof ChargingSchedulePeriod)[]): boolean => names.some((n) => p[n] !== undefined)
  return [
    ...when(mode === 'ChargingOnly' && has(discharging), 'Q02.FR.02', 'a charging-only period carries no discharge limit and no set-point'),
    ...when(mode === 'CentralSetpoint' && p.setpoint === undefined, 'Q03.FR.02', 'CentralSetpoint carries a setpoint'),
    ...when(mode === 'CentralSetpoint' && has(['limit', 'limit_L2', 'limit_L3', 'dischargeLimit', 'dischargeLimit_L2', 'dischargeLimit_L3']), 'Q03.FR.02', 'CentralSetpoint carries no limits'),
  ]
}

function validity(p: ChargingProfile): [number, number] {
  return [p.validFrom === undefined ? -Infinity : stampMs(p.validFrom), p.validTo === undefined ? Infinity : stampMs(p.validTo)]
}

const overlap = (a: ChargingProfile, b: ChargingProfile): boolean => {
  const [a0, a1] = validity(a), [b0, b1] = validity(b)
  return a0 < b1 && b0 < a1
}

/** K01.FR.05/06/39/52/53 against what we know to be installed (OCPP-184, 185). Reusing the id replaces. */
function conflicts(station: Station, evseId: number, p: ChargingProfile): Check[] {
  const others = [...station.ledger.values()].filter((e) => live(e) && e.id !== p.id && e.profile.stackLevel === p.stackLevel
    && e.profile.chargingProfilePurpose === p.chargingProfilePurpose && overlap(e.profile, p))
  const same = others.some((e) => (p.chargingProfilePurpose === 'TxProfile' ? e.profile.transactionId === p.transactionId : e.evseId === evseId))
  const split = p.chargingProfilePurpose === 'TxDefaultProfile' && others.some((e) => (e.evseId === 0) !== (evseId === 0))
  return [
    ...when(same, p.chargingProfilePurpose === 'TxProfile' ? 'K01.FR.39' : 'K01.FR.06', 'another profile has this stackLevel and purpose at that time'),
    ...when(split, evseId === 0 ? 'K01.FR.53' : 'K01.FR.52', 'TxDefaultProfile of one stackLevel lives on EVSE 0 or on single EVSEs, not both'),
  ]
}

/** Everything K01 asks of a profile; `remote` is one inside RequestStartTransaction (F01.FR.11). */
export function profileChecks(station: Station, evseId: number, p: ChargingProfile, facts: RuleFacts, remote = false): Check[] {
  const capability = capabilityOf(station, facts.assumedStackLevel)
  const knowsPeriods = station.variable('SmartChargingCtrlr', 'PeriodsPerSchedule') !== undefined
  const knowsLevel = station.variable('SmartChargingCtrlr', 'ProfileStackLevel') !== undefined
  const purpose: Purpose | string = p.chargingProfilePurpose
  const transaction = p.transactionId === undefined ? undefined : station.transactions.get(p.transactionId)
  return [
    ...when(purpose === 'ChargingStationExternalConstraints', 'K01.FR.22', 'a CSMS never sets ChargingStationExternalConstraints'),
    ...when(purpose === 'ChargingStationMaxProfile' && evseId !== 0, 'K01.FR.03', 'ChargingStationMaxProfile is for EVSE 0'),
    ...when(purpose === 'ChargingStationMaxProfile' && p.chargingProfileKind === 'Relative', 'K01.FR.38', 'ChargingStationMaxProfile is not Relative'),
    ...when(purpose === 'TxProfile' && evseId <= 0 && !remote, 'K01.FR.16', 'TxProfile needs an evseId above 0'),
    ...when(purpose === 'TxProfile' && p.transactionId === undefined && !remote, 'K01.FR.03', 'TxProfile needs a transactionId'),
    ...when(remote && p.transactionId !== undefined, 'F01.FR.11', 'a profile in RequestStartTransaction has no transactionId'),
    ...when(remote && purpose !== 'TxProfile', 'F01.FR.09', 'a profile in RequestStartTransaction is a TxProfile'),
    ...when(purpose !== 'TxProfile' && p.transactionId !== undefined, 'K01.FR.03', 'only TxProfile has a transactionId'),
    ...when(purpose === 'TxProfile' && p.transactionId !== undefined && (!transaction || transaction.ended || transaction.evseId !== evseId),
      'OCPP-180', 'that transaction does not run on that EVSE'),
    ...when(p.chargingProfileKind === 'Recurring' && p.recurrencyKind === undefined, 'OCPP-181', 'Recurring needs recurrencyKind'),
    ...when(station.session.version === '2.1' && p.id <= profileFloor(station), 'K01.FR.80', 'ids up to MaxExternalConstraintsId are the station\'s own'),
    ...when(p.stackLevel < 0 || (knowsLevel && p.stackLevel > capability.stackLevel), 'K01.FR.05', `stackLevel is 0 to ${capability.stackLevel}`),
    ...when(p.validTo === undefined && p.stackLevel > 0 && purpose !== 'TxProfile', 'OCPP-188', 'a profile above the baseline needs validTo'),
    ...when(p.validFrom !== undefined && p.validTo !== undefined && stampMs(p.validFrom) >= stampMs(p.validTo), 'OCPP-188', 'validFrom is before validTo'),
    ...when(p.chargingSchedule.length > 1 && !station.needs.has(evseId), 'K01.FR.34', 'several schedules only after the EV sent charging needs'),
    ...p.chargingSchedule.flatMap((s) => scheduleChecks(p, s, { periods: knowsPeriods ? capability.periods : undefined, units: capability.units, switches: switchesPhases(station, evseId) })),
    ...conflicts(station, evseId, p),
  ]
}

export const setChargingProfileRule = (station: Station, r: { evseId: number; chargingProfile: ChargingProfile }, facts: RuleFacts): Check[] =>
  profileChecks(station, r.evseId, r.chargingProfile, facts)

/** K10 (OCPP-194). */
export function clearChargingProfileRule(_station: Station, r: { chargingProfileId?: number; chargingProfileCriteria?: { evseId?: number; chargingProfilePurpose?: string; stackLevel?: number } }): Check[] {
  const c = r.chargingProfileCriteria
  return [
    ...when(r.chargingProfileId === undefined && (!c || (c.evseId ?? c.chargingProfilePurpose ?? c.stackLevel) === undefined), 'K10.FR.02', 'an id or at least one criterion'),
    ...when(c?.chargingProfilePurpose === 'ChargingStationExternalConstraints', 'K10.FR.06', 'a CSMS never clears ChargingStationExternalConstraints'),
  ]
}

/** K09.FR.03 (OCPP-193). */
export function getChargingProfilesRule(_station: Station, r: { chargingProfile: { chargingProfileId?: number[]; chargingProfilePurpose?: string; stackLevel?: number; chargingLimitSource?: string[] } }): Check[] {
  const c = r.chargingProfile
  const other = c.chargingProfilePurpose !== undefined || c.stackLevel !== undefined || c.chargingLimitSource !== undefined
  return [
    ...when(c.chargingProfileId !== undefined && other, 'K09.FR.03', 'ids or criteria, not both'),
    ...when(c.chargingProfileId === undefined && !other, 'K09.FR.03', 'ids or at least one criterion'),
  ]
}
