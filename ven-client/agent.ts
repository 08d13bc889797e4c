import type { Timer } from '#core/port/clock.js'
import { backoff } from '#ven-client/backoff.js'
import { sayOf, type Device, type Order, type Say, type Verdict } from '#ven-client/device.js'
import { addresses, claimsOf } from '#ven-client/openadr/claim.js'
import type { VtnClient } from '#ven-client/openadr/client.js'
import { isPermanent, isVtnError, type VtnError } from '#ven-client/openadr/error.js'
import { eventFeed, type Change, type Feed, type FeedOptions } from '#ven-client/openadr/feed.js'
import { place, stateOf, type EventState, type Placement } from '#ven-client/openadr/interval.js'
import type { Event, Program, Resource, Ven } from '#ven-client/openadr/objects.js'
import { subscribePush, type Push, type PushOptions } from '#ven-client/openadr/push.js'
import { reporter, type Reporter } from '#ven-client/openadr/reporter.js'
import { reportQueue, type ReportQueue, type ReportStore } from '#ven-client/openadr/report-queue.js'
import type { ScheduleOptions } from '#ven-client/openadr/report-schedule.js'
import { pause } from '#ven-client/openadr/request.js'
import { timeline } from '#ven-client/timeline.js'

export interface AgentOptions extends Pick<FeedOptions, 'pollEvery_s' | 'firstPollWithin_s' | 'query'> {
  readonly venName: string
  readonly devices: readonly Device[]
  /** Where waiting reports outlive the process (`diskStore(folder)`); in memory when unset. */
  readonly store?: ReportStore
  readonly reports?: ScheduleOptions & { readonly within_s?: number }
  readonly onChange?: (change: Change) => void
  readonly onReport?: (key: string) => void
  readonly onOrder?: (device: Device, order: Order) => void
  /** The VTN cannot be reached, or cannot register us now; it is tried again. */
  readonly onTrouble?: (error: VtnError) => void
  /** The VTN refused for good; the agent has stopped polling, devices keep what they were told until its end. */
  readonly onStopped?: (error: VtnError) => void
  /** Be told at once, by MQTT or a webhook, where the VTN offers it; polling goes on beside it. */
  readonly push?: PushOptions
  readonly signal?: AbortSignal
}

export interface Agent {
  /** Resolves when the ven and its resources are registered; rejects when the VTN refuses for good. */
  readonly ready: Promise<Ven>
  /** A push hint (webhook, MQTT): poll at once. */
  poke(): void
  /** The customer says no to an event that runs or will run (OA-208). */
  optOut(eventID: string): void
  /** After a grid outage: limits are dropped, the subscription counts, and the VTN is asked again (OA-210). */
  afterOutage(): void
  events(): readonly { event: Event; state: EventState }[]
  order(device: Device): Order | undefined
  readonly waitingReports: number
  /** By what the VTN tells us at once; empty = polling only. */
  readonly pushedBy: Push['by']
  /** Waits for reports that can be sent now. */
  idle(): Promise<void>
  stop(): void
}

/** Orders further away than this are planned when they come nearer. */
const horizon_ms = 8 * 86_400_000
const limits = [['IMPORT_CAPACITY_LIMIT', 'IMPORT_CAPACITY_SUBSCRIPTION'], ['EXPORT_CAPACITY_LIMIT', 'EXPORT_CAPACITY_SUBSCRIPTION']] as const

