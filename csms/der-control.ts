import { isoMs } from './time.js'

/** A curve in plain numbers, as the core and the 2030.5 room know it after scaling. */
export interface Curve {
  readonly points: readonly { readonly x: number; readonly y: number }[]
  /** DERUnitRefType of IEEE 2030.5. */
  readonly yRefType: number
  readonly openLoop_s?: number
  readonly vRef?: number
  readonly autonomousVRefEnable?: boolean
}

type CurveMode = (typeof curveModes)[number][0]

/** A DERControl of IEEE 2030.5 by its own names; percentages as numbers of percent. */
export interface DerModes extends Partial<Readonly<Record<CurveMode, Curve>>> {
  readonly opModFixedPFAbsorbW?: { readonly displacement: number; readonly excitation: boolean }
  readonly opModFixedPFInjectW?: { readonly displacement: number; readonly excitation: boolean }
  readonly opModFixedVar?: { readonly value: number; readonly refType: number }
  readonly opModFreqDroop?: { readonly overFreq: number; readonly underFreq: number; readonly overDroop: number; readonly underDroop: number; readonly openLoop_s: number }
  readonly opModMaxLimW?: number
  /** Positive = out of the car, as in 2030.5. */
  readonly opModFixedW?: number
  readonly opModEnergize?: boolean
  readonly setESLowVolt?: number
  readonly setESHighVolt?: number
  readonly setESLowFreq?: number
  readonly setESHighFreq?: number
  readonly setESDelay?: number
  readonly setESRandomDelay?: number
  readonly setESRampTms?: number
}

export interface DerOrder {
  readonly id: string
  /** A default rules when nothing scheduled does. */
  readonly isDefault: boolean
  /** Lower wins, in 2030.5 and here. */
  readonly priority: number
  /** Epoch seconds; a scheduled control has both. */
  readonly start?: number
  readonly duration?: number
  readonly modes: DerModes
}

export interface Message {
  readonly action: 'SetDERControl' | 'SetChargingProfile'
  readonly payload: object
}

/** Block R (OCPP-265): modes whose names agree, curve by curve. */
const curveModes = [
  ['opModVoltVar', 'VoltVar'], ['opModVoltWatt', 'VoltWatt'], ['opModWattVar', 'WattVar'], ['opModWattPF', 'WattPF'], ['opModFreqWatt', 'FreqWatt'],
  ['opModHVRTMustTrip', 'HVMustTrip'], ['opModHVRTMayTrip', 'HVMayTrip'], ['opModHVRTMomentaryCessation', 'HVMomCess'],
  ['opModLVRTMustTrip', 'LVMustTrip'], ['opModLVRTMayTrip', 'LVMayTrip'], ['opModLVRTMomentaryCessation', 'LVMomCess'],
  ['opModHFRTMustTrip', 'HFMustTrip'], ['opModHFRTMayTrip', 'HFMayTrip'], ['opModLFRTMustTrip', 'LFMustTrip'],
] as const

const units: Readonly<Record<number, string>> = { 0: 'Not_Applicable', 1: 'PctMaxW', 2: 'PctMaxVar', 3: 'PctVarAvail', 4: 'PctEffectiveV', 7: 'PctWAvail' }
const unitOf = (refType: number): string => units[refType] ?? 'Not_Applicable'

/** One order as the messages that say it to a 2.1 station; `rated_W` makes percentages of watts where OCPP wants watts. Pure. */
export function derMessages({ id, isDefault, priority, start, duration, modes: m }: DerOrder, { evseId, rated_W, profileId, stackLevel }: { evseId: number; rated_W: number; profileId: number; stackLevel: number }): Message[] {
  const when = isDefault ? {} : { ...(start === undefined ? {} : { startTime: isoMs(start * 1000) }), ...(duration === undefined ? {} : { duration }) }
  const out: Message[] = []
  const set = (controlType: string, member: string, value: object | undefined, timed: object = when): void => {
    if (value) out.push({ action: 'SetDERControl', payload: { isDefault, controlId: `${id}-${controlType}`.slice(-36), controlType, [member]: { priority, ...value, ...timed } } })
  }
  for (const [mode, controlType] of curveModes) set(controlType, 'curve', m[mode] && curveOf(m[mode]))
  set('FixedPFAbsorb', 'fixedPFAbsorb', m.opModFixedPFAbsorbW)
  set('FixedPFInject', 'fixedPFInject', m.opModFixedPFInjectW)
  set('FixedVar', 'fixedVar', m.opModFixedVar && { setpoint: m.opModFixedVar.value, unit: unitOf(m.opModFixedVar.refType) })
  set('FreqDroop', 'freqDroop', m.opModFreqDroop && droopOf(m.opModFreqDroop))
  set('LimitMaxDischarge', 'limitMaxDischarge', m.opModMaxLimW === undefined ? undefined : { pctMaxDischargePower: m.opModMaxLimW })
  set('EnterService', 'enterService', enterService(m), {})
  // opModFixedW and opModEnergize are about charging and discharging itself: a charging profile says them.
  const watts = m.opModEnergize === false ? 0 : m.opModFixedW === undefined ? undefined : -Math.round(rated_W * m.opModFixedW / 100)
  if (watts !== undefined && start !== undefined && duration !== undefined) out.push(profile(watts, m.opModEnergize === false, { start, duration, evseId, profileId, stackLevel }))
  return out
}

const curveOf = (c: Curve): object => ({
  yUnit: unitOf(c.yRefType), curveData: c.points, ...(c.openLoop_s === undefined ? {} : { responseTime: c.openLoop_s }),
  ...(c.vRef === undefined ? {} : { reactivePowerParams: { vRef: c.vRef, ...(c.autonomousVRefEnable === undefined ? {} : { autonomousVRefEnable: c.autonomousVRefEnable }) } }),
})

const droopOf = ({ openLoop_s, ...rest }: NonNullable<DerModes['opModFreqDroop']>): object => ({ ...rest, responseTime: openLoop_s })

function enterService(m: DerModes): object | undefined {
  if (m.setESHighVolt === undefined || m.setESLowVolt === undefined || m.setESHighFreq === undefined || m.setESLowFreq === undefined) return undefined
  return {
    highVoltage: m.setESHighVolt, lowVoltage: m.setESLowVolt, highFreq: m.setESHighFreq, lowFreq: m.setESLowFreq,
    ...(m.setESDelay === undefined ? {} : { delay: m.setESDelay }), ...(m.setESRandomDelay === undefined ? {} : { randomDelay: m.setESRandomDelay }), ...(m.setESRampTms === undefined ? {} : { rampRate: m.setESRampTms }),
  }
}

/** A set-point for both directions, or, for a charging point that must not be energized, a limit of 0 in both. */
function profile(watts: number, off: boolean, { start, duration, evseId, profileId, stackLevel }: { start: number; duration: number; evseId: number; profileId: number; stackLevel: number }): Message {
  const period = off ? { startPeriod: 0, operationMode: 'ExternalLimits', limit: 0, dischargeLimit: 0 } : { startPeriod: 0, operationMode: 'CentralSetpoint', setpoint: watts }
  return {
    action: 'SetChargingProfile',
    payload: { evseId, chargingProfile: {
      id: profileId, stackLevel, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', validTo: isoMs((start + duration + 60) * 1000),
      chargingSchedule: [{ id: profileId, startSchedule: isoMs(start * 1000), duration, chargingRateUnit: 'W', chargingSchedulePeriod: [period] }],
    } },
  }
}
