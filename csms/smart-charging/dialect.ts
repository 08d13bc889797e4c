import type { ChargingProfile, ChargingSchedule } from '#csms/wire/charging-profile.js'
import type { Version } from '#csms/rpc/version.js'
import { purposes16 } from './purpose.js'

/** SetChargingProfile in the words of the connection's version; 1.6 has one schedule object, tenths, and integer transaction ids (OCPP §17). */
export function setChargingProfile(version: Version, evseId: number, profile: ChargingProfile): object {
  if (version !== '1.6') return { evseId, chargingProfile: profile }
  const { id, chargingSchedule, chargingProfilePurpose, transactionId, maxOfflineDuration: _1, invalidAfterOfflineDuration: _2, ...rest } = profile
  const { id: _, salesTariff: __, ...schedule } = chargingSchedule[0] as ChargingSchedule & { salesTariff?: unknown }
  return {
    connectorId: evseId,
    csChargingProfiles: {
      ...rest, chargingProfileId: id,
      chargingProfilePurpose: purposes16[chargingProfilePurpose as keyof typeof purposes16],
      ...(transactionId === undefined ? {} : { transactionId: Number(transactionId) }),
      chargingSchedule: { ...schedule, chargingSchedulePeriod: schedule.chargingSchedulePeriod.map(({ startPeriod, limit, numberPhases }) => ({
        startPeriod, limit: Math.floor(limit * 10 + 1e-9) / 10, ...(numberPhases === undefined ? {} : { numberPhases }),
      })) },
    },
  }
}

export const clearChargingProfile = (version: Version, id: number): object => (version === '1.6' ? { id } : { chargingProfileId: id })

export const getCompositeSchedule = (version: Version, evseId: number, duration: number, unit: 'W' | 'A'): object =>
  (version === '1.6' ? { connectorId: evseId, duration, chargingRateUnit: unit } : { evseId, duration, chargingRateUnit: unit })
