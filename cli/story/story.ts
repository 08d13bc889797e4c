import { DateTime } from 'luxon'
import type { Loadstone } from '#main/shape.js'
import { operatorClient, type OperatorClient } from '#cli/client.js'
import { checksOf } from '#cli/story/checks.js'
import type { StoryClock } from '#cli/story/clock.js'
import { feederOf, issueCredentials } from '#cli/story/credentials.js'
import type { StoryDocument } from '#cli/story/document.js'
import { startFleetProcess, type FleetProcess } from '#cli/story/fleet-process.js'
import { loadHistory } from '#cli/story/history.js'
import { pacedPlan } from '#cli/story/plan.js'
import { enrolSites, inParallel, inParts, madeBefore, makeProgram, makeSites, type Site } from '#cli/story/provision.js'
import { beat_ms, type StateFile, type StoryState } from '#cli/story/state.js'
import { follow, type DispatchView, type DeliveryView, type PerformanceView } from '#cli/story/watch.js'
import { fleetPlan, type Ledger, type PlannedDevice } from '#sim/fleet.js'
import type { Behaviour, Diary } from '#sim/device.js'

/** What the teller says while the story runs; on a terminal a progress bar, in a pipe nothing or a line. */
export interface Teller {
  stage(title: string): void
  progress(done: number, of: number, note?: string): void
  line(text: string): void
}

export interface StoryNeeds {
  readonly server: Loadstone
  readonly clock: StoryClock
  readonly state: StateFile
  readonly begin: StoryState
  readonly demoFile: (name: string) => string
  readonly tell: Teller
  /** Ends the story where it stands; its devices go first. */
  readonly signal: AbortSignal
}

const seed = 7
/** How long a busy machine may take, beyond the event's own time, until the last readings are in and verified. */
const patience_ms = 240_000
/** A few devices misbehave on purpose (contract §5): one opts out, one goes silent, one rejects. */
function planted(devices: readonly PlannedDevice[]): Record<string, Behaviour> {
  const nth = (protocol: PlannedDevice['protocol'], n: number): string | undefined => devices.filter((d) => d.protocol === protocol)[n]?.name
  const out: [string | undefined, Behaviour][] = [[nth('openadr', 1), 'optout'], [nth('ieee2030_5', 2), 'silent'], [nth('ocpp', 3), 'reject']]
  return Object.fromEntries(out.filter((pair): pair is [string, Behaviour] => pair[0] !== undefined))
}

/** The main job, played by an operator who has nothing but the public doors. Resolves with the document; every number comes from the server or the devices. */
export async function tellStory(needs: StoryNeeds): Promise<Omit<StoryDocument, 'elapsed_s'>> {
  const { server, clock, state, begin } = needs, { plan } = begin
  const { ready } = server
  const operator = operatorClient(ready.operator as string, ready.operatorToken as string)
  const devices = fleetPlan(plan, { seed, timeZone: plan.zone })
  const behaviours = planted(devices)
  let now: StoryState = begin
  const save = (change: Partial<StoryState>): void => { now = { ...now, ...change, clockMs: clock.nowMs() }; state.write(now) }
  const here = <T>(work: Promise<T>): Promise<T> => unlessAborted(needs.signal, work)
  try {
    if (now.stage === 'new') await here(prepare(needs, operator, devices, save, now))
    if (now.stage === 'again') await here(catchUp(needs, operator, devices, save, now))
    const beat = setInterval(() => state.tick(clock.nowMs()), beat_ms)
    const fleet = fleetOf(needs, devices, now, behaviours)
    try {
      await here(bringUp(needs, fleet, now))
      const dispatch = await here(order(needs, operator, now, save))
      const last = await here(watch(needs, operator, now.plan, dispatch.id))
      const document = await here(result(needs, operator, fleet, last, behaviours, devices))
      save({ stage: 'finished' })
      return document
    } finally {
      clearInterval(beat)
      clock.pace(1)
      needs.tell.stage('the devices go')
      await fleet.stop()
    }
  } finally {
    await (needs.signal.aborted ? operator.abandon() : operator.close())
  }
}

const feeders = (devices: readonly PlannedDevice[], lfdis: Readonly<Record<string, string>>): Site[] =>
  devices.map((device, i) => ({ device, feeder: feederOf(i), remoteId: device.protocol === 'ieee2030_5' ? (lfdis[device.name] as string) : device.name }))

