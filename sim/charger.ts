import { RPCClient } from 'ocpp-rpc'
import type { Timer } from '#core/port/clock.js'
import type { Log } from '#ven-client/log.js'
import { dialect16 } from '#sim/charger-16.js'
import { composite, limitAt, refusal, type ChargingProfile, type Installed } from '#sim/charging-profile.js'
import { variables } from '#sim/charger-variables.js'
import { diaryOf, lateness_ms, type Behaviour, type DeviceMemory, type SimDevice } from '#sim/device.js'
import { visitAt, type Site, type Visit } from '#sim/load-model.js'
import { meterOn } from '#sim/meter.js'
import { randomFrom } from '#ven-client/random.js'
import type { ProtocolClock } from '#sim/protocol-clock.js'

export type OcppVersion = '1.6' | '2.0.1' | '2.1'

export interface SimChargerOptions {
  readonly site: Site
  readonly servicePoint: string
  readonly stationId: string
  /** `wss://host:9001/ocpp`; the station adds its id. */
  readonly url: string
  readonly password: string
  /** What it speaks; 2.0.1 unless said. */
  readonly version?: OcppVersion
  readonly ca?: string
  readonly insecure?: boolean
  readonly clock: ProtocolClock
  readonly log: Log
  readonly behaviour?: Behaviour
  readonly spread_s?: number
  readonly remembered?: DeviceMemory | undefined
}

interface Transaction { readonly id: string; readonly start_ms: number; readonly visit: Visit; seqNo: number; delivered_Wh: number; state: string }

