import { runCsipAgent, type CsipAgent, type DerDevice } from '#ven-client/csip/agent.js'
import { scaled, type Mode } from '#ven-client/csip/control.js'
import type { CsipTransport } from '#ven-client/csip/transport.js'
import type { Log } from '#ven-client/log.js'
import type { Claim } from '#ven-client/timeline.js'
import { diaryOf, lateness_ms, type Behaviour, type DeviceMemory, type SimDevice } from '#sim/device.js'
import { loadModel, type Site } from '#sim/load-model.js'
import { meterOn } from '#sim/meter.js'
import { seedOf, uniform } from '#sim/noise.js'
import type { ProtocolClock } from '#sim/protocol-clock.js'

export interface SimInverterOptions {
  readonly site: Site
  readonly servicePoint: string
  readonly url: string
  /** PEM. */
  readonly key: string
  readonly cert: string
  readonly ca: string
  readonly clock: ProtocolClock
  readonly log: Log
  readonly behaviour?: Behaviour
  readonly rated_W?: number
  readonly capacity_Wh?: number
  /**
   * What opModTargetW and the limits mean: power at the connection point (default: a site controller whose EndDevice is the premises, whose
   * mirrored series are the connection point's too), or at the terminals of the battery.
   */
  readonly controls?: 'connectionPoint' | 'terminals'
  readonly pollEvery_s?: number
  readonly spread_s?: number
  readonly opening?: CsipTransport['opening']
  readonly pen?: number
  readonly remembered?: DeviceMemory | undefined
}

interface Kept { readonly mirroredUntil?: number; readonly stored_Wh: number; readonly told: readonly (readonly [string, Claim<Mode>])[] }

/** Bits of DERControlType: charge, discharge, connect, energize, fixedW, maxLimW, targetW (SEP-133 table). */
const modes = (2 ** 0 + 2 ** 1 + 2 ** 2 + 2 ** 3 + 2 ** 7 + 2 ** 20 + 2 ** 22).toString(16).padStart(8, '0').toUpperCase()
const watt = (value: number): { multiplier: number; value: number } => ({ multiplier: 0, value: Math.round(value) })

