import { isRefusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Insist } from '#csms/insist.js'
import type { CsmsConfig } from '#csms/config.js'
import type { Journal } from '#csms/journal.js'
import { CallFailed } from '#csms/rpc/error-code.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import { clearChargingProfile, setChargingProfile } from './dialect.js'
import { ledgerDocument, type LedgerEntry } from './ledger.js'

export type Verdict = { kind: 'accepted' } | { kind: 'rejected'; reason: string; final: boolean } | { kind: 'noComms'; reason: string } | { kind: 'withdrawn' }

/** One profile to a station, or back from it, with the ledger kept on the way (OCPP-200). */
export interface HandOver {
  save(station: Station, ...entries: LedgerEntry[]): Promise<void>
  /** Sends one profile. A silent station is asked again; an absent one gets it when it is back. */
  set(station: Station, entry: LedgerEntry): Promise<Verdict>
  /** OCPP-194, 235: takes it back by id, first in line; false when the station did not answer. */
  clear(station: Station, entry: LedgerEntry): Promise<boolean>
  isClearing(entry: LedgerEntry): boolean
}

/** A silent station is known as such within half a minute, so that its share can go to others (OCPP-239). */
const attempts = 3, patience_ms = 9000

/** What a failed call means; undefined: try again. */
function judge(error: unknown, attempt: number): Verdict | undefined {
  if (isRefusal(error)) return { kind: 'rejected', reason: error.message, final: false }
  if (!(error instanceof CallFailed)) throw error
  switch (error.reason) {
    case 'closed': return undefined
    case 'timeout': return attempt < attempts ? undefined : { kind: 'noComms', reason: 'no answer' }
    case 'expired': case 'full': return { kind: 'noComms', reason: error.message }
    case 'replaced': return { kind: 'withdrawn' }
    case 'InvalidResponse': return { kind: 'rejected', reason: 'InvalidResponse', final: true }
    // OCPP-191: no smart charging at all.
    case 'station': return { kind: 'rejected', reason: error.code, final: error.code === 'NotSupported' || error.code === 'NotImplemented' }
  }
}

/** Something else took the entry's place, or it is being taken back. */
const over = (station: Station, entry: LedgerEntry): boolean => station.ledger.get(entry.id) !== entry || entry.state === 'clearing' || entry.state === 'gone'

/** The server itself is closing: nothing is asked again. */
const closing = (error: CallFailed): boolean => error.message === 'the server is closing'

export function handOver({ clock, journal, config, insist }: { clock: Clock; journal: Journal; config: CsmsConfig; insist: Insist }): HandOver {
  const clearing = new WeakSet<LedgerEntry>()

  const save = (station: Station, ...entries: LedgerEntry[]): Promise<void> => {
    for (const entry of entries) entry.changedAt = clock.nowMs()
    return journal.write(entries.map((e) => ledgerDocument(station.tenant, station.identity, e)))
  }

  /** What the station answered is not said again: it is kept as soon as the store takes it. */
  const surely = (station: Station, entry: LedgerEntry): Promise<void> => insist(`profile ${station.key} ${entry.id}`, () => save(station, entry), 'charging profile')

  /**
   * OCPP-203: an accepted profile is not restated within 30 s (2.1: `UpdateRateLimit`), as stations write it to flash. What a
   * station refused is asked in another way at once. The newest restatement is the one that goes when the time is over.
   */
  async function calm(station: Station, entry: LedgerEntry): Promise<void> {
    const told = Number(station.actual('SmartChargingCtrlr', 'UpdateRateLimit'))
    const every = station.session.version === '2.1' && told > 0 ? told : config.profileEvery_s
    const wait = entry.acceptedAt === undefined ? 0 : entry.acceptedAt + every * 1000 - clock.nowMs()
    if (wait > 0) await new Promise<void>((over) => { clock.after(wait, over) })
  }

  async function settle(station: Station, entry: LedgerEntry, answer: Record<string, unknown>): Promise<Verdict> {
    const info = answer.statusInfo as { reasonCode?: string } | undefined
    entry.state = answer.status === 'Accepted' ? 'installed' : 'rejected'
    if (entry.state === 'installed') entry.acceptedAt = clock.nowMs()
    if (entry.state === 'rejected') entry.reason = info?.reasonCode ?? String(answer.status)
    await surely(station, entry)
    if (entry.state === 'installed') return { kind: 'accepted' }
    // 1.6: NotSupported is about the purpose, so the ladder goes on.
    return { kind: 'rejected', reason: entry.reason ?? 'Rejected', final: false }
  }

  async function set(station: Station, entry: LedgerEntry): Promise<Verdict> {
    let late: Record<string, unknown> | undefined
    for (let attempt = 1; ; attempt += 1) {
      try {
        await calm(station, entry)
        if (over(station, entry)) return { kind: 'withdrawn' }
        entry.sentAt = clock.nowMs()
        const answer = await station.session.call('SetChargingProfile', setChargingProfile(station.session.version, entry.evseId, entry.profile), {
          priority: 'dispatch', key: `profile ${entry.id}`, offline: 'wait', timeoutMs: Math.min(config.callTimeoutMs, patience_ms), late: (answer) => { late = answer }, ...(entry.deadline === undefined ? {} : { deadline: entry.deadline }),
        })
        if (over(station, entry)) return { kind: 'withdrawn' }
        return await settle(station, entry, answer)
      } catch (error) {
        if (over(station, entry)) return { kind: 'withdrawn' }
        // OCPP-052: what a slow station said too late still counts.
        if (late && error instanceof CallFailed && error.reason === 'timeout') return settle(station, entry, late)
        const verdict = judge(error, attempt)
        if (!verdict) continue
        if (verdict.kind !== 'withdrawn') {
          entry.state = verdict.kind === 'rejected' ? 'rejected' : 'gone'
          if ('reason' in verdict) entry.reason = verdict.reason
          await surely(station, entry)
        }
        return verdict
      }
    }
  }

  async function ask(station: Station, entry: LedgerEntry): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await station.session.call('ClearChargingProfile', clearChargingProfile(station.session.version, entry.id), {
          priority: 'cancel', key: `profile ${entry.id}`, offline: 'wait', deadline: stampMs(entry.profile.validTo ?? '9999-01-01T00:00:00Z'),
        })
        break
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error
        if (error.reason === 'closed' && !closing(error)) continue
        if (error.reason === 'timeout' && attempt < attempts) continue
        // It ends by itself at validTo; a silent station is asked again when it comes back.
        if (error.reason !== 'expired' && error.reason !== 'station') return false
        break
      }
    }
    if (station.ledger.get(entry.id) === entry) {
      entry.state = 'gone'
      await surely(station, entry)
    }
    return true
  }

  return {
    save, set,
    isClearing: (entry) => clearing.has(entry),
    async clear(station, entry) {
      entry.state = 'clearing'
      clearing.add(entry)
      try {
        await save(station, entry)
        return await ask(station, entry)
      } finally {
        clearing.delete(entry)
      }
    },
  }
}
