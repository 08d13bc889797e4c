import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { CommandResult } from './command.js'
import type { Station } from './station.js'
import { isoMs } from './time.js'
import { patience_ms, type Untold } from './untold.js'

const day = 86_400_000
/** When a station that is back is asked for its queue, and how often one that has messages in it, ms. */
const queueFirst_ms = 60_000, queueAgain_ms = 300_000
/** Used until the station says how often it speaks in a transaction. */
const usualInterval_s = 300, usualConnection_s = 60

const seconds = (station: Station, component: string, name: string, old: string, usual: number): number => {
  const n = Number(station.actual(component, name) ?? station.actual('1.6', old))
  return Number.isFinite(n) && n > 0 ? n : usual
}

/** Looks once a minute for what no message tells: silence, starts that never came, certificates about to end. */
export function watch({ clock, log, online, command, compare, untold, asksForQueue }: {
  clock: Clock; log: Log; untold: Untold
  /** Whether stations are asked for their queues unbidden; not in certification runs. */
  asksForQueue: boolean
  compare(station: Station): void
  online(): Station[]
  command(station: string, action: string, payload: object, tenant: string): Promise<CommandResult>
}): { look(): void } {
  const ask = (station: Station, action: string, payload: object, clause: string): void => {
    command(station.identity, action, payload, station.tenant).then(
      (result) => log.info({ station: station.identity, action, result: result.kind, clause }, 'asked'),
      (error: unknown) => log.error({ err: error, station: station.identity, action, clause }, 'could not ask'))
  }

  /** OCPP-143: an open transaction that says nothing for three intervals, at a station that is here. */
  function silent(station: Station, now: number): void {
    const patience = 3000 * seconds(station, 'SampledDataCtrlr', 'TxUpdatedInterval', 'MeterValueSampleInterval', usualInterval_s)
    for (const t of station.transactions.values()) {
      if (t.ended || t.orphaned || t.evseId === undefined || now - Math.max(t.heardAt ?? t.startedAt, station.onlineSince ?? 0) < patience) continue
      // One question for each such silence.
      t.heardAt = now
      if (station.session.version === '1.6') ask(station, 'TriggerMessage', { requestedMessage: 'MeterValues', connectorId: t.evseId }, 'OCPP-143')
      else ask(station, 'TriggerMessage', { requestedMessage: 'TransactionEvent', evse: { id: t.evseId } }, 'OCPP-143')
    }
  }

  /** OCPP-151: Accepted, and then no transaction in EVConnectionTimeOut + 30 s. */
  function unstarted(station: Station, now: number): void {
    const patience = 1000 * (30 + seconds(station, 'TxCtrlr', 'EVConnectionTimeOut', 'ConnectionTimeOut', usualConnection_s))
    for (const [id, start] of station.remoteStarts) {
      if (start.state !== 'accepted' || now - start.at < patience) continue
      start.state = 'timedOut'
      station.flag(isoMs(now), `remote start ${id} timedOut`)
      log.info({ station: station.identity, remoteStartId: id, clause: 'OCPP-151' }, 'a remote start timed out')
    }
  }

  /** OCPP-039: renewal 45 days ahead, asked once a day. */
  function expiring(station: Station, now: number): void {
    const { certificate } = station
    if (!certificate || certificate.notAfterMs === Infinity || certificate.notAfterMs - now > 45 * day || now - (station.renewalAskedAt ?? -Infinity) < day) return
    station.renewalAskedAt = now
    if (station.session.version === '1.6') ask(station, 'ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' }, 'OCPP-039')
    else ask(station, 'TriggerMessage', { requestedMessage: 'SignChargingStationCertificate' }, 'OCPP-039')
  }

  /** OCPP-154: what was triggered comes within a minute, or not. */
  function untriggered(station: Station, now: number): void {
    for (const [message, t] of station.triggered) {
      if (t.state === 'awaited' && now - t.at >= 60_000) t.state = 'timedOut'
      else if (t.state !== 'awaited' && now - t.at > day) station.triggered.delete(message)
    }
  }

  /**
   * OCPP-141: a minute after it is back, a station on which something depends is asked whether it still has messages of transactions to send;
   * one that has is asked again until it has none. After a day they hold nothing up any more, until it was away once more.
   */
  function queued(station: Station, now: number): void {
    const since = station.record.messagesInQueueSince
    if (since !== undefined && now - Date.parse(since) >= patience_ms) {
      untold(station, false, now).catch((error: unknown) => log.error({ err: error, station: station.identity, clause: 'OCPP-141' }, 'not stored'))
      return
    }
    if (!asksForQueue || station.session.version === '1.6' || station.onlineSince === undefined) return
    const asked = station.queueAskedAt ?? -Infinity, back = asked < station.onlineSince && now - station.onlineSince >= queueFirst_ms
    const depends = since !== undefined || station.transactions.size > 0 || [...station.ledger.values()].some((e) => e.delivery !== undefined && e.state === 'installed')
    if (!(back && depends) && !(since !== undefined && now - asked >= queueAgain_ms)) return
    station.queueAskedAt = now
    ask(station, 'GetTransactionStatus', {}, 'OCPP-141')
  }

  /** OCPP-201: hourly, stations that hold profiles of ours are compared with the ledger. */
  function unsure(station: Station, now: number): void {
    if (now - (station.comparedAt ?? station.onlineSince ?? now) < 3_600_000 || ![...station.ledger.values()].some((e) => e.state === 'installed')) return
    compare(station)
  }

  const questions = [silent, unstarted, expiring, untriggered, queued, unsure]
  const look = (): void => {
    clock.after(60_000, look)
    const now = clock.nowMs()
    for (const station of online()) {
      if (station.record.registration !== 'accepted') continue
      // what goes wrong with one station is no reason to look at no other
      try { for (const question of questions) question(station, now) } catch (error) { log.error({ err: error, station: station.identity }, 'could not be looked at') }
    }
  }
  return { look }
}
