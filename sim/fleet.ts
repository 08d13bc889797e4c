import { Agent } from 'undici'
import { systemClock, type Clock, type Timer } from '#core/port/clock.js'
import { silent, type Log } from '#ven-client/log.js'
import { simCharger, type OcppVersion } from '#sim/charger.js'
import type { OfflinePeriods } from '#sim/charger-line.js'
import type { Behaviour, DeviceMemory, Diary, SimDevice } from '#sim/device.js'
import { simInverter, type SimInverterOptions } from '#sim/inverter.js'
import type { Site } from '#sim/load-model.js'
import { meter } from '#sim/meter.js'
import { protocolClock } from '#sim/protocol-clock.js'
import { turns } from '#sim/turns.js'
import { simVen } from '#sim/ven.js'

export interface PlannedDevice {
  readonly name: string
  readonly protocol: 'openadr' | 'ieee2030_5' | 'ocpp'
  readonly servicePoint: string
  readonly site: Site
}

export interface FleetCounts { readonly vens: number; readonly inverters: number; readonly chargers: number }

/** Who is in a fleet: names, service points and load models, the same for the same seed. History is made of `site` (load-model.ts). */
export function fleetPlan(counts: FleetCounts, options: { seed?: number; timeZone?: string } = {}): PlannedDevice[] {
  const { seed = 1, timeZone = 'America/Denver' } = options
  const make = (count: number, prefix: string, protocol: PlannedDevice['protocol'], kind: Site['kind'], rated_W: number): PlannedDevice[] =>
    Array.from({ length: count }, (_, i) => {
      const name = `${prefix}-${String(i + 1).padStart(count > 999 ? 4 : 3, '0')}`
      return { name, protocol, servicePoint: name, site: { name, kind, rated_W, seed, timeZone } }
    })
  return [
    ...make(counts.vens, 'site', 'openadr', 'site', 150_000),
    ...make(counts.inverters, 'home', 'ieee2030_5', 'home', 5_000),
    ...make(counts.chargers, 'charger', 'ocpp', 'charger', 22_000),
  ]
}

/** Contract §5: 40 sites, 100 batteries, 60 chargers of 200; at least one of each kind. */
export function shares(devices: number): FleetCounts {
  const vens = Math.max(1, Math.round(devices * 0.2)), chargers = Math.max(1, Math.round(devices * 0.3))
  return { vens, chargers, inverters: Math.max(1, devices - vens - chargers) }
}

/** By device name. PEM texts; plain data, so that a fleet can be sent to another process. */
export interface FleetCredentials {
  /** Roots of the VTN's and CSMS's ordinary server certificates. */
  readonly tlsCa?: string
  /** Roots and intermediates to trust on the 2030.5 door. */
  readonly csipCa?: string
  readonly vens: Readonly<Record<string, { readonly clientID: string; readonly clientSecret: string; readonly venName?: string }>>
  readonly inverters: Readonly<Record<string, { readonly key: string; readonly cert: string }>>
  readonly chargers: Readonly<Record<string, { readonly password: string; readonly stationId?: string; readonly version?: OcppVersion; readonly offline?: OfflinePeriods }>>
}

export interface FleetConfig {
  readonly devices: readonly PlannedDevice[]
  readonly endpoints: { readonly vtn?: string; readonly csip?: string; readonly ocppTls?: string }
  readonly credentials: FleetCredentials
  /** Device name → behaviour; all others behave. */
  readonly misbehave?: Readonly<Record<string, Behaviour>>
  /** Protocol seconds per second of `clock`; 1 when `clock` itself is a time-lapse clock. */
  readonly lapse?: number
  readonly poll_s?: { readonly vtn?: number; readonly csip?: number }
  readonly controls?: SimInverterOptions['controls']
  /** Seconds of protocol time over which the devices come up. */
  readonly spread_s?: number
  readonly insecure?: boolean
  /** Device name → its memory from an earlier process: registers go on, diaries stay, what was silent stays silent. */
  readonly remembered?: Readonly<Record<string, DeviceMemory>>
}

export interface Ledger { readonly start: number; readonly import_Wh: number; readonly export_Wh: number }

export interface Fleet {
  /** Each service point's own meter: finished 15-minute intervals, epoch seconds, unrounded Wh. */
  meters(): Record<string, Ledger[]>
  /** What each device says that it did. */
  says(): Diary[]
  /** What each device would keep over a loss of power, by name. */
  memories(): Record<string, DeviceMemory>
  /** True when every device that is meant to talk has registered. */
  connected(): { readonly up: number; readonly of: number }
  stop(): Promise<void>
}

/** TLS handshakes of inverters under way at once: what two cores get through well within anybody's patience. */
const handshakes = 32