/** Everything that must be there before the first device connects; run again after a stop it makes what is missing. */
async function prepare({ server, tell }: StoryNeeds, operator: OperatorClient, devices: readonly PlannedDevice[], save: (change: Partial<StoryState>) => void, begun: StoryState): Promise<void> {
  const { plan } = begun
  tell.stage('program, service points, resources')
  const made = await madeBefore(operator)
  // kept at once: a start that is stopped from here on is taken up with the same keys
  const { credentials, lfdis } = Object.keys(begun.lfdis).length > 0 ? begun : await issueCredentials(server, operator, devices)
  save({ credentials, lfdis })
  const fleet = feeders(devices, lfdis)
  if (!made.program) await makeProgram(operator, plan)
  await inParts(fleet, (sites) => makeSites(operator, plan, sites, made), (done) => tell.progress(done, fleet.length))
  tell.stage('45 days of history')
  const expected = fleet.length * Math.round((plan.opens - plan.historyFrom) / 900)
  const begunMs = performance.now()
  const readingsLoaded = await loadHistory(operator, plan, fleet, (rows) => tell.progress(rows, expected, 'readings'))
  const paced = pacedPlan(plan, { rows: readingsLoaded, seconds: (performance.now() - begunMs) / 1000 })
  tell.stage('enrolment')
  await inParts(fleet.filter((s) => !made.enrolled.has(s.device.servicePoint)), (sites) => enrolSites(operator, sites), (done) => tell.progress(done, fleet.length))
  await declareBuildings(operator, plan, fleet)
  save({ stage: 'provisioned', plan: paced, credentials, lfdis, readingsLoaded })
}

/** The next order after a finished story: the days between are history by then. */
async function catchUp({ tell }: StoryNeeds, operator: OperatorClient, devices: readonly PlannedDevice[], save: (change: Partial<StoryState>) => void, { plan, lfdis }: StoryState): Promise<void> {
  tell.stage('the days since the last order')
  const fleet = feeders(devices, lfdis)
  const expected = fleet.length * Math.round((plan.opens - plan.historyFrom) / 900)
  const readingsLoaded = await loadHistory(operator, plan, fleet, (rows) => tell.progress(rows, expected, 'readings'))
  await declareBuildings(operator, plan, fleet)
  save({ stage: 'provisioned', readingsLoaded })
}

/** What each building said it can leave away when it enrolled; batteries and chargers speak for themselves over their protocols. */
async function declareBuildings(operator: OperatorClient, plan: StoryState['plan'], fleet: readonly Site[]): Promise<void> {
  const rows = fleet.filter((s) => s.device.protocol === 'openadr').map((s) => ({
    resource: s.device.name, start: new Date(plan.start * 1000).toISOString(), end: new Date(plan.end * 1000).toISOString(), down_kW: (s.device.site.rated_W / 1000) * 0.4, up_kW: 0,
  }))
  await operator.call('POST', '/availability', { availability: rows })
}

/** The work's result, or a failure the moment that the story is to end; what the work still does is for nobody. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  return Promise.race([work, new Promise<never>((_, fail) => { signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true }) })])
}

function fleetOf({ server, tell, demoFile }: StoryNeeds, devices: readonly PlannedDevice[], { plan, credentials, orderKey }: StoryState, misbehave: Record<string, Behaviour>): FleetProcess {
  const { vtn, csip, ocppTls } = server.ready
  tell.stage(`${devices.length} devices connect`)
  return startFleetProcess({
    devices, credentials, misbehave, lapse: plan.rate, spread_s: Math.min(60, devices.length / 20) * (plan.rate / 10), poll_s: { vtn: 120, csip: 240 },
    endpoints: { ...(vtn ? { vtn } : {}), ...(csip ? { csip } : {}), ...(ocppTls ? { ocppTls } : {}) },
  }, demoFile('fleet.json'), orderKey)
}

/** Time goes fast from the moment that the devices can: what a process needs to load would be minutes of an event that goes on. */
async function bringUp({ tell, clock, signal }: StoryNeeds, fleet: FleetProcess, { plan }: StoryState): Promise<void> {
  await fleet.loaded()
  clock.pace(plan.rate)
  fleet.begin()
  for (let waited = 0; waited < 120 && !signal.aborted; waited++) {
    const { up, of } = await fleet.connected()
    tell.progress(up, of)
    if (up >= of || clock.now() >= plan.orders) break
    await new Promise((done) => { setTimeout(done, 250) })
  }
}

