import { X509Certificate } from 'node:crypto'
import { systemClock, type Clock, type Timer } from '#core/port/clock.js'
import { lfdiOf } from '#certs/lfdi.js'
import { DrResponse, FlowReservationResponseResponse, PriceResponse, TextResponse } from '#csip-server/wire/response.js'
import { backoff } from '#ven-client/backoff.js'
import { answersOf, type Answers } from '#ven-client/csip/answers.js'
import { scaled } from '#ven-client/csip/control.js'
import { DeviceCapability, readAssignments, type DeviceCapabilityValue, type EndDeviceValue, type FunctionSetAssignmentsValue } from '#ven-client/csip/discover.js'
import { endOf, eventLinesOf, rankOf, type EventValue, type Line } from '#ven-client/csip/event-line.js'
import {
  readGrants, readLoadControl, readMessages, readPrices, type EndDeviceControlValue, type FlowReservationResponseValue, type PricedInterval, type Read, type TextMessageValue,
} from '#ven-client/csip/function-sets.js'
import { ownRecord, type OwnRecord } from '#ven-client/csip/register.js'
import { reserve, withdraw, type Reservation, type Wish } from '#ven-client/csip/reservation.js'
import { dueStatuses, status, type Decision, type Said } from '#ven-client/csip/response.js'
import { memoryCsipStore, type CsipStore } from '#ven-client/csip/store.js'
import { CsipError, csipWire, type CsipTransport, type CsipWire } from '#ven-client/csip/transport.js'
import { silent, type Log } from '#ven-client/log.js'
import { randomFrom } from '#ven-client/random.js'
import { timeline, type Claim } from '#ven-client/timeline.js'

/** What load control asks: `Offset`, `SetPoint`, `DutyCycle`, `TargetReduction` or `ApplianceLoadReduction`, as it stands in the XML. */
export interface LoadForm { readonly name: string; readonly value: unknown; readonly event: EndDeviceControlValue }
export interface Grant { readonly power_W: number; readonly energy_Wh: number; readonly request: string }

/**
 * What a thermostat, a water heater, a car or a display implements; a function set without its method is not read. Each is called when what
 * holds from now on has changed, by our own clock.
 */
export interface Appliance {
  /** By name of the form; empty = nobody asks for anything (SEP-197). */
  shed?(forms: ReadonlyMap<string, Claim<LoadForm>>): void
  /** By mRID of the RateComponent (SEP-200). */
  price?(prices: ReadonlyMap<string, Claim<PricedInterval>>): void
  /** Texts to show now, the urgent first; several may stand at once (SEP-200). */
  show?(messages: readonly TextMessageValue[]): void
  /** By mRID of our request: what we may draw now (SEP-200). */
  charge?(grants: ReadonlyMap<string, Claim<Grant>>): void
  /** Asked once for each event, when it is first seen. */
  decide?(event: Line<EventValue>): Decision
  /** What it really does of a load control: members of DrResponse for 'started' and later (SEP-180). */
  applied?(event: EndDeviceControlValue): object
}

export interface CsipApplianceOptions extends CsipTransport, Partial<Pick<OwnRecord, 'register' | 'pin'>> {
  readonly appliance: Appliance
  /** The device that is acted for, when it is not the one of the certificate. */
  readonly lfdi?: string
  readonly wire?: CsipWire
  /** Where given responses outlive the process; in memory when unset. A folder of its own, not that of another agent. */
  readonly store?: CsipStore
  /** Hex bitmap: load control for other categories is not for us; unset = all is. */
  readonly deviceCategory?: string
  readonly pen?: number
  readonly clock?: Clock
  readonly log?: Log
  readonly random?: () => number
  readonly firstPollWithin_s?: number
  readonly pollEvery_s?: number
  readonly onResponse?: (mRID: string, status: number) => void
}

export interface CsipApplianceAgent {
  readonly lfdi: string
  events(): readonly Line<EventValue>[]
  /** The customer says no to an event, also while it runs (status 4). */
  optOut(mRID: string): void
  /** The customer has seen a message (status 11). */
  acknowledge(mRID: string): void
  reserve(wish: Wish): Promise<Reservation>
  /** False when there is no such reservation. */
  withdraw(mRID: string): Promise<boolean>
  poke(): void
  stop(): Promise<void>
}

const forms = ['ApplianceLoadReduction', 'DutyCycle', 'Offset', 'SetPoint', 'TargetReduction'] as const
const formsOf = (e: EndDeviceControlValue): string[] => forms.filter((f) => e[f] !== undefined)
const nothing: Read<never> = { found: [], pollRate_s: undefined }

/** One function set as it goes from addresses to the appliance. */
interface Part { poll(): Promise<number | undefined>; obey(now: number): void; answer(now: number): Promise<void>; remember(): Promise<void>; readonly lines: readonly Line<EventValue>[] }

