import { ledgerDocument, type LedgerEntry } from '#csms/smart-charging/ledger.js'
import type { ChargingProfile } from '#csms/wire/charging-profile.js'
import type { Payload } from '#csms/rpc/outgoing.js'
import { as2x, type Profile16 } from '#csms/rule/rules-16.js'
import type { Effect } from './effect.js'

/** Profiles that an operator sends by hand are in the ledger too, so that ours never collide with them (OCPP-184, 200). */
export const setChargingProfile: Effect = async (station, request, answer, { journal, clock }) => {
  if (answer.status !== 'Accepted') return
  const old = station.session.version === '1.6', profile = old ? as2x(request.csChargingProfiles as Profile16) : request.chargingProfile as ChargingProfile
  const entry: LedgerEntry = { id: profile.id, evseId: (old ? request.connectorId : request.evseId) as number, profile, state: 'installed', changedAt: clock.nowMs() }
  station.ledger.set(profile.id, entry)
  await journal.write([ledgerDocument(station.tenant, station.identity, entry)])
}

const criteria16 = ({ connectorId, stackLevel, chargingProfilePurpose }: Payload): object => ({
  evseId: connectorId, stackLevel, chargingProfilePurpose: chargingProfilePurpose === 'ChargePointMaxProfile' ? 'ChargingStationMaxProfile' : chargingProfilePurpose,
})

export const clearChargingProfile: Effect = async (station, request, answer, { journal, clock }) => {
  if (answer.status !== 'Accepted' && answer.status !== 'Unknown') return
  const id = request.chargingProfileId ?? request.id
  const c = (request.chargingProfileCriteria ?? (station.session.version === '1.6' ? criteria16(request) : {})) as { evseId?: number; stackLevel?: number; chargingProfilePurpose?: string }
  const gone = [...station.ledger.values()].filter((e) => e.state === 'installed' && (id !== undefined ? e.id === id
    : (c.evseId ?? e.evseId) === e.evseId && (c.stackLevel ?? e.profile.stackLevel) === e.profile.stackLevel
      && (c.chargingProfilePurpose ?? e.profile.chargingProfilePurpose) === e.profile.chargingProfilePurpose))
  for (const e of gone) {
    e.state = 'gone'
    e.changedAt = clock.nowMs()
  }
  if (gone.length > 0) await journal.write(gone.map((e) => ledgerDocument(station.tenant, station.identity, e)))
}

/** K28 (OCPP-262): the values that a pushed update carries are those that the station may also pull. */
export const updateDynamicSchedule: Effect = async (station, request, answer, { journal }) => {
  const entry = station.ledger.get(request.chargingProfileId as number)
  if (answer.status !== 'Accepted' || !entry) return
  entry.dynamic = request.scheduleUpdate as object
  await journal.write([ledgerDocument(station.tenant, station.identity, entry)])
}
