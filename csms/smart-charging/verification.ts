import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { CsmsConfig } from '#csms/config.js'
import type { Journal } from '#csms/journal.js'
import type { Station } from '#csms/station.js'
import { isoMs, stampMs } from '#csms/time.js'
import type { ChargingSchedulePeriod, RateUnit } from '#csms/wire/charging-profile.js'
import { electricalOf } from './capability.js'
import { effectiveLimit } from './composite.js'
import { wattsOf } from './convert.js'
import { getCompositeSchedule } from './dialect.js'
import { ledgerDocument, live, type LedgerEntry } from './ledger.js'

export interface CompositeSchedule {
  readonly scheduleStart: string
  readonly duration: number
  readonly chargingRateUnit: RateUnit
  readonly chargingSchedulePeriod: readonly ChargingSchedulePeriod[]
}

/**
 * Where the station's own composite allows more than our ledger says, by more than 1 % or 100 W for more than 60 s (OCPP-202).
 * A lower limit is no mismatch: a profile or cap that is not ours may bind. Epoch ms of the first such moment, or undefined.
 */
export function mismatch(schedule: CompositeSchedule, ours: (at: number) => number | undefined, electrical: { voltage: number; phases: number; current: 'AC' | 'DC' }): number | undefined {
  const start = stampMs(schedule.scheduleStart), end = start + schedule.duration * 1000
  let since: number | undefined
  for (let at = start; at <= end; at += 30_000) {
    const period = schedule.chargingSchedulePeriod.findLast((p) => start + p.startPeriod * 1000 <= at)
    const theirs = period === undefined ? undefined : schedule.chargingRateUnit === 'W' ? period.limit
      : wattsOf(period.limit, { ...electrical, phases: period.numberPhases ?? electrical.phases })
    const mine = ours(at)
    const off = mine !== undefined && at < end && (theirs === undefined || theirs > mine + Math.max(100, mine * 0.01))
    if (!off) since = undefined
    else since ??= at
    if (since !== undefined && at - since > 60_000) return since
  }
  return undefined
}

/** One GetCompositeSchedule for each accepted event profile, as evidence; in a large fleet for a share of them (OCPP-237). */
export function verification({ clock, log, journal, config, fleetSize }: { clock: Clock; log: Log; journal: Journal; config: CsmsConfig; fleetSize(): number }): { readBack(station: Station, entry: LedgerEntry): void } {
  let turn = 0

  async function readBack(station: Station, entry: LedgerEntry): Promise<void> {
    const schedule = entry.profile.chargingSchedule[0]
    if (!schedule || schedule.startSchedule === undefined || !station.session.online) return
    const until = stampMs(schedule.startSchedule) + (schedule.duration ?? 0) * 1000
    const duration = Math.min(86_400, Math.ceil((until - clock.nowMs()) / 1000))
    if (duration <= 60) return
    const answer = await station.session.call('GetCompositeSchedule', getCompositeSchedule(station.session.version, entry.evseId, duration, schedule.chargingRateUnit),
      { priority: 'housekeeping', deadline: clock.nowMs() + 60_000 })
    const told = (answer.schedule ?? (answer.chargingSchedule && { ...answer.chargingSchedule as object, scheduleStart: answer.scheduleStart, duration })) as CompositeSchedule | undefined
    if (answer.status !== 'Accepted' || !told?.scheduleStart) return
    const electrical = electricalOf(station, entry.evseId), transactionId = station.running(entry.evseId)?.id
    const installed = [...station.ledger.values()].filter(live)
    const at = mismatch(told, (ms) => effectiveLimit(installed, ms, { evseId: entry.evseId, electrical, ...(transactionId === undefined ? {} : { transactionId }) }), electrical)
    if (at === undefined) return
    entry.mismatch = isoMs(at)
    station.flag(isoMs(clock.nowMs()), `compositeMismatch from ${isoMs(at)}`)
    log.warn({ station: station.identity, profile: entry.id, at: isoMs(at), clause: 'OCPP-202' }, 'compositeMismatch')
    await journal.write([ledgerDocument(station.tenant, station.identity, entry)])
  }

  return {
    readBack(station, entry) {
      // Every n-th instead of a die: the share is exact and runs repeat.
      turn += config.compositeShare > 0 && fleetSize() <= 1000 ? 1 : config.compositeShare
      if (turn < 1) return
      turn -= 1
      readBack(station, entry).catch((error: unknown) => log.info({ cause: String(error), station: station.identity, clause: 'OCPP-237' }, 'no composite schedule'))
    },
  }
}
