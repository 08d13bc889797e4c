import { isRefusal } from '#core/error.js'
import type { AvailabilityIntake, ReadingIntake, ResourceDirectory } from '#core/port/intake.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'
import type { Resource } from '#core/program/resource.js'
import type { Channel, ReadingInput } from '#core/reading/reading.js'
import { availabilityOf } from './availability.js'
import type { CsmsConfig } from './config.js'
import { totals, type Sample } from './metering.js'
import { count, energyIn, newRegister, type Register } from './register.js'
import { curtailed } from './smart-charging/ledger.js'
import type { Station } from './station.js'
import { isoMs } from './time.js'

/** How measurements and availability of the stations reach the core: in its words, units, sign and intervals. */
export interface Intake {
  resourceOf(station: Station, evseId: number): Promise<Resource | undefined>
  /**
   * Takes samples of one EVSE. Completed intervals are recorded in the core first; what is returned must then be written with
   * the message, so that a crash between repeats a reading (which the core knows as a duplicate) and loses none.
   */
  take(station: Station, evseId: number, samples: readonly Sample[], closed: boolean, lineage: string): Promise<NewDocument[]>
  /** Forgets what was counted but not committed. */
  forget(station: Station, evseId: number): void
  /** Tells the core what the EVSE can give from now on (CORE-031, OCPP-238). */
  declare(station: Station, evseId: number): Promise<void>
}

/** What somebody else allows an EVSE: an external cap (OCPP-195), or what the station said that it offers the car just now (OCPP-199). */
function capOf(station: Station, evseId: number, nowMs: number): number | undefined {
  const cap = station.record.caps[String(evseId)]?.limit_W ?? station.record.caps['0']?.limit_W, offered = station.offered.get(evseId)
  const own = offered && offered.at > nowMs - 3_600_000 && !curtailed(station, evseId, offered.at) ? offered.W : undefined
  return cap === undefined ? own : Math.min(cap, own ?? Infinity)
}

const channels: readonly [Channel, string][] = [['import', 'Energy.Active.Import.Register'], ['export', 'Energy.Active.Export.Register']]

