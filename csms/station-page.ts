import type { Recorder } from './rpc/recorder.js'
import type { Station } from './station.js'
import { isoMs } from './time.js'
import { energyOf, missing, type Transaction } from './transaction.js'

/** What a station page shows: state, profiles wanted and installed, why not, last frames both ways (issue E, 6). */
export function view(station: Station): object {
  const { record, session } = station
  return {
    id: station.identity, online: session.online, version: session.online || record.boot ? session.version : null, securityProfiles: record.securityProfiles, profileInUse: station.profileInUse,
    registration: record.registration, approved: record.approved, boot: record.boot ?? null, serialNumber: record.serialNumber ?? null,
    lastSeen: session.lastSeenMs === 0 ? null : isoMs(session.lastSeenMs), onlineSince: station.onlineSince === undefined ? null : isoMs(station.onlineSince),
    connectors: record.connectors, wanted: record.wanted, caps: record.caps, flags: record.flags, waiting: session.waiting,
    reservations: record.reservations, progress: record.progress, monitors: record.monitors, reset: record.reset ?? null, migrating: record.migrating ?? null,
    controllable: record.controllable ?? false, triggered: Object.fromEntries([...station.triggered].map(([message, { at, state }]) => [message, { at: isoMs(at), state }])),
    remoteStarts: [...station.remoteStarts].map(([id, { at, state }]) => ({ id, at: isoMs(at), state })),
  }
}

const profileView = (station: Station): object[] => [...station.ledger.values()].map((e) => ({
  id: e.id, evseId: e.evseId, state: e.state, reason: e.reason ?? null, delivery: e.delivery ?? null, mismatch: e.mismatch ?? null, profile: e.profile,
}))

export const transactionView = (t: Transaction): object => ({
  id: t.id, evseId: t.evseId ?? null, startedAt: isoMs(t.startedAt), endedAt: t.endedAt === undefined ? null : isoMs(t.endedAt), ended: t.ended,
  complete: t.complete, orphaned: t.orphaned, chargingState: t.chargingState ?? null, stoppedReason: t.stoppedReason ?? null,
  remoteStartId: t.remoteStartId ?? null, reservationId: t.reservationId ?? null, energy_Wh: energyOf(t) ?? null, timeSpentCharging: t.timeSpentCharging ?? null, cost: t.cost ?? null, deauthorised: t.deauthorised, missing: missing(t), flags: t.flags,
})

export const stationPage = (station: Station, recorder: Recorder): object => ({
  ...view(station), profiles: profileView(station), foreignProfiles: station.foreign, transactions: [...station.transactions.values()].map(transactionView),
  frames: recorder.of(station.key, 20).map((f) => ({ ...f, at: isoMs(f.at) })),
})
