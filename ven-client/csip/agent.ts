import { X509Certificate } from 'node:crypto'
import { systemClock, type Clock, type Timer } from '#core/port/clock.js'
import { lfdiOf } from '#certs/lfdi.js'
import { DERAvailability } from '#csip-server/wire/der-availability.js'
import { DERCapability } from '#csip-server/wire/der-capability.js'
import { DERSettings } from '#csip-server/wire/der-settings.js'
import { DERStatus } from '#csip-server/wire/der-status.js'
import { DERControlResponse } from '#csip-server/wire/response.js'
import { Time } from '#csip-server/wire/time.js'
import { backoff } from '#ven-client/backoff.js'
import { eventLines, modeClaims, type EventLine, type Mode } from '#ven-client/csip/control.js'
import { DeviceCapability, firstDer, ownEndDevice, readAssignments, readControls, readDefault, readPrograms } from '#ven-client/csip/discover.js'
import type { DERControlValue, DERValue, DeviceCapabilityValue, EndDeviceValue, FunctionSetAssignmentsValue, Program } from '#ven-client/csip/discover.js'
import { ownRecord, type OwnRecord } from '#ven-client/csip/register.js'
import { memoryCsipStore, type CsipStore } from '#ven-client/csip/store.js'
import { subscriptions, type CsipPush } from '#ven-client/csip/subscribe.js'
import { mirror, type MirrorOptions, type Series } from '#ven-client/csip/mirror.js'
import { answersOf } from '#ven-client/csip/answers.js'
import { dueStatuses, type Decision } from '#ven-client/csip/response.js'
import { CsipError, csipWire, type CsipTransport, type CsipWire } from '#ven-client/csip/transport.js'
import { silent, type Log } from '#ven-client/log.js'
import { randomFrom } from '#ven-client/random.js'
import { timeline, type Claim } from '#ven-client/timeline.js'

/** What an inverter, a battery or its gateway implements. Documents are those of 2030.5, field for field. */
export interface DerDevice {
  capability(): object
  settings(now_s: number): object
  status(now_s: number): object
  availability?(now_s: number): object
  /** The modes in force from now on, by name (`opModTargetW` …); empty = nobody asks for anything. Called by our own clock (REL-064). */
  follow(modes: ReadonlyMap<string, Claim<Mode>>): void
  /** Asked once for each event, when it is first seen. */
  decide?(event: EventLine): Decision
  readonly series: readonly Series[]
}

export interface CsipAgentOptions extends CsipTransport, Pick<MirrorOptions, 'pen' | 'roleFlags' | 'interval_s' | 'mirroredUntil'>, Partial<Pick<OwnRecord, 'register' | 'pin' | 'connectionPoint'>> {
  readonly device: DerDevice
  /** The device that is acted for, when it is not the one of the certificate (an aggregator's, SEP-192). */
  readonly lfdi?: string
  /** A connection that is shared with other agents; it stays open when this one stops. */
  readonly wire?: CsipWire
  /** Be told at once of changes; polling goes on beside it. */
  readonly push?: CsipPush
  /** Where waiting readings and given responses outlive the process (`diskCsipStore(folder)`); in memory when unset. */
  readonly store?: CsipStore
  /** Hex bitmap: events for other categories are not for us; unset = all are. */
  readonly deviceCategory?: string
  readonly clock?: Clock
  readonly log?: Log
  readonly random?: () => number
  /** Told the server's time at each read of `/tm`. */
  readonly onServerTime?: (ms: number) => void
  /** Seconds between two looks at the programs; unset = the pollRate that the server asks for. */
  readonly pollEvery_s?: number
  readonly firstPollWithin_s?: number
  /** Readings are posted within so many seconds after their interval, each device at a moment of its own. */
  readonly postWithin_s?: number
  readonly onResponse?: (mRID: string, status: number) => void
  /** The server cannot be reached, or refused what was asked; it is tried again. */
  readonly onTrouble?: (error: Error) => void
}

export interface CsipAgent {
  readonly lfdi: string
  events(): readonly EventLine[]
  /** The customer says no to an event (status 4), also while it runs. */
  optOut(mRID: string): void
  poke(): void
  readonly waitingReadings: number
  /** Resources that the server notifies us of; empty = polling only. */
  readonly pushedBy: readonly string[]
  /** Readings before this instant (epoch seconds) have been posted. */
  readonly mirroredUntil: number | undefined
  stop(): Promise<void>
}