/** Waits for the hour of the order, then orders; asked again after a crash, the same key gives the same dispatch. */
async function order({ clock, tell }: StoryNeeds, operator: OperatorClient, { plan, dispatch, orderKey }: StoryState, save: (change: Partial<StoryState>) => void): Promise<DispatchView> {
  if (dispatch !== null) return operator.call<DispatchView>('GET', `/dispatches/${dispatch}`)
  await until(clock, plan.orders)
  tell.stage(`order: reduce ${plan.power_kW / 1000} MW`)
  const made = await operator.call<DispatchView>('POST', '/dispatches', {
    program: 'peak', power_kW: plan.power_kW, start: new Date(plan.start * 1000).toISOString(), end: new Date(plan.end * 1000).toISOString(), reason: 'the main job',
  }, { 'idempotency-key': orderKey })
  save({ stage: 'ordered', dispatch: made.id })
  const { byProtocol: b, shortfall_kW } = made.allocation
  tell.line(`split: OpenADR ${b.openadr} kW, IEEE 2030.5 ${b.ieee2030_5} kW, OCPP ${b.ocpp} kW, short ${shortfall_kW} kW`)
  return made
}

const until = (clock: StoryClock, at: number): Promise<void> => new Promise((done) => { clock.after(Math.max(0, at * 1000 - clock.nowMs()), done) })

async function watch({ clock, tell, signal }: StoryNeeds, operator: OperatorClient, plan: StoryState['plan'], id: string): Promise<{ dispatch: DispatchView; deliveries: readonly DeliveryView[] }> {
  let seen: readonly DeliveryView[] = []
  tell.stage('the event')
  const dispatch = await follow(operator, id, (d, deliveries, soFar) => {
    seen = deliveries
    const count = (...states: string[]): number => deliveries.filter((x) => states.includes(x.state)).length
    const minutes = (s: number): number => Math.floor(Math.max(0, s) / 60)
    tell.progress(Math.min(minutes(clock.now() - plan.start), minutes(plan.end - plan.start)), minutes(plan.end - plan.start),
      `minutes, ${d.state}${soFar && soFar.delivered_kWh !== null ? `, ${Math.round(soFar.delivered_kWh)} of ${Math.round(soFar.asked_kWh)} kWh so far` : ''}; ${count('accepted', 'received', 'started', 'completed')} of ${deliveries.length} obey, ${count('optedOut', 'rejected', 'noComms')} do not`)
  }, ((plan.closes - plan.orders) * 1000) / plan.rate + patience_ms, signal)
  return { dispatch, deliveries: seen }
}

async function result(needs: StoryNeeds, operator: OperatorClient, fleet: FleetProcess, { dispatch }: { dispatch: DispatchView }, behaviours: Record<string, Behaviour>, devices: readonly PlannedDevice[]): Promise<Omit<StoryDocument, 'elapsed_s'>> {
  const { begin: { plan }, tell, server } = needs
  tell.stage('verification and settlement')
  const deliveries = await operator.all<DeliveryView>(`/dispatches/${dispatch.id}/deliveries`)
  const performance = await operator.call<PerformanceView>('GET', `/dispatches/${dispatch.id}/performance`)
  const { run, statements } = await settle(operator, needs.begin)
  const verified = await operator.call<{ verified: boolean; records: number }>('GET', '/audit/verify')
  const [meters, diaries] = await Promise.all([fleet.meters(), fleet.says()])
  const told = await readingsOf(operator, devices, plan)
  const count = (...states: string[]): number => deliveries.filter((x) => states.includes(x.state)).length
  const lost = new Set(['optedOut', 'rejected', 'noComms'])
  const document: Omit<StoryDocument, 'elapsed_s' | 'checks'> = {
    order: { power_kW: dispatch.power_kW, start: dispatch.start, end: dispatch.end },
    allocation: { byProtocol: dispatch.allocation.byProtocol, total_kW: dispatch.allocation.total_kW, shortfall_kW: dispatch.allocation.shortfall_kW },
    deliveries: {
      sent: deliveries.filter((x) => x.sentAt !== null).length, accepted: count('accepted', 'started', 'completed'), completed: count('completed'), optedOut: count('optedOut'), rejected: count('rejected'), noComms: count('noComms'),
      reallocated_kW: deliveries.filter((x) => x.revision > 1 && !lost.has(x.state)).reduce((sum, x) => sum + x.allocated_W, 0) / 1000,
    },
    readings: { received: told.received, byProtocol: told.byProtocol, rejected: diaries.filter((d) => d.behaviour === 'garbage').reduce((sum, d) => sum + d.rejected, 0) },
    baseline: { method: performance.method, days: [...performance.days], energy_kWh: performance.baseline_kWh ?? 0 },
    metered_kWh: performance.metered_kWh ?? 0, delivered_kWh: performance.delivered_kWh ?? 0, performance: performance.performance ?? 0,
    settlement: { currency: run.currency, revenue: run.revenue, customerPool: run.customerPool, aggregator: run.aggregator, statements: statements.length },
    audit: { records: verified.records, verified: verified.verified },
    intervals: performance.intervals.map((i) => ({ start: i.start, baseline_kW: i.baseline_kW, actual_kW: i.actual_kW, target_kW: i.baseline_kW - dispatch.power_kW })),
    urls: { console: `${server.ready.operator}/#/dispatches/${dispatch.id}`, api: `${server.ready.operator}/docs`, vtn: server.ready.vtn ?? '', csip: server.ready.csip ?? '', ocpp: server.ready.ocppTls ?? '' },
  }
  if (performance.status !== 'OK') tell.line(`verification: ${performance.status}: ${performance.reasons.join('; ')}`)
  const checks = checksOf({ document, deliveries, meters, diaries, server_Wh: told.net_Wh, points: told.points, window: { start: plan.start, end: plan.end }, statements, planted: behaviours })
  return { ...document, checks }
}