/** Load control, prices, messages and flow reservations, for whatever is no DER; beside a DER's own agent when it is both. */
export function runCsipAppliance(options: CsipApplianceOptions): CsipApplianceAgent {
  const clock = options.clock ?? systemClock, log = options.log ?? silent, { appliance } = options
  const lfdi = options.lfdi?.toUpperCase() ?? lfdiOf(new X509Certificate(options.cert).raw)
  const random = options.random ?? randomFrom(`${lfdi} appliance`), wait = backoff(random)
  const wire = options.wire ?? csipWire(options), store = options.store ?? memoryCsipStore()
  const decisions = new Map<string, Decision>(), acknowledged = new Set<string>()
  let dcap: DeviceCapabilityValue | undefined, own: EndDeviceValue | undefined, assignments: FunctionSetAssignmentsValue[] = []
  let discoveredAt = -Infinity, polling = false, hinted = false, stopped = false, pollTimer: Timer | undefined, eventTimer: Timer | undefined, answering: Promise<void> = Promise.resolve()
  const seconds = (): number => Math.floor(clock.nowMs() / 1000)

  const decisionOf = (line: Line<EventValue>): Decision => {
    const known = decisions.get(line.control.mRID)
    if (known) return known
    const made = appliance.decide?.(line) ?? 'follow'
    decisions.set(line.control.mRID, made)
    return made
  }

  interface Form<E extends EventValue, T> {
    readonly read: () => Promise<Read<E>>
    readonly topicsOf: (event: E) => readonly string[]
    readonly tell: (claims: readonly Claim<E>[], now: number) => T
    readonly answers: Answers<E>
    readonly due?: (line: Line<E>, said: Said, decision: Decision, now: number) => number[]
  }
  function part<E extends EventValue, T>(form: Form<E, T>): Part {
    let lines: Line<E>[] = [], standing = ''
    const due = form.due ?? dueStatuses
    return {
      get lines() { return lines },
      async poll() {
        const { found, pollRate_s } = await form.read()
        lines = eventLinesOf(found, lfdi, form.topicsOf)
        return pollRate_s
      },
      obey(now) {
        const claims = lines.filter((l) => decisionOf(l) === 'follow').flatMap((l): Claim<E>[] =>
          [...form.topicsOf(l.control), ...(form.topicsOf(l.control).length === 0 ? [l.control.mRID] : [])].map((topic) => ({ topic, start: l.start, end: endOf(l), rank: rankOf(l), source: l.control.mRID, value: l.control })))
        const inForce = [...timeline(claims).at(now).values()]
        const text = JSON.stringify(inForce.map((c) => [c.topic, c.source, c.start, c.end, c.value]))
        if (text === standing) return
        standing = text
        try { form.tell(inForce, now) } catch (error) { log.error({ lfdi, error: (error as Error).message }, 'the appliance failed to follow') }
      },
      answer: (now) => form.answers.give(lines.map((line) => ({ line, due: (said) => due(line, said, decisionOf(line), now) }))),
      remember: () => form.answers.remember(),
    }
  }
  const answers = <E extends EventValue>(description: Parameters<typeof answersOf>[2]['description'], more: (event: E, status: number) => object = () => ({})) => answersOf<E>(wire, store.said, {
    lfdi, clock, log, description, own: more, keyPrefix: `${description.name}-`, onResponse: options.onResponse, forgotten: (mRID) => { decisions.delete(mRID); acknowledged.delete(mRID) },
  })
  const at = <E>(read: (w: CsipWire, d: DeviceCapabilityValue, a: readonly FunctionSetAssignmentsValue[]) => Promise<Read<E>>) => (): Promise<Read<E>> => dcap ? read(wire, dcap, assignments) : Promise.resolve(nothing)

  const category = options.deviceCategory === undefined ? undefined : Number.parseInt(options.deviceCategory, 16)
  const ours = (read: Read<EndDeviceControlValue>): Read<EndDeviceControlValue> => category === undefined ? read
    : { ...read, found: read.found.map((f) => ({ ...f, events: f.events.filter((e) => (Number.parseInt(e.deviceCategory || '0', 16) & category) !== 0) })) }

  const parts: Part[] = [
    ...appliance.shed ? [part<EndDeviceControlValue, void>({
      read: async () => ours(await at(readLoadControl)()), topicsOf: formsOf,
      tell: (claims) => appliance.shed?.(new Map(claims.map((c) => [c.topic, { ...c, value: { name: c.topic, value: c.value[c.topic as (typeof forms)[number]], event: c.value } }]))),
      answers: answers<EndDeviceControlValue>(DrResponse, (event, said) => said === status.received ? {} : appliance.applied?.(event) ?? {}),
    })] : [],
    ...appliance.price ? [part<PricedInterval, void>({
      read: at(readPrices), topicsOf: (e) => [e.rateComponent], tell: (claims) => appliance.price?.(new Map(claims.map((c) => [c.topic, c]))), answers: answers<PricedInterval>(PriceResponse),
    })] : [],
    ...appliance.show ? [part<TextMessageValue, void>({
      read: at(readMessages), topicsOf: () => [], answers: answers<TextMessageValue>(TextResponse), due: textStatuses(acknowledged),
      tell: (claims) => appliance.show?.(claims.map((c) => c.value).sort((a, b) => b.priority - a.priority || b.interval.start - a.interval.start)),
    })] : [],
    ...appliance.charge ? [part<FlowReservationResponseValue, void>({
      read: () => own ? readGrants(wire, own) : Promise.resolve(nothing), topicsOf: (e) => [e.subject.toUpperCase()], answers: answers<FlowReservationResponseValue>(FlowReservationResponseResponse),
      tell: (claims) => appliance.charge?.(new Map(claims.map((c) => [c.topic, { ...c, value: { request: c.topic, power_W: scaled(c.value.powerAvailable) ?? 0, energy_Wh: scaled(c.value.energyAvailable) ?? 0 } }]))),
    })] : [],
  ]

  async function discover(): Promise<EndDeviceValue> {
    dcap = await wire.read(DeviceCapability, wire.start)
    own = await ownRecord(wire, dcap, { lfdi, register: options.register, pin: options.pin }, seconds())
    for (const p of parts) await p.remember()
    assignments = (await readAssignments(wire, own)).items
    discoveredAt = clock.nowMs()
    return own
  }

  async function poll(): Promise<void> {
    if (polling || stopped) return
    polling = true
    let next_ms = 0
    try {
      if (clock.nowMs() - discoveredAt > (dcap?.pollRate ?? 900) * 1000) await discover()
      const rates: number[] = []
      for (const p of parts) rates.push(await p.poll() ?? Infinity)
      wait.reset()
      obey()
      next_ms = (options.pollEvery_s ?? Math.min(300, ...rates)) * 1000 * (0.8 + random() * 0.4)
    } catch (error) {
      hinted = false
      next_ms = wait.next(error instanceof CsipError ? error.retryAfter_ms : undefined)
      if (error instanceof CsipError && (error.status === 404 || error.status === 403)) discoveredAt = -Infinity // SEP-123
      log.warn({ lfdi, error: (error as Error).message, next_ms: Math.round(next_ms) }, '2030.5 poll failed')
    } finally {
      polling = false
    }
    if (hinted) { hinted = false; void poll(); return }
    if (!stopped) pollTimer = clock.after(next_ms, () => void poll())
  }

  const all = (): Line<EventValue>[] => parts.flatMap((p) => p.lines)
  function obey(): void {
    if (stopped) return
    eventTimer?.cancel()
    const now = clock.nowMs()
    for (const p of parts) p.obey(now)
    answering = answering.then(async () => { for (const p of parts) await p.answer(now) })
    const edges = all().flatMap((l) => [l.start, l.end, l.cancelledAt, l.supersededAt]).filter((e): e is number => e !== undefined && e > now)
    if (edges.length > 0) eventTimer = clock.after(Math.min(...edges) - now, obey)
  }

  pollTimer = clock.after(random() * (options.firstPollWithin_s ?? 5) * 1000, () => void poll())
  // What changes while we read may lie behind us: then all is read once more.
  const poke = (): void => { if (polling) hinted = true; else { pollTimer?.cancel(); void poll() } }
  return {
    lfdi, events: all, poke,
    optOut(mRID) { decisions.set(mRID, 'optOut'); obey() },
    acknowledge(mRID) { acknowledged.add(mRID); obey() },
    async reserve(wish) {
      const made = await reserve(wire, own ?? await discover(), wish, seconds(), options.pen)
      poke()
      return made
    },
    async withdraw(mRID) {
      const done = await withdraw(wire, own ?? await discover(), mRID, seconds())
      poke()
      return done
    },
    async stop() {
      if (stopped) return
      stopped = true
      pollTimer?.cancel()
      eventTimer?.cancel()
      await answering
      if (!options.wire) await wire.close()
    },
  }
}

/**
 * SEP-181, SEP-200: a text is received; where the customer's word is asked for, acknowledged once; what cannot be shown is said to be so.
 * Interpretation: showing a text is no participation, so 'started' and 'completed' are not said of one.
 */
const textStatuses = (acknowledged: ReadonlySet<string>) => (line: Line<TextMessageValue>, said: Said, decision: Decision, now: number): number[] => {
  const due = dueStatuses(line, said, decision, now).filter((s) => s !== status.started && s !== status.completed).map((s) => s === status.invalid ? status.cannotShow : s).filter((s) => !said.has(s))
  const asks = line.control.replyTo !== undefined && (Number.parseInt(line.control.responseRequired ?? '00', 16) & 4) !== 0
  return acknowledged.has(line.control.mRID) && asks && !said.has(status.acknowledged) ? [...due, status.acknowledged] : due
}
