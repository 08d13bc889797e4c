import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Station } from '#csms/station.js'
import { isoMs } from '#csms/time.js'
import { capabilityOf, electricalOf } from './capability.js'
import { limitOf } from './convert.js'
import type { Installer } from './installer.js'
import { curtailed, live } from './ledger.js'
import { stackLevel } from './purpose.js'
import { shareSite, type Wish } from './site.js'

/** A share ends by itself, so a lost server leaves the fail-safe baseline (OCPP-245); it is renewed while more than a third is left. */
const lasts_s = 900, every_ms = 60_000

interface Share { W: number; until: number; changedAt: number }

const resting = new Set(['SuspendedEV', 'Idle', 'EVConnected'])

/**
 * OCPP-241: stations with the same `site` share its connection limit while no event runs there; balanced at most once a minute.
 * Interpretation: a car that is offline keeps what it was given last, until that ends; nobody else gets it.
 */
export function siteBalancer({ clock, log, stations, installer, assumedStackLevel }: {
  clock: Clock; log: Log; installer: Installer; assumedStackLevel: number
  stations(): Station[]
}): { balance(): Promise<void> } {
  const given = new Map<string, Share>()
  let busy = false

  async function give(station: Station, evseId: number, key: string, W: number): Promise<void> {
    const now = clock.now(), before = given.get(key)
    // Small changes are not worth a write to a station's flash; a falling share always is.
    if (before && before.until - now > lasts_s / 3 && (before.W === W || (W > before.W && W - before.W < 500))) return
    const capability = capabilityOf(station, assumedStackLevel), transaction = station.running(evseId)
    const unit = capability.units.length === 0 || capability.units.includes('W') ? 'W' : 'A'
    const tx = transaction && [...station.ledger.values()].some((e) => live(e) && e.delivery === undefined && e.profile.transactionId === transaction.id)
    const taken = await installer.install(station, evseId, {
      stackLevel: stackLevel('customer', capability.stackLevel), chargingProfileKind: 'Absolute',
      ...(tx ? { chargingProfilePurpose: 'TxProfile' as const, transactionId: transaction.id } : { chargingProfilePurpose: 'TxDefaultProfile' as const }),
      validFrom: isoMs(now * 1000), validTo: isoMs((now + lasts_s) * 1000),
      chargingSchedule: [{ id: 1, startSchedule: isoMs(now * 1000), duration: lasts_s, chargingRateUnit: unit,
        chargingSchedulePeriod: [{ startPeriod: 0, limit: limitOf(W, unit, electricalOf(station, evseId)) }] }],
    })
    if (!taken) return log.warn({ station: station.identity, evseId, clause: 'OCPP-241' }, 'the station took no share of its site')
    given.set(key, { W, until: now + lasts_s, changedAt: before && (before.W > 0) === (W > 0) ? before.changedAt : clock.nowMs() })
  }

  /** A Local Controller keeps its stations below the limit itself: the group's profile is the controller's own (OCPP-241). */
  async function controller(station: Station, limit_W: number): Promise<void> {
    const key = `${station.tenant} ${station.identity} site`, now = clock.now(), before = given.get(key)
    if (!station.session.online || curtailed(station, 0, clock.nowMs()) || (before && before.until - now > lasts_s / 3 && before.W === limit_W)) return
    const capability = capabilityOf(station, assumedStackLevel), unit = capability.units.length === 0 || capability.units.includes('W') ? 'W' : 'A'
    const taken = await installer.install(station, 0, {
      stackLevel: stackLevel('customer', capability.stackLevel), chargingProfilePurpose: 'ChargingStationMaxProfile', chargingProfileKind: 'Absolute',
      validFrom: isoMs(now * 1000), validTo: isoMs((now + lasts_s) * 1000),
      chargingSchedule: [{ id: 1, startSchedule: isoMs(now * 1000), duration: lasts_s, chargingRateUnit: unit,
        chargingSchedulePeriod: [{ startPeriod: 0, limit: limitOf(limit_W, unit, electricalOf(station, 0)) }] }],
    })
    if (taken) given.set(key, { W: limit_W, until: now + lasts_s, changedAt: clock.nowMs() })
    else log.warn({ station: station.identity, clause: 'OCPP-241' }, 'the local controller took no limit of its site')
  }

  async function site(members: readonly Station[], limit_W: number): Promise<void> {
    const local = members.find((m) => m.record.localController)
    if (local) return controller(local, limit_W)
    const nowMs = clock.nowMs()
    let left = limit_W
    const wishes: Wish[] = [], where = new Map<string, { station: Station; evseId: number }>()
    for (const station of members) {
      for (const evseId of station.evses()) {
        const t = station.running(evseId), key = `${station.tenant} ${station.identity} ${evseId}`
        if (!t) {
          given.delete(key)
          continue
        }
        if (curtailed(station, evseId, nowMs)) return
        const before = given.get(key), electrical = electricalOf(station, evseId)
        const most_W = Math.min(station.needs.get(evseId)?.max_W ?? Infinity, station.record.caps[String(evseId)]?.limit_W ?? Infinity, 22_000)
        if (!station.session.online) {
          left -= before ? before.W : most_W
          continue
        }
        if (resting.has(t.chargingState ?? 'Charging')) continue
        where.set(key, { station, evseId })
        wishes.push({ key, most_W, electrical, pausedSince: before?.W === 0 ? before.changedAt : undefined, changedAt: before?.changedAt ?? 0 })
      }
    }
    const shares = [...shareSite(left, wishes, nowMs)].map(([key, W]) => ({ key, W, rise: W - (given.get(key)?.W ?? 0) }))
    // Who gives way goes first: at no moment may the sum be above the limit. A newcomer has no share yet, so its first one is a rise.
    for (const part of [shares.filter((s) => s.rise <= 0), shares.filter((s) => s.rise > 0)]) {
      await Promise.all(part.map(({ key, W }) => {
        const at = where.get(key) as { station: Station; evseId: number }
        return give(at.station, at.evseId, key, W)
      }))
    }
  }

  return {
    async balance() {
      clock.after(every_ms, () => void this.balance())
      // A silent station holds up its own turn only once.
      if (busy) return
      busy = true
      const sites = new Map<string, Station[]>()
      for (const station of stations()) {
        const { site: name } = station.record
        if (name === undefined) continue
        const members = sites.get(`${station.tenant} ${name}`)
        if (members) members.push(station)
        else sites.set(`${station.tenant} ${name}`, [station])
      }
      try {
        await Promise.all([...sites.values()].map((members) => {
          const limit = Math.min(...members.map((m) => m.record.siteLimit_W ?? Infinity))
          return limit === Infinity ? undefined : site(members, limit)
        }))
      } catch (error) {
        log.error({ err: error, clause: 'OCPP-241' }, 'a site could not be balanced')
      } finally {
        busy = false
      }
    },
  }
}
