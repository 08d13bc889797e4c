import type { Timer } from '#core/port/clock.js'
import type { Log } from '#ven-client/log.js'
import { answerTo, type StationState } from '#sim/charger-answers.js'
import { chargerLine, type LineOptions, type Payload, type Unsent } from '#sim/charger-line.js'
import { limitAt, type Installed } from '#sim/charging-profile.js'
import { diaryOf, type Behaviour, type DeviceMemory, type SimDevice } from '#sim/device.js'
import { visitAt, type Site, type Visit } from '#sim/load-model.js'
import { meterOn } from '#sim/meter.js'
import { randomFrom } from '#ven-client/random.js'
import type { ProtocolClock } from '#sim/protocol-clock.js'

export type { OcppVersion } from '#sim/charger-line.js'

export interface SimChargerOptions extends LineOptions {
  readonly site: Site
  readonly servicePoint: string
  readonly clock: ProtocolClock
  readonly log: Log
  readonly behaviour?: Behaviour
  readonly remembered?: DeviceMemory | undefined
}

interface Transaction { readonly id: string; readonly start_ms: number; readonly visit: Visit; seqNo: number; delivered_Wh: number; state: string }

/** Installed profiles, the running transaction and unsent messages survive a loss of power (OCPP 2.0.1 Part 2 E04, K01). */
interface Kept { readonly installed: Installed[]; readonly transaction?: Transaction; readonly announced?: string; readonly outbox: Unsent[] }
const evseId = 1, aligned_ms = 900_000
const iso = (ms: number): string => new Date(ms).toISOString()

/**
 * An AC charging station with one EVSE, 2.0.1 over ocpp-rpc. Its register never goes back, its meter runs without the CSMS, and
 * installed profiles bind by their own validity, so they end although the server is gone (REL-064).
 */