/** A battery behind a home, spoken to over 2030.5. Generation is positive on the wire, import positive in here: the sign turns here alone. */
export function simInverter(options: SimInverterOptions): SimDevice & { readonly agent: CsipAgent } {
  const { site, clock } = options
  const behaviour = options.behaviour ?? 'well-behaved'
  const rated = options.rated_W ?? 5000, capacity = options.capacity_Wh ?? 13_500
  const homeLoad = loadModel(site)
  const diary = diaryOf(site.name, 'ieee2030_5', behaviour, options.remembered?.diary), kept = options.remembered?.kept as Kept | undefined
  let stored_Wh = kept?.stored_Wh ?? capacity * (0.90 + 0.08 * uniform(seedOf(site.name), site.seed, 40))
  let told: ReadonlyMap<string, Claim<Mode>> = new Map(kept?.told)
  const floor_Wh = capacity * 0.05

  /** Battery power at its terminals, charging positive, before the stored energy has its say. */
  function wanted(home: number, at_ms: number): number {
    const target = scaled(told.get('opModTargetW')?.value.value), fixed = told.get('opModFixedW')?.value.value
    let battery = 0
    if (target !== undefined) battery = options.controls === 'terminals' ? -target : -target - home
    else if (typeof fixed === 'number') battery = -fixed / 10_000 * rated
    else if (nightly(at_ms) && stored_Wh < capacity * 0.95) battery = rated * 0.4
    const most = told.get('opModMaxLimW')?.value.value
    if (typeof most === 'number') battery = Math.max(battery, -most / 10_000 * rated)
    const imports = scaled(told.get('opModImpLimW')?.value.value), exports = scaled(told.get('opModExpLimW')?.value.value)
    if (imports !== undefined && home + battery > imports) battery = imports - home
    if (exports !== undefined && -(home + battery) > exports) battery = -exports - home
    if (told.get('opModEnergize')?.value.value === false || told.get('opModConnect')?.value.value === false) battery = 0
    return Math.max(-rated, Math.min(rated, battery))
  }
  /** Recharges in the small hours, when nobody asks for anything. */
  const nightly = (at_ms: number): boolean => told.size === 0 && new Date(at_ms).getUTCHours() >= 7 && new Date(at_ms).getUTCHours() < 11

  function power(from_ms: number, to_ms: number): number {
    const home = homeLoad(Math.floor(from_ms / 1000)), hours = (to_ms - from_ms) / 3_600_000
    let battery = wanted(home, from_ms)
    if (hours > 0) battery = Math.max(-(stored_Wh - floor_Wh) / hours, Math.min((capacity - stored_Wh) / hours, battery))
    stored_Wh += battery * hours
    return home + battery
  }
  const count = meterOn(clock, power, { memory: options.remembered?.meter })

  const take = (next: ReadonlyMap<string, Claim<Mode>>): void => {
    count.advance(clock.nowMs())
    told = next
    if ([...next.values()].some((c) => c.value.control)) diary.ordersFollowed += 1
  }
  const whole = (start: number, end: number, channel: 'import_Wh' | 'export_Wh'): number | undefined => {
    const counted = count.interval(start, end)
    if (counted === undefined) return undefined
    if (channel === 'import_Wh') diary.readingsSent += 1
    return Math.round(counted[channel])
  }
  const device: DerDevice = {
    capability: () => ({ modesSupported: modes, rtgMaxChargeRateW: watt(rated), rtgMaxDischargeRateW: watt(rated), rtgMaxW: watt(rated), rtgMaxWh: watt(capacity), type: 80 }),
    settings: (now) => ({ modesEnabled: modes, setGradW: 0, setMaxChargeRateW: watt(rated), setMaxDischargeRateW: watt(rated), setMaxW: watt(rated), updatedTime: now }),
    status(now) {
      count.advance(now * 1000)
      return {
        inverterStatus: { dateTime: now, value: 4 }, operationalModeStatus: { dateTime: now, value: 2 }, readingTime: now,
        stateOfChargeStatus: { dateTime: now, value: Math.round(stored_Wh / capacity * 10_000) }, storConnectStatus: { dateTime: now, value: '07' },
      }
    },
    availability: (now) => ({ availabilityDuration: Math.floor((stored_Wh - floor_Wh) / rated * 3600), maxChargeDuration: Math.floor((capacity - stored_Wh) / rated * 3600), readingTime: now, statWAvail: watt(rated) }),
    decide() {
      diary.ordersSeen += 1
      if (behaviour === 'optout') { diary.optedOut += 1; return 'optOut' }
      if (behaviour === 'reject') { diary.rejected += 1; return 'reject' }
      return 'follow'
    },
    follow(next) {
      if (behaviour === 'garbage') return
      if (behaviour === 'late') { clock.after(lateness_ms, () => take(next)); return }
      take(next)
    },
    series: [
      { name: 'import', flowDirection: 1, interval_Wh: (start, end) => behaviour === 'garbage' ? -(2 ** 50) : whole(start, end, 'import_Wh') },
      { name: 'export', flowDirection: 19, interval_Wh: (start, end) => whole(start, end, 'export_Wh') },
    ],
  }
  const agent = runCsipAgent({
    url: options.url, key: options.key, cert: options.cert, ca: options.ca, device, clock, log: options.log, register: {}, // in band, where the server lets it (SEP-103)
    onServerTime: (ms) => { clock.sample(ms); diary.connected = true; if (behaviour === 'silent' && clock.samples > 0) clock.after(120_000, () => { diary.connected = false; void agent.stop() }) },
    onTrouble: (error) => { diary.lastError = error.message },
    ...(options.pollEvery_s === undefined ? {} : { pollEvery_s: options.pollEvery_s }), ...(options.opening === undefined ? {} : { opening: options.opening }),
    firstPollWithin_s: options.spread_s ?? 30, postWithin_s: behaviour === 'late' ? lateness_ms / 1000 : 60,
    ...(options.pen === undefined ? {} : { pen: options.pen }), ...(kept?.mirroredUntil === undefined ? {} : { mirroredUntil: kept.mirroredUntil }),
  })
  return {
    name: site.name, servicePoint: options.servicePoint, diary, meter: count, agent, stop: () => agent.stop(),
    memory: () => ({ diary: { ...diary }, meter: count.memory(), kept: { stored_Wh, told: [...told], ...(agent.mirroredUntil === undefined ? {} : { mirroredUntil: agent.mirroredUntil }) } satisfies Kept }),
  }
}