interface Run { readonly id: string; readonly state: string; readonly currency: string; readonly revenue: string; readonly customerPool: string; readonly aggregator: string }

/** The analyst calculates, another person approves (CORE-186), then the statements are issued. */
async function settle(operator: OperatorClient, { plan, orderKey }: StoryState): Promise<{ run: Run; statements: { amount: string }[] }> {
  const token = async (role: string, user: string): Promise<OperatorClient> => operator.as((await operator.call<{ token: string }>('POST', '/tokens', { role, user, expiresIn_s: 86_400 })).token)
  const [analyst, approver] = [await token('settlement', 'sofia'), await token('approver', 'amir')]
  const day = DateTime.fromISO(plan.day, { zone: plan.zone }), period = { from: day.toISO(), to: day.plus({ days: 1 }).toISO() }
  const { id } = await analyst.call<Run>('POST', '/settlement-runs', { program: 'peak', ...period }, { 'idempotency-key': `${orderKey}-settlement` })
  // asked again after a crash, the same key gives the same run: each step is taken where it has not been
  const made = await analyst.call<Run>('GET', `/settlement-runs/${id}`)
  if (made.state === 'calculated') await approver.call('POST', `/settlement-runs/${id}/approve`, {})
  const run = made.state === 'issued' ? made : await analyst.call<Run>('POST', `/settlement-runs/${id}/issue`, {})
  return { run, statements: await operator.all(`/statements?run=${id}`) }
}

interface ReadingView { readonly servicePoint: string; readonly start: string; readonly Wh: number; readonly channel: 'import' | 'export'; readonly source: string }

/** What the server holds of the event, point by point, and by which protocol it came. */
async function readingsOf(operator: OperatorClient, devices: readonly PlannedDevice[], plan: StoryState['plan']) {
  const byProtocol = { openadr: 0, ieee2030_5: 0, ocpp: 0 }, points: string[] = []
  let net_Wh = 0, received = 0
  const at = (s: number): string => encodeURIComponent(new Date(s * 1000).toISOString())
  await inParallel(devices, 8, async (device) => {
    const rows = await operator.all<ReadingView>(`/readings?servicePoint=${device.servicePoint}&from=${at(plan.opens)}&to=${at(plan.closes)}`)
    const over = rows.filter((r) => r.source.startsWith(`${device.protocol}:`))
    received += over.length
    byProtocol[device.protocol] += over.length
    const inside = over.filter((r) => Date.parse(r.start) / 1000 >= plan.start && Date.parse(r.start) / 1000 < plan.end)
    if (inside.length === 0) return
    points.push(device.servicePoint)
    net_Wh += inside.reduce((sum, r) => sum + (r.channel === 'import' ? r.Wh : -r.Wh), 0)
  })
  return { received, byProtocol, points, net_Wh }
}

export type { Diary, Ledger }
