import type { Log } from '#core/port/log.js'
import type { Station } from '#csms/station.js'
import { capabilityOf } from './capability.js'
import { limitOf } from './convert.js'
import type { Installer, Reported } from './installer.js'
import { live, type LedgerEntry } from './ledger.js'
import { stackLevel } from './purpose.js'

/**
 * The fail-safe (OCPP-245): one TxDefaultProfile at stack 0 for all EVSEs, the contractual normal limit, without validTo: what
 * rules when nothing else does. Sent once; the ledger knows it afterwards.
 */
export async function installBaseline(station: Station, installer: Installer, log: Log, compare: (station: Station) => Promise<readonly Reported[] | undefined>): Promise<void> {
  const { normalLimit_W: W } = station.record
  if (W === undefined) return
  if (await place(station, installer, log, W)) await verify(station, log, compare)
}

const baselineOf = (station: Station): LedgerEntry | undefined => [...station.ledger.values()].find((e) => live(e) && e.profile.stackLevel === 0
  && e.profile.chargingProfilePurpose === 'TxDefaultProfile' && e.evseId === 0)

/** The station becomes controllable when it says itself that the baseline is there; 1.6 cannot say so, there Accepted counts. */
async function verify(station: Station, log: Log, compare: (station: Station) => Promise<readonly Reported[] | undefined>): Promise<void> {
  if (station.session.version !== '1.6' && await compare(station) === undefined) return log.warn({ station: station.identity, clause: 'OCPP-245' }, 'the baseline is not verified')
  const there = baselineOf(station)
  station.record.controllable = there?.state === 'installed' && (station.session.version === '1.6' || station.reportedIds.has(there.id))
}

async function place(station: Station, installer: Installer, log: Log, W: number): Promise<boolean> {
  if (baselineOf(station)) return true
  const { units, stackLevel: L } = capabilityOf(station, 0)
  const unit = units.length === 0 || units.includes('W') ? 'W' : 'A'
  const taken = await installer.install(station, 0, {
    stackLevel: stackLevel('baseline', L), chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
    chargingSchedule: [{
      id: 1, startSchedule: '2020-01-01T00:00:00.000Z', chargingRateUnit: unit,
      chargingSchedulePeriod: [{ startPeriod: 0, limit: limitOf(W, unit, { voltage: station.record.voltage, phases: station.record.phases, current: 'AC' }) }],
    }],
  })
  if (!taken) log.warn({ station: station.identity, clause: 'OCPP-245' }, 'the station took no baseline')
  return taken
}