/** Runs one DER against a 2030.5 server: discovery, polling, event rules, responses, mirror metering. */
export function runCsipAgent(options: CsipAgentOptions): CsipAgent {
  const clock = options.clock ?? systemClock, log = options.log ?? silent
  const certified = lfdiOf(new X509Certificate(options.cert).raw), lfdi = options.lfdi?.toUpperCase() ?? certified
  const random = options.random ?? randomFrom(lfdi)
  const wire = options.wire ?? csipWire(options), store = options.store ?? memoryCsipStore()
  const wait = backoff(random)
  const interval_ms = (options.interval_s ?? 900) * 1000
  const lag_ms = (0.1 + 0.9 * random()) * (options.postWithin_s ?? 60) * 1000
  const decisions = new Map<string, Decision>()
  const answers = answersOf(wire, store.said, { lfdi, clock, log, description: DERControlResponse, onResponse: options.onResponse, forgotten: (mRID) => decisions.delete(mRID) })
  let dcap: DeviceCapabilityValue | undefined, own: EndDeviceValue | undefined, der: DERValue | undefined
  let assignments: FunctionSetAssignmentsValue[] = [], programs: Program[] = [], lines: EventLine[] = []
  let discoveredAt = -Infinity, pollRate_s = 300, standing = '[]', stopped = false
  let pollTimer: Timer | undefined, eventTimer: Timer | undefined, meterTimer: Timer | undefined
  let polling = false, hinted = false, answering: Promise<void> = Promise.resolve()
  let subscriber: EndDeviceValue | undefined
  const pushed = options.push ? subscriptions(wire, () => subscriber?.SubscriptionListLink, options.push, log) : undefined
  const meter = mirror(wire, () => dcap?.MirrorUsagePointListLink?.href ?? '/mup', {
    lfdi, series: options.device.series, store: store.readings,
    ...(options.pen === undefined ? {} : { pen: options.pen }), ...(options.roleFlags ? { roleFlags: options.roleFlags } : {}), ...(options.interval_s ? { interval_s: options.interval_s } : {}),
    ...(options.mirroredUntil === undefined ? {} : { mirroredUntil: options.mirroredUntil }),
  })

  async function time(): Promise<void> {
    if (!dcap?.TimeLink) return
    const tm = await wire.read(Time, dcap.TimeLink.href)
    options.onServerTime?.(tm.currentTime * 1000)
  }

  async function discover(): Promise<void> {
    dcap = await wire.read(DeviceCapability, wire.start)
    await time()
    await answers.remember()
    const { register, pin, connectionPoint } = options
    own = await ownRecord(wire, dcap, { lfdi, register, pin, connectionPoint }, Math.floor(clock.nowMs() / 1000))
    // SEP-153: an aggregator's subscriptions hang below the record of its own certificate
    subscriber = lfdi === certified ? own : await ownEndDevice(wire, dcap, certified)
    der = await firstDer(wire, own)
    if (der) await declare(der, true)
    assignments = (await readAssignments(wire, own)).items
    programs = []
    discoveredAt = clock.nowMs()
  }

  async function declare(of: DERValue, all: boolean): Promise<void> {
    const now = Math.floor(clock.nowMs() / 1000), { device } = options
    if (all && of.DERCapabilityLink) await wire.write('PUT', DERCapability, of.DERCapabilityLink.href, device.capability())
    if (all && of.DERSettingsLink) await wire.write('PUT', DERSettings, of.DERSettingsLink.href, device.settings(now))
    if (of.DERStatusLink) await wire.write('PUT', DERStatus, of.DERStatusLink.href, device.status(now))
    const availability = device.availability?.(now)
    if (of.DERAvailabilityLink && availability) await wire.write('PUT', DERAvailability, of.DERAvailabilityLink.href, availability)
  }

  /** Assignments, programs and their controls: what a change of ours would show in. */
  const watched = (): string[] => [own?.FunctionSetAssignmentsListLink?.href, ...assignments.map((a) => a.DERProgramListLink?.href), ...programs.map((p) => p.program.DERControlListLink?.href)].filter((h) => h !== undefined)

  /** Programs of all assignments; defaults are read again when the program's version moved. */
  async function look(): Promise<void> {
    const before = new Map(programs.map((p) => [p.program.mRID, p]))
    const now: Program[] = []
    const rates: number[] = []
    for (const fsa of assignments) {
      const list = await readPrograms(wire, fsa)
      if (list.pollRate !== undefined) rates.push(list.pollRate)
      for (const program of list.items) {
        if (now.some((p) => p.program.mRID === program.mRID)) continue
        const known = before.get(program.mRID)
        const fresh = known === undefined || known.program.version !== program.version
        now.push({ program, controls: await readControls(wire, program), defaultControl: fresh ? await readDefault(wire, program) : known.defaultControl })
      }
    }
    programs = now
    pollRate_s = options.pollEvery_s ?? (rates.length > 0 ? Math.min(...rates) : 300)
  }

  async function poll(): Promise<void> {
    if (polling || stopped) return
    polling = true
    let next_ms = 0
    try {
      if (clock.nowMs() - discoveredAt > (dcap?.pollRate ?? 900) * 1000) {
        await discover()
        await meter.begin(clock.nowMs())
      } else await time()
      await look()
      wait.reset()
      obey()
      await pushed?.keep(watched(), clock.nowMs())
      next_ms = pollRate_s * 1000 * (0.8 + random() * 0.4)
    } catch (error) {
      hinted = false
      next_ms = wait.next(error instanceof CsipError ? error.retryAfter_ms : undefined)
      // SEP-123: a program or a group that is gone: what we are in is read anew
      if (error instanceof CsipError && (error.status === 404 || error.status === 403)) discoveredAt = -Infinity
      log.warn({ lfdi, error: (error as Error).message, next_ms: Math.round(next_ms) }, '2030.5 poll failed')
      options.onTrouble?.(error as Error)
    } finally {
      polling = false
    }
    if (hinted) { hinted = false; void poll(); return }
    if (!stopped) pollTimer = clock.after(next_ms, () => void poll())
  }

  const category = options.deviceCategory === undefined ? undefined : Number.parseInt(options.deviceCategory, 16)
  const concernsUs = (c: DERControlValue): boolean => category === undefined || c.deviceCategory === undefined || (Number.parseInt(c.deviceCategory || '0', 16) & category) !== 0

  const decisionOf = (line: EventLine): Decision => {
    const known = decisions.get(line.control.mRID)
    if (known) return known
    const made = options.device.decide?.(line) ?? 'follow'
    decisions.set(line.control.mRID, made)
    return made
  }

  /** Who is in force now, told to the device when it changed; responses that are due now; sleep until the next change. */
  function obey(): void {
    if (stopped) return
    eventTimer?.cancel()
    const now = clock.nowMs()
    lines = eventLines(programs.map((p) => ({ ...p, controls: p.controls.filter(concernsUs) })), lfdi)
    const followed = lines.filter((l) => decisionOf(l) === 'follow')
    const line = timeline(modeClaims(followed, programs))
    const modes = line.at(now)
    const text = JSON.stringify([...modes.values()].map((c) => [c.topic, c.source, c.value.value, c.start, c.end]))
    if (text !== standing) { standing = text; told(modes) }
    answering = answering.then(() => answers.give(lines.map((line) => ({ line, due: (said) => dueStatuses(line, said, decisionOf(line), clock.nowMs()) }))))
    const edges = [line.nextChange(now), ...lines.flatMap((l) => [l.start, l.end, l.cancelledAt, l.supersededAt])].filter((e): e is number => typeof e === 'number' && e > now)
    if (edges.length > 0) eventTimer = clock.after(Math.min(...edges) - now, obey)
  }

  /** A device that throws must not stop the rules of the others' events, nor the process. */
  function told(modes: ReadonlyMap<string, Claim<Mode>>): void {
    try {
      options.device.follow(modes)
    } catch (error) {
      log.error({ lfdi, error: (error as Error).message }, 'the device failed to follow')
    }
  }

  async function measure(): Promise<void> {
    let next_ms = interval_ms - (clock.nowMs() % interval_ms) + lag_ms
    try {
      if (dcap) await meter.run(clock.nowMs())
      if (der && dcap) await declare(der, false)
    } catch (error) {
      next_ms = Math.min(next_ms, wait.next(error instanceof CsipError ? error.retryAfter_ms : undefined))
      log.warn({ lfdi, error: (error as Error).message }, 'readings wait')
    }
    if (!stopped) meterTimer = clock.after(next_ms, () => void measure())
  }

  pollTimer = clock.after(random() * (options.firstPollWithin_s ?? 5) * 1000, () => void poll())
  meterTimer = clock.after(interval_ms - (clock.nowMs() % interval_ms) + lag_ms, () => void measure())

  return {
    lfdi,
    events: () => lines,
    optOut(mRID) { decisions.set(mRID, 'optOut'); obey() },
    // What changes while we read may lie behind us: then all is read once more.
    poke() { if (polling) hinted = true; else { pollTimer?.cancel(); void poll() } },
    get waitingReadings() { return meter.waiting },
    get mirroredUntil() { return meter.mirroredUntil },
    get pushedBy() { return pushed?.by ?? [] },
    async stop() {
      if (stopped) return
      stopped = true
      for (const timer of [pollTimer, eventTimer, meterTimer]) timer?.cancel()
      await pushed?.end()
      if (!options.wire) await wire.close()
    },
  }
}
