import type { Station } from '#csms/station.js'
import type { ChargingProfile } from '#csms/wire/charging-profile.js'
import type { IdToken } from '#csms/wire/transaction-event.js'
import { profileChecks } from './charging-profile.js'
import { when, type Check, type RuleFacts } from './rule.js'

const several = (station: Station): boolean => station.evses().length > 1

/** F01 (OCPP-116, 150). */
export function requestStartTransactionRule(station: Station, r: { evseId?: number; groupIdToken?: IdToken; idToken: IdToken; chargingProfile?: ChargingProfile }, facts: RuleFacts): Check[] {
  const master = facts.masterGroup?.toLowerCase()
  return [
    ...when(r.evseId === undefined && several(station), 'OCPP-150', 'a station with several EVSEs needs evseId'),
    ...when(r.evseId !== undefined && r.evseId <= 0, 'F01.FR.09', 'evseId is above 0'),
    ...when(master !== undefined && master !== '' && [r.groupIdToken?.idToken, facts.tokenGroup].some((group) => group?.toLowerCase() === master), 'OCPP-116', 'the master pass group starts nothing'),
    ...(r.chargingProfile ? profileChecks(station, r.evseId ?? 0, r.chargingProfile, facts, true) : []),
  ]
}

/** F06.FR.13 (OCPP-154). */
export const triggerMessageRule = (_station: Station, r: { requestedMessage: string; evse?: { id: number; connectorId?: number } }): Check[] =>
  when(r.requestedMessage === 'StatusNotification' && r.evse !== undefined && r.evse.connectorId === undefined, 'F06.FR.13', 'StatusNotification of an EVSE needs connectorId')

/** H01 (OCPP-165). */
export const reserveNowRule = (station: Station, r: { evseId?: number }): Check[] =>
  when(r.evseId === undefined && station.actual('ReservationCtrlr', 'NonEvseSpecific') === 'false', 'H01.FR.18', 'this station reserves single EVSEs only')

/** D01 (OCPP-120). */
export function sendLocalListRule(station: Station, r: { versionNumber: number; localAuthorizationList?: { idToken: IdToken }[] }): Check[] {
  const keys = (r.localAuthorizationList ?? []).map((e) => `${e.idToken.idToken.toLowerCase()}|${e.idToken.type}`)
  return [
    ...when(r.versionNumber <= 0, 'D01.FR.18', 'versionNumber is above 0'),
    ...when(r.versionNumber > 0 && r.versionNumber <= station.record.counters.localList, 'OCPP-120', 'versionNumber rises with each list'),
    ...when(new Set(keys).size < keys.length, 'D01.FR.10', 'an idToken is in the list twice'),
  ]
}