/** Runs simulated devices that see the servers only through the network. One protocol clock, and so one timer, for each server. */
export function runFleet(config: FleetConfig, needs: { clock?: Clock; log?: Log } = {}): Fleet {
  const base = needs.clock ?? systemClock, log = needs.log ?? silent
  const { endpoints, credentials } = config
  const spread_s = config.spread_s ?? 60
  const clocks = { openadr: protocolClock(base, config.lapse), ieee2030_5: protocolClock(base, config.lapse), ocpp: protocolClock(base, config.lapse) }
  // many VENs share a few kept-alive connections, as they would behind one aggregator's proxy
  const pool = new Agent({
    connections: 8, pipelining: 1, keepAliveTimeout: 60_000,
    connect: { minVersion: 'TLSv1.2', ...(credentials.tlsCa ? { ca: credentials.tlsCa } : {}), ...(config.insecure ? { rejectUnauthorized: false } : {}) },
  })
  const opening = turns(handshakes), running: SimDevice[] = []
  const ticks = new Map<string, Timer>()

  function start(planned: PlannedDevice): SimDevice | undefined {
    const { name, servicePoint, site } = planned
    const behaviour = config.misbehave?.[name] ?? 'well-behaved'
    const remembered = config.remembered?.[name]
    if (remembered && behaviour === 'silent') return mute(planned, remembered)
    const common = { remembered, site, servicePoint, clock: clocks[planned.protocol], log, behaviour, spread_s }
    if (planned.protocol === 'openadr') {
      const own = credentials.vens[name]
      if (!own || !endpoints.vtn) return undefined
      return simVen({ ...common, venName: own.venName ?? name, url: endpoints.vtn, credentials: own, dispatcher: pool, ...(config.poll_s?.vtn ? { pollEvery_s: config.poll_s.vtn } : {}) })
    }
    if (planned.protocol === 'ieee2030_5') {
      const own = credentials.inverters[name]
      if (!own || !endpoints.csip) return undefined
      return simInverter({
        ...common, opening, url: endpoints.csip, key: own.key, cert: own.cert, ca: credentials.csipCa ?? '',
        ...(config.poll_s?.csip ? { pollEvery_s: config.poll_s.csip } : {}), ...(config.controls ? { controls: config.controls } : {}),
      })
    }
    const own = credentials.chargers[name]
    if (!own || !endpoints.ocppTls) return undefined
    return simCharger({
      ...common, stationId: own.stationId ?? name, url: endpoints.ocppTls, password: own.password,
      ...(own.version ? { version: own.version } : {}), ...(own.offline ? { offline: own.offline } : {}), spread_s: spread_s / (base.rate * (config.lapse ?? 1)),
      ...(credentials.tlsCa ? { ca: credentials.tlsCa } : {}), ...(config.insecure ? { insecure: true } : {}),
    })
  }

  for (const planned of config.devices) {
    const device = start(planned)
    if (device) running.push(device)
    else log.warn({ device: planned.name, protocol: planned.protocol }, 'no credentials or no endpoint: not started')
  }

  /** Meters run on although nobody asks them anything: one look at all of a protocol's each minute of its time. */
  for (const protocol of ['openadr', 'ieee2030_5', 'ocpp'] as const) {
    const clock = clocks[protocol], mine = running.filter((d) => d.diary.protocol === protocol)
    const tick = (): void => {
      for (const device of mine) device.meter.advance(clock.nowMs())
      ticks.set(protocol, clock.after(60_000, tick))
    }
    if (mine.length > 0) tick()
  }

  return {
    meters: () => Object.fromEntries(running.map((d) => [d.servicePoint, d.meter.finished().map((c) => ({ start: c.start / 1000, import_Wh: c.import_Wh, export_Wh: c.export_Wh }))])),
    says: () => running.map((d) => ({ ...d.diary })),
    memories: () => Object.fromEntries(running.map((d) => [d.name, d.memory()])),
    connected: () => ({ up: running.filter((d) => d.diary.connected || d.diary.behaviour === 'silent').length, of: config.devices.length }),
    async stop() {
      for (const timer of ticks.values()) timer.cancel()
      await Promise.allSettled(running.map((d) => d.stop()))
      await pool.close()
    },
  }
}

/** A device that had gone silent before: it does not come back, its books stay. */
function mute({ name, servicePoint }: PlannedDevice, remembered: DeviceMemory): SimDevice {
  const counted = meter(remembered.meter?.at ?? 0, () => 0, { memory: remembered.meter })
  return { name, servicePoint, diary: { ...remembered.diary, connected: false }, meter: { ...counted, advance: () => undefined }, memory: () => remembered, stop: async () => undefined }
}
