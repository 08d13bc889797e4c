import { isoMs } from '#csms/time.js'
import { store, type Effect } from './effect.js'

/** OCPP-041: the first connection at the higher profile will make it the only one. */
export const setNetworkProfile: Effect = async (station, request, answer, needs) => {
  if (answer.status !== 'Accepted') return
  const { securityProfile } = request.connectionData as { securityProfile: number }
  const { record } = station
  const downgrade = securityProfile === 2 && record.securityProfiles.includes(3)
  if (securityProfile <= Math.min(...record.securityProfiles) && !downgrade) return
  record.upgradingTo = securityProfile
  await store(station, needs)
}

/** OCPP-099: the boot that must follow is compared with it. */
export const reset: Effect = async (station, request, answer, needs) => {
  const { evseId } = request as { evseId?: number }
  station.record.reset = { at: isoMs(needs.clock.nowMs()), type: String(request.type), status: String(answer.status), ...(evseId === undefined ? {} : { evseId }) }
  await store(station, needs)
}
