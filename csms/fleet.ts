import { LRUCache } from 'lru-cache'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { loadDeviceModel } from './message/notify-report.js'
import { Session, type SessionNeeds } from './rpc/session.js'
import type { LedgerEntry } from './smart-charging/ledger.js'
import { keyOf, newRecord, Station, type StationRecord } from './station.js'
import { isoMs } from './time.js'
import type { Transaction } from './transaction.js'

/** All stations that this process knows. */
export interface Fleet {
  find(tenant: string, identity: string): Promise<Station | undefined>
  /** The station of a session of ours. */
  of(session: Session): Station
  /** A station that was just provisioned, or provisioned anew. */
  put(tenant: string, identity: string, record: StationRecord): Station
  forget(tenant: string, identity: string): void
  /** Another process has the station now: what waits here for it is its business, and what is known here is old. */
  moved(key: string): void
  /** The station as it is stored, when what is known here may be old. */
  fresh(tenant: string, identity: string): Promise<Station | undefined>
  /** Notes a new connection; true when it is the first one since this process started. */
  connected(station: Station, address: string, replaced: boolean): boolean
  online(): Station[]
  /** All that this process knows, absent ones included. */
  known(): Station[]
}

export function fleet({ documents, log, clock, session }: { documents: DocumentStore; log: Log; clock: Clock; session: SessionNeeds }): Fleet {
  const known = new Map<string, Station>()
  const bySession = new WeakMap<Session, Station>()
  const loading = new Map<string, Promise<Station | undefined>>()
  /** Ids that are not registered, so that a flood of them costs no queries. */
  const absent = new LRUCache<string, number>({ max: 10_000 })
  const connectedBefore = new WeakSet<Station>()

  function put(tenant: string, identity: string, record: StationRecord): Station {
    const key = keyOf(tenant, identity), before = known.get(key)
    absent.delete(key)
    if (before) {
      Object.assign(before.record, record)
      return before
    }
    const station = new Station(tenant, identity, record, new Session(identity, session))
    station.session.dropNulls = record.dropNulls ?? false
    if (record.boot) station.session.speaks(record.boot.version)
    bySession.set(station.session, station)
    known.set(key, station)
    return station
  }

  async function load(tenant: string, identity: string): Promise<Station | undefined> {
    const key = keyOf(tenant, identity)
    const stored = await documents.get<StationRecord>(tenant, 'csms/Station', identity)
    if (!stored) {
      absent.set(key, documents.revision(tenant, 'csms/Station'))
      return undefined
    }
    const [running, ledger] = await Promise.all([
      documents.list<Transaction>(tenant, { kind: 'csms/Transaction', parent: identity, sort2From: 0, sort2To: 0 }),
      documents.list<LedgerEntry>(tenant, { kind: 'csms/ChargingProfile', parent: identity }),
    ])
    const station = put(tenant, identity, newRecord(stored.body))
    for (const { body } of running) {
      if (!body.ended && !station.transactions.has(body.id)) {
        station.transactions.set(body.id, body)
        if (body.needs && body.evseId !== undefined) station.needs.set(body.evseId, body.needs)
      }
    }
    for (const { body } of ledger) if (!station.ledger.has(body.id)) station.ledger.set(body.id, body)
    await loadDeviceModel(station, documents)
    return station
  }

  async function find(tenant: string, identity: string): Promise<Station | undefined> {
    const key = keyOf(tenant, identity), here = known.get(key)
    if (here) return here
    if (absent.get(key) === documents.revision(tenant, 'csms/Station')) return undefined
    let promise = loading.get(key)
    if (!promise) {
      promise = load(tenant, identity).finally(() => loading.delete(key))
      loading.set(key, promise)
    }
    return promise
  }

  function moved(key: string): void {
    const station = known.get(key)
    if (!station) return
    known.delete(key)
    station.session.end('replaced')
    station.ledger.clear()
  }

  return {
    put, find, moved,
    of: (s) => bySession.get(s) as Station,
    fresh(tenant, identity) {
      const key = keyOf(tenant, identity)
      if (known.get(key)?.session.online === false) moved(key)
      return find(tenant, identity)
    },
    forget(tenant, identity) {
      const key = keyOf(tenant, identity)
      known.get(key)?.session.end()
      known.delete(key)
    },
    connected(station, address, replaced) {
      const now = clock.nowMs()
      station.onlineSince = now
      station.address = address
      if (replaced) {
        station.replacements = [...(station.replacements ?? []).filter((at) => at > now - 600_000), now]
        log.info({ station: station.identity, address, clause: 'OCPP-011' }, 'connection replaced')
        if (station.replacements.length > 5) {
          station.flag(isoMs(now), 'more than 5 take-overs in 10 minutes')
          log.warn({ station: station.identity, address, alarm: true, clause: 'OCPP-011' }, 'more than 5 take-overs in 10 minutes')
        }
      }
      const first = !connectedBefore.has(station)
      connectedBefore.add(station)
      log.debug({ station: station.identity, profile: station.profileInUse }, 'connected')
      return first
    },
    known: () => [...known.values()],
    online: () => [...known.values()].filter((s) => s.session.online),
  }
}
