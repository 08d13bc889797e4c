import type { Station } from '#csms/station.js'
import type { ChargingProfile, ChargingSchedule } from '#csms/wire/charging-profile.js'
import { profileChecks } from './charging-profile.js'
import { when, type Check, type RuleFacts } from './rule.js'

export interface Profile16 extends Omit<ChargingProfile, 'id' | 'chargingSchedule' | 'transactionId' | 'chargingProfilePurpose'> {
  readonly chargingProfileId: number
  readonly chargingProfilePurpose: string
  readonly transactionId?: number
  readonly chargingSchedule: Omit<ChargingSchedule, 'id'>
}

/** The profile in words of 2.x, so that one set of rules holds for both (OCPP §17). */
export function as2x({ chargingProfileId: id, chargingProfilePurpose, transactionId, chargingSchedule, ...rest }: Profile16): ChargingProfile {
  return {
    ...rest, id, chargingProfilePurpose: (chargingProfilePurpose === 'ChargePointMaxProfile' ? 'ChargingStationMaxProfile' : chargingProfilePurpose) as ChargingProfile['chargingProfilePurpose'],
    ...(transactionId === undefined ? {} : { transactionId: String(transactionId) }), chargingSchedule: [{ id: 1, ...chargingSchedule }],
  }
}

/** 1.6 5.16 (OCPP-251): TxProfile only with an active transaction, and what K01 says beyond that. */
export const setChargingProfileRule16 = (station: Station, r: { connectorId: number; csChargingProfiles: Profile16 }, facts: RuleFacts): Check[] =>
  profileChecks(station, r.connectorId, as2x(r.csChargingProfiles), facts)

/** 1.6 5.11: a profile that goes with a remote start is a TxProfile without transactionId. */
export const remoteStartTransactionRule16 = (station: Station, r: { connectorId?: number; chargingProfile?: Profile16 }, facts: RuleFacts): Check[] =>
  (r.chargingProfile ? profileChecks(station, r.connectorId ?? 0, as2x(r.chargingProfile), facts, true) : [])

/** 1.6 5.15. */
export function sendLocalListRule16(station: Station, r: { listVersion: number; localAuthorizationList?: { idTag: string }[] }): Check[] {
  const tags = (r.localAuthorizationList ?? []).map((e) => e.idTag.toLowerCase())
  return [
    ...when(r.listVersion <= station.record.counters.localList, 'OCPP-120', 'listVersion is above 0 and rises with each list'),
    ...when(new Set(tags).size < tags.length, 'OCPP-120', 'an idTag is in the list twice'),
  ]
}