/** Runs devices against a VTN: registers, polls, turns events into orders at their time, reports. One timer, whatever the number of events. */
export function runAgent(client: VtnClient, options: AgentOptions): Agent {
  const { clock, log } = client
  const abort = new AbortController()
  const queue: ReportQueue = reportQueue(client, { ...(options.store ? { store: options.store } : {}), ...(options.onReport ? { onSent: options.onReport } : {}) })
  const planned = new Map<string, { event: Event; placement: Placement }>()
  const refused = new Map<string, Map<Device, Verdict>>()
  const heard = new Set<string>()
  const orders = new Map<Device, { order: Order; text: string }>()
  let ven: Ven | undefined
  let resources = new Map<string, Resource>()
  let programs = new Map<string, Program>()
  let push: Push | undefined
  let feed: Feed | undefined, reports: Reporter | undefined, timer: Timer | undefined
  let withoutLimits = false

  async function register(): Promise<Ven> {
    const wait = backoff(client.random)
    await pause(clock, client.random() * (options.firstPollWithin_s ?? 5) * 1000, abort.signal)
    for (;;) {
      try {
        const own = await client.registerVen(options.venName, undefined, { signal: abort.signal })
        const list = await Promise.all(options.devices.map((d) => client.registerResource(own, d.name, d.attributes, { signal: abort.signal })))
        resources = new Map(list.map((r) => [r.resourceName, r]))
        return own
      } catch (error) {
        if (!isVtnError(error) || isPermanent(error) || error.kind === 'aborted') throw error
        log.warn({ kind: error.kind }, 'registration failed, will try again')
        options.onTrouble?.(error)
        await pause(clock, wait.next(error.retryAfter_ms), abort.signal)
      }
    }
  }

  const known = (target: string): boolean => ven?.targets?.includes(target) === true || [...resources.values()].some((r) => r.targets?.includes(target))

  /** A VTN with privacy shows only what is ours (OA-104); a target that we cannot place, even after asking again, is for all our devices there. */
  const mine = (event: Event, device: Device): boolean =>
    addresses(event, resources.get(device.name)?.targets ?? [], ven?.targets ?? []) || (client.dialect.privacy && !(event.targets ?? []).some(known))

  /** Targets are business logic's to write (OA-080), often long after we registered: an unknown one makes us read our own objects again. */
  async function learnTargets(events: readonly Event[]): Promise<void> {
    if (!ven || events.every((e) => (e.targets ?? []).every(known))) return
    try {
      const signal = { signal: abort.signal }
      ven = (await client.vens({ venName: ven.venName }, signal)).find((v) => v.id === ven?.id) ?? ven
      resources = new Map((await client.resources({ venID: ven.id }, signal)).map((r) => [r.resourceName, r]))
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'own targets cannot be read')
    }
  }

  /** Programs are read rarely (OA-203): when an event leaves its units to a program that we have not seen. */
  async function learnPrograms(events: readonly Event[]): Promise<void> {
    if (events.every((e) => programs.has(e.programID) || (e.intervals ?? []).every((i) => i.payloads.every((p) => e.payloadDescriptors?.some((d) => d.payloadType === p.type))))) return
    try {
      programs = new Map((await client.programs({}, { signal: abort.signal })).map((p) => [p.id, p]))
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'programs cannot be read')
    }
  }
  const defaultsOf = (event: Event) => programs.get(event.programID)?.payloadDescriptors ?? []

  /** A device that throws says that it cannot; the others and the process go on. */
  function asked(ask: () => Verdict): Verdict {
    try {
      return ask()
    } catch (error) {
      log.error({ error: (error as Error).message }, 'the device failed to follow')
      return 'reject'
    }
  }

  let changing: Promise<void> = Promise.resolve()
  function onChanges(changes: readonly Change[], all: readonly Event[]): void {
    changing = changing.then(() => Promise.all([learnTargets(all), learnPrograms(all)])).then(() => abort.signal.aborted ? undefined : apply(changes, all))
      .catch((error: unknown) => log.error({ error: (error as Error).message }, 'changes cannot be applied'))
  }

  function apply(changes: readonly Change[], all: readonly Event[]): void {
    for (const change of changes) {
      if (change.kind === 'removed') for (const forgets of [planned, refused, heard]) forgets.delete(change.event.id)
      else planned.set(change.event.id, { event: change.event, placement: place(change.event, { venID: ven?.id ?? '', seen_ms: clock.nowMs() }) })
      options.onChange?.(change)
    }
    withoutLimits = false
    reports?.update(all)
    for (const change of changes) if (change.kind !== 'removed') consider(change.event.id)
    obey()
  }

  /** Orders to come are shown to the devices as they will stand at their start; the VTN hears what they think of it. */
  function consider(eventID: string): void {
    const one = planned.get(eventID)
    if (!one || one.placement.cancelled || !one.placement.lifespan) return
    const { start } = one.placement.lifespan
    if (stateOf(one.placement, clock.nowMs()) === 'pending' && !heard.has(eventID)) {
      for (const device of options.devices.filter((d) => mine(one.event, d))) {
        const claims = claimsOf(one.event, one.placement, start, start + 1, defaultsOf(one.event))
        const verdict = claims.length === 0 ? 'follow' : asked(() => device.consider?.({ at: start, until: one.placement.lifespan?.end ?? null, says: new Map(claims.map((c) => [c.topic, sayOf(c)])) }) ?? 'follow')
        if (verdict !== 'follow') refuse(eventID, device, verdict)
      }
    }
    if (!heard.has(eventID)) void reports?.tell(one.event, 'OPERATING_STATE')
    heard.add(eventID)
  }

  /** Asks the timeline what is in force for each device, tells those for whom it changed, sleeps until the next change (OA-205). */
  function obey(): void {
    timer?.cancel()
    const now = clock.nowMs()
    let next: number | null = now + horizon_ms / 2
    for (const device of options.devices) {
      const claims = [...planned.values()]
        .filter(({ event }) => mine(event, device) && !refused.get(event.id)?.has(device))
        .flatMap(({ event, placement }) => claimsOf(event, placement, now, now + horizon_ms, defaultsOf(event)))
      const line = timeline(claims)
      const until = line.nextChange(now)
      if (until !== null && until < next) next = until
      const says = new Map([...line.at(now)].map(([type, claim]) => [type, sayOf(claim)]))
      tell(device, { at: now, until, says: withDefaults(says) })
    }
    timer = clock.after(next - now, obey)
  }

  /** OA-210: where no limit is in force, the subscription is the limit. */
  function withDefaults(says: Map<string, Say>): Map<string, Say> {
    for (const [limit, subscription] of limits) {
      if (withoutLimits) says.delete(limit)
      const fallback = says.get(subscription)
      if (!says.has(limit) && fallback) says.set(limit, { ...fallback, type: limit })
    }
    return says
  }

  function tell(device: Device, order: Order): void {
    const text = JSON.stringify([...order.says.values()])
    const before = orders.get(device)
    orders.set(device, { order, text })
    if (before ? before.text === text : order.says.size === 0) return
    options.onOrder?.(device, order)
    const verdict = asked(() => device.follow(order))
    const now = sourcesOf(order), earlier = before ? sourcesOf(before.order) : new Set<string>()
    for (const source of new Set([...now, ...earlier])) {
      if (verdict !== 'follow' && now.has(source)) refuse(source, device, verdict)
      else if (now.has(source) && earlier.has(source)) continue             // goes on as before
      const about = planned.get(source)
      if (about && reports) void reports.tell(about.event, 'OPERATING_STATE')
    }
  }

  const sourcesOf = (order: Order): Set<string> => new Set([...order.says.values()].map((s) => s.source))

  function refuse(eventID: string, device: Device, verdict: Verdict): void {
    refused.set(eventID, (refused.get(eventID) ?? new Map<Device, Verdict>()).set(device, verdict))
  }

  const ready = register().then((own) => {
    ven = own
    reports = reporter({
      client, queue, clientName: options.venName, venID: own.id, ...options.reports,
      devicesFor: (event, targets) => options.devices.filter((d) => mine(event, d) &&
        (targets.length === 0 || targets.includes(d.name) || targets.some((x) => resources.get(d.name)?.targets?.includes(x)))),
      verdict: (event, device) => refused.get(event.id)?.get(device) ?? 'follow',
    })
    feed = eventFeed(client, {
      ...(options.pollEvery_s === undefined ? {} : { pollEvery_s: options.pollEvery_s }), firstPollWithin_s: 0,
      ...(options.query ? { query: options.query } : {}), onChanges,
      onStopped: (error) => options.onStopped?.(error),
    })
    if (options.push && !abort.signal.aborted) push = subscribePush(client, { ...options.push, venID: own.id, clientName: options.venName, onHint: () => feed?.poke(), signal: abort.signal })
    return own
  })
  ready.catch((error: unknown) => {
    if (isVtnError(error) && error.kind === 'aborted') return
    log.error({ error: (error as Error).message }, 'the agent cannot register')
    if (isVtnError(error)) options.onStopped?.(error)
  })

  const stop = (): void => {
    abort.abort()
    feed?.stop(); reports?.stop(); void push?.stop().catch(() => {}); queue.stop(); timer?.cancel()
  }
  options.signal?.addEventListener('abort', stop, { once: true })

  return {
    ready, stop,
    poke: () => feed?.poke(),
    optOut(eventID) {
      for (const device of options.devices) refuse(eventID, device, 'optOut')
      const about = planned.get(eventID)
      if (about && reports) void reports.tell(about.event, 'OPERATING_STATE')
      obey()
    },
    afterOutage() { withoutLimits = true; obey(); feed?.poke() },
    events: () => [...planned.values()].map(({ event, placement }) => ({ event, state: stateOf(placement, clock.nowMs()) })),
    order: (device) => orders.get(device)?.order,
    get pushedBy() { return push?.by ?? [] },
    get waitingReports() { return queue.length },
    idle: () => queue.idle(),
  }
}