type Payload = Record<string, unknown>
/** Installed profiles, the running transaction and unsent messages survive a loss of power (OCPP 2.0.1 Part 2 E04, K01). */
interface Kept { readonly installed: Installed[]; readonly transaction?: Transaction; readonly announced?: string; readonly outbox: { action: string; payload: Payload }[] }
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
  let installed: Installed[] = kept?.installed ?? []
  let transaction: Transaction | undefined = kept?.transaction
  let available = true, accepted = false, stopped = false, known = false
  let obeyFrom_ms = -Infinity
  const timers = new Set<Timer>()
  const later = (ms: number, task: () => void): void => { const timer = clock.after(ms, () => { timers.delete(timer); task() }); timers.add(timer) }

  /** A car that was charging before this process began has what the model says it has by then. */
  function began(visit: Visit, at_ms: number): Transaction {
    const had_Wh = Math.min(visit.need_Wh, Math.max(0, at_ms / 1000 - visit.arrival) * visit.max_W / 3600)
    return { id: `${options.stationId}-${visit.arrival}`, start_ms: Math.max(visit.arrival * 1000, at_ms), visit, seqNo: 0, delivered_Wh: had_Wh, state: 'Charging' }
  }

  /** What the car takes: its own limit, the profiles', and no more than it needs. A full car takes nothing. */
  function power(from_ms: number, to_ms: number): number {
    if (!available) return 0
    const visit = transaction?.visit ?? visitAt(site, Math.floor(from_ms / 1000))
    if (!visit || from_ms < visit.arrival * 1000) return 0
    const now = transaction ?? (transaction = began(visit, from_ms))
    const left = visit.need_Wh - now.delivered_Wh, hours = (to_ms - from_ms) / 3_600_000
    if (left <= 0 || from_ms >= visit.departure * 1000) return 0
    const limit = behaviour === 'optout' || behaviour === 'garbage' || from_ms < obeyFrom_ms ? Infinity : limitAt(installed, evseId, from_ms, now)
    // below 6 A per phase an AC car cannot charge at all (IEC 61851-1)
    const most = Math.min(visit.max_W, site.rated_W, limit)
    const taken = Math.min(most < 6 * 230 * 3 - 1 ? 0 : most, hours > 0 ? left / hours : Infinity)
    now.delivered_Wh += taken * hours
    return taken
  }
  const count = meterOn(clock, power, { memory: options.remembered?.meter })

  const version = options.version ?? '2.0.1', dialect = version === '1.6' ? dialect16() : undefined
  const rpc = new RPCClient({
    endpoint: options.url.replace(/\/$/, ''), identity: options.stationId, password: options.password, protocols: [`ocpp${version}`], strictMode: false,
    callTimeoutMs: 30_000, pingIntervalMs: 60_000, reconnect: true, maxReconnects: Infinity,
    backoff: { initialDelay: 500 + Math.round(random() * 1500), maxDelay: 30_000, factor: 2, randomisationFactor: 0.5 },
    wsOpts: { ...(options.ca ? { ca: options.ca } : {}), ...(options.insecure ? { rejectUnauthorized: false } : {}), perMessageDeflate: false },
  } as ConstructorParameters<typeof RPCClient>[0])
  rpc.on('badMessage', () => undefined)
  rpc.on('socketError', () => undefined)
  rpc.on('disconnect', () => { diary.connected = false })

  /** Says it in the words of the connection; what 1.6 has no word for is not said. */
  async function say(action: string, payload: Payload): Promise<unknown> {
    const worded = dialect ? dialect.out(action, payload) : { action, payload }
    if (!worded) return {}
    const answer = await rpc.call(worded.action, worded.payload)
    dialect?.heard(action, payload, answer as Payload)
    return answer
  }

  /** Messages about transactions wait for the connection, in order, as E13 wants it; at most so many. */
  const outbox: { action: string; payload: Payload }[] = kept?.outbox ?? []
  let sending = false
  function queue(action: string, payload: Payload): void {
    if (outbox.length >= 500) outbox.shift()
    outbox.push({ action, payload })
    void flush()
  }
  async function flush(): Promise<void> {
    if (sending || !accepted) return
    sending = true
    try {
      for (let first = outbox[0]; first && rpc.state === RPCClient.OPEN; first = outbox[0]) {
        const { action, payload } = first
        await say(action, payload)
        outbox.shift()
        if (payload.meterValue) diary.readingsSent += 1
      }
    } catch (error) {
      diary.lastError = (error as Error).message
      if ((error as { rpcErrorCode?: string }).rpcErrorCode) outbox.shift()      // the CSMS answered: the same again would not be better
      if (!stopped) later(20_000, () => void flush())
    } finally {
      sending = false
    }
  }

  const registerNow = (at_ms: number): Payload => ({
    timestamp: iso(at_ms),
    sampledValue: [
      { value: Math.round((count.registerAt(at_ms) ?? count.register().import_Wh) * 10) / 10, context: at_ms % aligned_ms === 0 ? 'Sample.Clock' : 'Transaction.Begin', measurand: 'Energy.Active.Import.Register', unitOfMeasure: { unit: 'Wh' } },
      { value: Math.round(count.power_W), context: at_ms % aligned_ms === 0 ? 'Sample.Clock' : 'Transaction.Begin', measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W' } },
    ],
  })

  function transactionEvent(eventType: 'Started' | 'Updated' | 'Ended', triggerReason: string, at_ms: number, more: Payload = {}): void {
    if (!transaction) return
    queue('TransactionEvent', {
      eventType, timestamp: iso(at_ms), triggerReason, seqNo: transaction.seqNo++,
      transactionInfo: { transactionId: transaction.id, chargingState: transaction.state, ...(eventType === 'Ended' ? { stoppedReason: 'EVDisconnected' } : {}) },
      evse: { id: evseId, connectorId: 1 },
      ...(eventType === 'Started' ? { idToken: { idToken: `CAR-${options.stationId}`, type: 'Central' } } : {}),
      meterValue: [registerNow(at_ms)], ...more,
    })
  }
  const status = (): void => queue('StatusNotification', { timestamp: iso(clock.nowMs()), connectorStatus: announced ? 'Occupied' : available ? 'Available' : 'Unavailable', evseId, connectorId: 1 })
  let announced: string | undefined = kept?.announced

  /** Cars come and go, limits bite and let go: looked at every minute of the protocol's time and at each aligned moment. */
  function watch(): void {
    if (stopped) return
    const now = clock.nowMs()
    count.advance(now)
    const visit = visitAt(site, Math.floor(now / 1000))
    if (transaction && (!visit || visit.arrival !== transaction.visit.arrival)) leave(now)
    if (visit && !transaction) transaction = began(visit, now)
    if (transaction && announced !== transaction.id) arrive(now)
    const state = !transaction ? 'Idle' : transaction.delivered_Wh >= transaction.visit.need_Wh ? 'SuspendedEV' : count.power_W > 0 ? 'Charging' : 'SuspendedEVSE'
    if (transaction && transaction.state !== state) { transaction.state = state; transactionEvent('Updated', 'ChargingStateChanged', now) }
    later(60_000 - (now % 60_000) + 50, watch)
  }
  function arrive(now: number): void {
    announced = transaction?.id
      status()
    transactionEvent('Started', 'CablePluggedIn', now, { offline: false })
  }
  function leave(now: number): void {
    transactionEvent('Ended', 'EVDeparted', now)
    transaction = undefined
    announced = undefined
    installed = installed.filter((i) => i.profile.chargingProfilePurpose !== 'TxProfile')     // goes with its transaction (K01)
    status()
  }

  /** The register at each quarter of an hour, inside a transaction or not (OCPP-171, OCPP-176). */
  function sampleAt(boundary_ms: number): void {
    if (stopped) return
    const wait = boundary_ms - clock.nowMs()
    if (wait > 0) { later(wait, () => sampleAt(boundary_ms)); return }
    if (transaction && announced === transaction.id) transactionEvent('Updated', 'MeterValueClock', boundary_ms)
    else queue('MeterValues', { evseId, meterValue: [registerNow(boundary_ms)] })
    if (behaviour === 'garbage') babble()
    later(boundary_ms + aligned_ms - clock.nowMs(), () => sampleAt(boundary_ms + aligned_ms))
  }

  async function boot(): Promise<void> {
    try {
      const answer = await say('BootNotification', { reason: known ? 'Unknown' : 'PowerUp', chargingStation: { model: 'Sim22', vendorName: 'Loadstone', serialNumber: options.stationId, firmwareVersion: '1.0' } }) as { currentTime: string; interval: number; status: string }
      clock.sample(Date.parse(answer.currentTime))
      const interval_ms = Math.max(1, answer.interval) * 1000
      if (answer.status !== 'Accepted') { later(interval_ms, () => void boot()); return }
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

  // ── what the CSMS asks ──
  const on = <P>(action: string, answer: (params: P) => Payload): void => rpc.handle(action, ({ params }) => {
    const asked = params as Payload
    return Promise.resolve(dialect ? dialect.back(action, asked, answer(dialect.in(action, asked) as P)) : answer(asked as P))
  })
  on('SetChargingProfile', ({ evseId: where, chargingProfile }: { evseId: number; chargingProfile: ChargingProfile }) => {
    diary.ordersSeen += 1
    const no = behaviour === 'reject' ? 'UnspecifiedReason' : refusal(where, chargingProfile, installed, 1, () => transaction?.id)
    if (no) { diary.rejected += 1; return { status: 'Rejected', statusInfo: { reasonCode: no } } }
    count.advance(clock.nowMs())
    if (behaviour === 'late') obeyFrom_ms = clock.nowMs() + lateness_ms
    if (behaviour === 'optout') diary.optedOut += 1
    else diary.ordersFollowed += 1
    installed = [...installed.filter((i) => i.profile.id !== chargingProfile.id), { evseId: where, profile: chargingProfile }]
    return { status: 'Accepted' }
  })
  on('ClearChargingProfile', ({ chargingProfileId: id, chargingProfileCriteria: c }: { chargingProfileId?: number; chargingProfileCriteria?: { evseId?: number; chargingProfilePurpose?: string; stackLevel?: number } }) => {
    count.advance(clock.nowMs())
    const gone = (i: Installed): boolean => id !== undefined ? i.profile.id === id
      : (c?.evseId === undefined || c.evseId === i.evseId) && (c?.chargingProfilePurpose === undefined || c.chargingProfilePurpose === i.profile.chargingProfilePurpose) &&
        (c?.stackLevel === undefined || c.stackLevel === i.profile.stackLevel)
    const before = installed.length
    installed = installed.filter((i) => !gone(i))
    return { status: installed.length < before ? 'Accepted' : 'Unknown' }
  })
  on('GetCompositeSchedule', ({ duration, evseId: where, chargingRateUnit }: { duration: number; evseId: number; chargingRateUnit?: 'W' | 'A' }) => {
    if (where > 1) return { status: 'Rejected', statusInfo: { reasonCode: 'UnknownEvse' } }
    const now = clock.nowMs(), unit = chargingRateUnit ?? 'W'
    return { status: 'Accepted', schedule: { evseId: where, duration, scheduleStart: iso(now), chargingRateUnit: unit, chargingSchedulePeriod: composite(installed, where, now, duration, site.rated_W, unit, transaction) } }
  })
  on('GetChargingProfiles', ({ requestId, evseId: where, chargingProfile: c }: { requestId: number; evseId?: number; chargingProfile: { chargingProfileId?: number[]; chargingProfilePurpose?: string; stackLevel?: number } }) => {
    const found = installed.filter((i) => (where === undefined || i.evseId === where) && (c.chargingProfileId === undefined || c.chargingProfileId.includes(i.profile.id)) &&
      (c.chargingProfilePurpose === undefined || c.chargingProfilePurpose === i.profile.chargingProfilePurpose) && (c.stackLevel === undefined || c.stackLevel === i.profile.stackLevel))
    if (found.length === 0) return { status: 'NoProfiles' }
    const evses = [...new Set(found.map((i) => i.evseId))]
    evses.forEach((at, i) => queue('ReportChargingProfiles', { requestId, chargingLimitSource: 'CSO', evseId: at, tbc: i < evses.length - 1, chargingProfile: found.filter((f) => f.evseId === at).map((f) => f.profile) }))
    return { status: 'Accepted' }
  })
  const device = variables(options.stationId, site.rated_W)
  // 1.6 has keys in place of a device model.
  if (dialect) {
    rpc.handle('GetConfiguration', () => Promise.resolve({ configurationKey: [
      ['ChargeProfileMaxStackLevel', '10'], ['ChargingScheduleAllowedChargingRateUnit', 'Current,Power'], ['ChargingScheduleMaxPeriods', '24'], ['MaxChargingProfilesInstalled', '20'],
    ].map(([key, value]) => ({ key, readonly: true, value })), unknownKey: [] }))
    rpc.handle('ChangeConfiguration', () => Promise.resolve({ status: 'NotSupported' }))
  }
  on('GetVariables', (params) => device.get(params))
  on('SetVariables', (params) => device.set(params))
  for (const action of ['GetBaseReport', 'GetReport']) {
    on(action, ({ requestId }: { requestId: number }) => {
      for (const [part, payload] of device.report(requestId, iso(clock.nowMs()))) queue(part, payload)
      return { status: 'Accepted' }
    })
  }
  on('GetTransactionStatus', () => ({ ...(transaction ? { ongoingIndicator: true } : { ongoingIndicator: false }), messagesInQueue: outbox.length > 0 }))
  on('ChangeAvailability', ({ operationalStatus }: { operationalStatus: string }) => {
    count.advance(clock.nowMs())
    available = operationalStatus === 'Operative'
    status()
    return { status: 'Accepted' }
  })
  on('TriggerMessage', ({ requestedMessage }: { requestedMessage: string }) => {
    const now = clock.nowMs()
    if (requestedMessage === 'StatusNotification') status()
    else if (requestedMessage === 'BootNotification') later(0, () => void boot())
    else if (requestedMessage === 'Heartbeat') queue('Heartbeat', {})
    else if (requestedMessage === 'MeterValues') { count.advance(now); queue('MeterValues', { evseId, meterValue: [registerNow(now)] }) }
    else if (requestedMessage === 'TransactionEvent' && transaction) { count.advance(now); transactionEvent('Updated', 'Trigger', now) }
    else return { status: 'NotImplemented' }
    return { status: 'Accepted' }
  })

  // a reconnect needs no new boot (OCPP-017): what waits is sent
  rpc.on('open', () => { if (accepted) { diary.connected = true; void flush() } else void boot() })

  async function stop(): Promise<void> {
    if (stopped) return
    stopped = true
    for (const timer of timers) timer.cancel()
    await rpc.close({ code: 1000, reason: '' }).catch(() => undefined)
  }
  /** The first connection is retried as later ones are; ocpp-rpc gives up on it alone. */
  function connect(attempt = 0): void {
    if (stopped) return
    rpc.connect().catch((error: unknown) => {
      diary.lastError = (error as Error).message
      log.debug({ station: options.stationId, error: diary.lastError }, 'not connected')
      if (!stopped) setTimeout(() => connect(attempt + 1), Math.min(30_000, 500 * 2 ** attempt) * (0.5 + random())).unref()
    })
  }
  setTimeout(() => connect(), random() * (options.spread_s ?? 5) * 1000).unref()
  return {
    name: site.name, servicePoint: options.servicePoint, diary, meter: count, stop,
    memory: () => ({ diary: { ...diary }, meter: count.memory(), kept: { installed, outbox, ...(transaction ? { transaction } : {}), ...(announced === undefined ? {} : { announced }) } satisfies Kept }),
  }
}