export function intake({ documents, readings, availability, directory, clock, log, config }: {
  documents: DocumentStore; readings: ReadingIntake; availability: AvailabilityIntake; directory: ResourceDirectory
  clock: Clock; log: Log; config: CsmsConfig
}): Intake {
  const known = new Map<string, { until: number; resource: Resource | undefined }>()
  /** By tenant and document, as stations of two tenants may have one name. */
  const registers = new Map<string, Register>()
  /** Registers that measure one service point: what the core hears is their sum, so that none overwrites another. */
  const behind = new Map<string, Set<string>>()
  const seconds = config.readingMinutes * 60
  const keyOf = (station: Station, evseId: number, channel: Channel): string => `${station.identity}/${evseId}/${channel}`
  const placeOf = (tenant: string, key: string): string => `${tenant}\n${key}`

  async function resourceOf(station: Station, evseId: number): Promise<Resource | undefined> {
    const key = `${station.tenant} ${station.identity} ${evseId}`, now = clock.nowMs()
    const cached = known.get(key)
    if (cached && cached.until > now) return cached.resource
    const resource = await directory.byRemote(station.tenant, 'ocpp', station.identity, evseId)
      ?? await directory.byRemote(station.tenant, 'ocpp', station.identity)
    known.set(key, { until: now + 60_000, resource })
    return resource
  }

  async function registerOf(tenant: string, key: string): Promise<Register> {
    const place = placeOf(tenant, key), known = registers.get(place)
    if (known) return known
    const stored = (await documents.get<Register>(tenant, 'csms/Register', key))?.body ?? newRegister()
    // One of two that asked at once has made it meanwhile.
    const register = registers.get(place) ?? stored
    registers.set(place, register)
    return register
  }

  /** All registers of a service point and channel, those of stations that did not connect since the start included. */
  async function siblings(tenant: string, servicePoint: string, channel: Channel, key: string): Promise<Set<string>> {
    const place = `${tenant}\n${servicePoint}\n${channel}`
    let keys = behind.get(place)
    if (!keys) {
      keys = new Set()
      for (const d of await documents.list<Register>(tenant, { kind: 'csms/Register', parent: `${servicePoint}/${channel}` })) {
        keys.add(d.id)
        if (!registers.has(placeOf(tenant, d.id))) registers.set(placeOf(tenant, d.id), d.body)
      }
      behind.set(place, keys)
    }
    keys.add(key)
    return keys
  }

  /** The message is answered whatever its values are (E13): what the core refuses is left out; only a core that is down makes the station repeat it. */
  async function record(station: Station, evseId: number, rows: readonly ReadingInput[]): Promise<void> {
    try {
      await readings.record(station.caller, rows)
    } catch (error) {
      if (!isRefusal(error) || error.kind !== 'invalid') throw error
      log.error({ err: error, station: station.identity, evseId, clause: 'OCPP-171' }, 'readings were refused')
      // All stand or fall together there; the good ones are not to blame.
      if (rows.length > 1) for (const row of rows) await record(station, evseId, [row])
    }
  }

  /** CORE-119: what lies more than an interval ahead of us (of the machine's time, in a time lapse) was not measured then, and must not stand as the newest for ever. */
  function believed(station: Station, evseId: number, samples: readonly Sample[]): readonly Sample[] {
    const latest = clock.nowMs() + seconds * 1000 * clock.rate
    if (samples.every(({ at }) => at <= latest)) return samples
    station.flag(isoMs(clock.nowMs()), `clock ahead: meter values of EVSE ${evseId} are kept and not counted`)
    return samples.filter(({ at }) => at <= latest)
  }

  async function channelOf(station: Station, evseId: number, channel: Channel, values: readonly { at: number; value: number }[], closed: boolean, lineage: string): Promise<NewDocument | undefined> {
    const key = keyOf(station, evseId, channel)
    const register = await registerOf(station.tenant, key)
    if (values.length === 0 && !(closed && register.samples.length > 0)) return undefined
    const resource = await resourceOf(station, evseId)
    const { resets, doubted } = register
    const intervals = count(register, values, seconds, closed)
    if (register.resets > resets) station.flag(isoMs(clock.nowMs()), `meter of EVSE ${evseId} went back`)
    if (register.doubted !== doubted) station.flag(isoMs(clock.nowMs()), `wrong time: meter values of EVSE ${evseId} do not fit those around them and are not counted`)
    if (resource && intervals.length > 0) {
      const keys = await siblings(station.tenant, resource.servicePoint, channel, key)
      // Another may have been forgotten meanwhile, as its message was not committed.
      const others = await Promise.all([...keys].filter((k) => k !== key).map((k) => registerOf(station.tenant, k)))
      const rows = intervals.map(({ start, Wh }) => ({
        servicePoint: resource.servicePoint, channel, start, minutes: config.readingMinutes, quality: 'RAW' as const,
        Wh: others.reduce((sum, other) => sum + energyIn(other, start, seconds), Wh),
        source: `ocpp:${station.identity}/${evseId}`, lineage,
      }))
      await record(station, evseId, rows)
    }
    // Register values are cumulative: a sample that is lost with the process blurs the split between two intervals, never the
    // sum. So the register is written when an interval is done, and at least every minute, not with every message.
    const newest = register.samples.at(-1)?.[0] ?? 0
    if (intervals.length === 0 && !closed && newest - (register.savedAt ?? 0) < 60_000) return undefined
    register.savedAt = newest
    return {
      tenant: station.tenant, kind: 'csms/Register', id: key, parent: resource ? `${resource.servicePoint}/${channel}` : '', body: register,
    }
  }

  return {
    resourceOf,
    async take(station, evseId, told, closed, lineage) {
      const samples = believed(station, evseId, told)
      const power = totals(samples, 'Power.Active.Import').at(-1)
      if (power && power.at >= (station.power.get(evseId)?.at ?? 0)) {
        const W = Math.round(power.value)
        station.power.set(evseId, { at: power.at, W })
        if (W > 0 && !curtailed(station, evseId, power.at)) station.free.set(evseId, W)
      }
      // Interpretation: EVSE 0 is the station's main meter; counting it beside its EVSEs would count twice, so it is kept with
      // the message only (J01).
      if (evseId === 0) return []
      const out: NewDocument[] = []
      for (const [channel, measurand] of channels) {
        const document = await channelOf(station, evseId, channel, totals(samples, measurand), closed, lineage)
        if (document) out.push(document)
      }
      return out
    },
    forget(station, evseId) {
      for (const [channel] of channels) registers.delete(placeOf(station.tenant, keyOf(station, evseId, channel)))
    },
    async declare(station, evseId) {
      const resource = await resourceOf(station, evseId)
      if (!resource) return
      const rows = availabilityOf({
        now: clock.now(), resource: resource.id, rated_W: resource.rated_W, transaction: station.running(evseId), needs: station.needs.get(evseId),
        free_W: station.free.get(evseId), cap_W: capOf(station, evseId, clock.nowMs()),
        delivered_Wh: deliveredSince(station, evseId), source: `ocpp:${station.identity}/${evseId}`, issuedAt: clock.nowMs(),
      })
      await availability.declare({ ...station.caller, resources: [resource.id] }, rows)
    },
  }

  function deliveredSince(station: Station, evseId: number): number {
    const needs = station.needs.get(evseId), samples = registers.get(placeOf(station.tenant, keyOf(station, evseId, 'import')))?.samples
    if (!needs || !samples || samples.length === 0) return 0
    const then = samples.findLast(([at]) => at <= needs.at) ?? samples[0] as [number, number]
    return Math.max(0, (samples.at(-1) as [number, number])[1] - then[1])
  }
}
