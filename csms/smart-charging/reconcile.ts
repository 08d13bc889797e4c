import type { Log } from '#core/port/log.js'
import type { Parts } from '#csms/parts.js'
import type { Station } from '#csms/station.js'
import type { Installer, Reported } from './installer.js'

const purposes = ['ChargingStationMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const

/**
 * Asks a station for its profiles by purpose and lets the installer put right what differs (OCPP-201). 1.6 cannot be asked:
 * there the ledger is the only record.
 */
export function reconciler({ parts, log, installer, nowMs }: { parts: Parts; log: Log; installer: Installer; nowMs: () => number }): (station: Station) => Promise<Reported[] | undefined> {
  return async (station) => {
    if (station.session.version === '1.6') return undefined
    station.comparedAt = nowMs()
    const reported: Reported[] = []
    for (const chargingProfilePurpose of purposes) {
      const requestId = (station.record.counters.request += 1)
      const report = parts.expect(station, 'ReportChargingProfiles', requestId)
      const answer = await station.session.call('GetChargingProfiles', { requestId, chargingProfile: { chargingProfilePurpose } }, { priority: 'housekeeping' })
      if (answer.status !== 'Accepted') continue
      const { state, items } = await report
      if (state !== 'complete') {
        log.info({ station: station.identity, state, clause: 'OCPP-193' }, 'the profile report is not complete')
        return undefined
      }
      reported.push(...items as Reported[])
    }
    station.reportedIds = new Set(reported.map((r) => r.profile.id))
    const foreign = await installer.reconcile(station, reported)
    station.foreign = foreign
    return foreign
  }
}