export function simCharger(options: SimChargerOptions): SimDevice {
  const { site, clock, log } = options
  const behaviour = options.behaviour ?? 'well-behaved'
  const diary = diaryOf(site.name, 'ocpp', behaviour, options.remembered?.diary), kept = options.remembered?.kept as Kept | undefined
  const random = randomFrom(`${site.name}\n${site.seed}`)
  const state: StationState & { transaction: Transaction | undefined } = { installed: kept?.installed ?? [], transaction: kept?.transaction, available: true, obeyFrom_ms: -Infinity }
  let accepted = false, stopped = false, known = false
  const timers = new Set<Timer>()
  const later = (ms: number, task: () => void): void => { const timer = clock.after(ms, () => { timers.delete(timer); task() }); timers.add(timer) }

  /** A car that was charging before this process began has what the model says it has by then. */
  function began(visit: Visit, at_ms: number): Transaction {
    const had_Wh = Math.min(visit.need_Wh, Math.max(0, at_ms / 1000 - visit.arrival) * visit.max_W / 3600)
    return { id: `${options.stationId}-${visit.arrival}`, start_ms: Math.max(visit.arrival * 1000, at_ms), visit, seqNo: 0, delivered_Wh: had_Wh, state: 'Charging' }
  }

  /** What the car takes: its own limit, the profiles', and no more than it needs. A full car takes nothing. */
  function power(from_ms: number, to_ms: number): number {
    if (!state.available) return 0
    const visit = state.transaction?.visit ?? visitAt(site, Math.floor(from_ms / 1000))
    if (!visit || from_ms < visit.arrival * 1000) return 0
    const now = state.transaction ?? (state.transaction = began(visit, from_ms))
    const left = visit.need_Wh - now.delivered_Wh, hours = (to_ms - from_ms) / 3_600_000
    if (left <= 0 || from_ms >= visit.departure * 1000) return 0
    const limit = behaviour === 'optout' || behaviour === 'garbage' || from_ms < state.obeyFrom_ms ? Infinity : limitAt(state.installed, evseId, from_ms, now)
    // below 6 A per phase an AC car cannot charge at all (IEC 61851-1)
    const most = Math.min(visit.max_W, site.rated_W, limit)
    const taken = Math.min(most < 6 * 230 * 3 - 1 ? 0 : most, hours > 0 ? left / hours : Infinity)
    now.delivered_Wh += taken * hours
    return taken
  }
  const count = meterOn(clock, power, { memory: options.remembered?.meter })

  const version = options.version ?? '2.0.1'
  const line = chargerLine(options, { log, diary, random, later, accepted: () => accepted, outbox: kept?.outbox ?? [] })
  const { rpc, say, queue, flush, outbox } = line
  rpc.on('disconnect', () => { diary.connected = false })

  const registerNow = (at_ms: number): Payload => ({
    timestamp: iso(at_ms),
    sampledValue: [
      { value: Math.round((count.registerAt(at_ms) ?? count.register().import_Wh) * 10) / 10, context: at_ms % aligned_ms === 0 ? 'Sample.Clock' : 'Transaction.Begin', measurand: 'Energy.Active.Import.Register', unitOfMeasure: { unit: 'Wh' } },
      { value: Math.round(count.power_W), context: at_ms % aligned_ms === 0 ? 'Sample.Clock' : 'Transaction.Begin', measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W' } },
    ],
  })

  function transactionEvent(eventType: 'Started' | 'Updated' | 'Ended', triggerReason: string, at_ms: number, more: Payload = {}): void {
    if (!state.transaction) return
    queue('TransactionEvent', {
      eventType, timestamp: iso(at_ms), triggerReason, seqNo: state.transaction.seqNo++,
      transactionInfo: { transactionId: state.transaction.id, chargingState: state.transaction.state, ...(eventType === 'Ended' ? { stoppedReason: 'EVDisconnected' } : {}) },
      evse: { id: evseId, connectorId: 1 },
      ...(eventType === 'Started' ? { idToken: { idToken: `CAR-${options.stationId}`, type: 'Central' } } : {}),
      meterValue: [registerNow(at_ms)], ...more,
    })
  }
  const status = (): void => queue('StatusNotification', { timestamp: iso(clock.nowMs()), connectorStatus: announced ? 'Occupied' : state.available ? 'Available' : 'Unavailable', evseId, connectorId: 1 })
  let announced: string | undefined = kept?.announced

  /** Cars come and go, limits bite and let go: looked at every minute of the protocol's time and at each aligned moment. */
  function watch(): void {
    if (stopped) return
    const now = clock.nowMs()
    count.advance(now)
    const visit = visitAt(site, Math.floor(now / 1000))
    if (state.transaction && (!visit || visit.arrival !== state.transaction.visit.arrival)) leave(now)
    if (visit && !state.transaction) state.transaction = began(visit, now)
    if (state.transaction && announced !== state.transaction.id) arrive(now)
    const charging = !state.transaction ? 'Idle' : state.transaction.delivered_Wh >= state.transaction.visit.need_Wh ? 'SuspendedEV' : count.power_W > 0 ? 'Charging' : 'SuspendedEVSE'
    if (state.transaction && state.transaction.state !== charging) { state.transaction.state = charging; transactionEvent('Updated', 'ChargingStateChanged', now) }
    later(60_000 - (now % 60_000) + 50, watch)
  }
  function arrive(now: number): void {
    announced = state.transaction?.id
    status()
    transactionEvent('Started', 'CablePluggedIn', now)
  }
  function leave(now: number): void {
    transactionEvent('Ended', 'EVDeparted', now)
    state.transaction = undefined
    announced = undefined
    state.installed = state.installed.filter((i) => i.profile.chargingProfilePurpose !== 'TxProfile')     // goes with its state.transaction (K01)
    status()
  }

  /** The register at each quarter of an hour, inside a state.transaction or not (OCPP-171, OCPP-176). */
  function sampleAt(boundary_ms: number): void {
    if (stopped) return
    const wait = boundary_ms - clock.nowMs()
    if (wait > 0) { later(wait, () => sampleAt(boundary_ms)); return }
    if (state.transaction && announced === state.transaction.id) transactionEvent('Updated', 'MeterValueClock', boundary_ms)
    else queue('MeterValues', { evseId, meterValue: [registerNow(boundary_ms)] })
    if (behaviour === 'garbage') babble()
    later(boundary_ms + aligned_ms - clock.nowMs(), () => sampleAt(boundary_ms + aligned_ms))
  }

  async function boot(): Promise<void> {
    try {
      const answer = await say('BootNotification', { reason: known ? 'Unknown' : 'PowerUp', chargingStation: { model: 'Sim22', vendorName: 'Loadstone', serialNumber: options.stationId, firmwareVersion: '1.0' } }) as { currentTime: string; interval: number; status: string }
      clock.sample(Date.parse(answer.currentTime))
      const interval_ms = Math.max(1, answer.interval) * 1000
      if (answer.status !== 'Accepted') { diary.lastError = `the CSMS answered BootNotification with ${answer.status}`; later(interval_ms, () => void boot()); return }
      accepted = true
      diary.connected = true
      diary.lastError = null
      if (!known) {
        known = true
        await clock.ready
        count.advance(clock.nowMs())
        later(interval_ms * (0.5 + random() / 2), () => void heartbeat(interval_ms))
        status()
        // the register at the start of this interval too, so that its energy can be told from two values
        sampleAt(Math.floor(clock.nowMs() / aligned_ms) * aligned_ms)
        watch()
        if (behaviour === 'silent') later(120_000, () => { diary.connected = false; void stop() })
      }
      void flush()
    } catch (error) {
      diary.lastError = (error as Error).message
      if (!stopped) later(30_000, () => void boot())
    }
  }
  async function heartbeat(interval_ms: number): Promise<void> {
    if (stopped) return
    try {
      const answer = await say('Heartbeat', {}) as { currentTime: string }
      clock.sample(Date.parse(answer.currentTime))
    } catch (error) {
      diary.lastError = (error as Error).message
    }
    later(interval_ms, () => void heartbeat(interval_ms))
  }
  function babble(): void {
    for (const frame of ['{"not":"ocpp"}', '[2,"x"]', '[2,"1","NoSuchAction",{}]', `[2,"2","MeterValues",{"evseId":-1}]`]) {
      try { rpc.sendRaw(frame) } catch { /* not connected: nothing to babble into */ }
    }
  }

  answerTo(line, {
    state, stationId: options.stationId, rated_W: site.rated_W, version, behaviour, diary, count, nowMs: () => clock.nowMs(), knowsTime: () => known, evseId, status, transactionEvent, registerNow, boot: () => later(0, () => void boot()),
  })

  // a reconnect needs no new boot (OCPP-017): what waits is sent
  rpc.on('open', () => { if (accepted) { diary.connected = true; void flush() } else void boot() })

  async function stop(): Promise<void> {
    if (stopped) return
    stopped = true
    for (const timer of timers) timer.cancel()
    await line.stop()
  }
  setTimeout(() => line.connect(), random() * (options.spread_s ?? 5) * 1000).unref()
  return {
    name: site.name, servicePoint: options.servicePoint, diary, meter: count, stop,
    memory: () => ({ diary: { ...diary }, meter: count.memory(), kept: { installed: state.installed, outbox, ...(state.transaction ? { transaction: state.transaction } : {}), ...(announced === undefined ? {} : { announced }) } satisfies Kept }),
  }
}
