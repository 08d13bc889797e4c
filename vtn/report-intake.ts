import type { Availability } from '#core/availability/availability.js'
import { system } from '#core/caller.js'
import type { Happening } from '#core/dispatch/delivery.js'
import { isRefusal } from '#core/error.js'
import type { AvailabilityIntake, ClaimIntake, DeliveryHappenings, OptOutIntake, ReadingIntake, ResourceDirectory } from '#core/port/intake.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { Resource } from '#core/program/resource.js'
import type { Context } from '#vtn/context.js'
import { orderKind, type OrderRecord } from '#vtn/dispatch-channel.js'
import { readReport, type ReportFacts } from '#vtn/report-facts.js'
import { reportTask } from '#vtn/report-task.js'
import { kindOf, type Content, type Stored } from '#vtn/stored.js'
import type { EventRequest } from '#vtn/wire/event.js'
import type { ReportRequest } from '#vtn/wire/report.js'
import { backoff, type Outcome, type Task } from '#vtn/worker.js'

export const claimedBaselineKind = 'vtn/claimed-baseline'

export interface IntakeNeeds {
  readonly context: Context
  readonly readings: ReadingIntake
  readonly happenings: DeliveryHappenings
  readonly availability: AvailabilityIntake
  readonly optOuts: OptOutIntake
  readonly claims: ClaimIntake
  readonly directory: ResourceDirectory
}

/**
 * What reports tell the core (CORE-093). The outbox row is written with the report, so nothing acknowledged is lost (REL-002);
 * every intake behind this takes the same facts twice without a second effect.
 */
export function reportIntake(needs: IntakeNeeds): Task {
  return { task: reportTask, atOnce: 200, work: (entries) => Promise.all(entries.map((entry) => take(needs, entry).catch((error: unknown): Outcome => {
    // One report that cannot be taken now holds up no other.
    needs.context.log.error({ err: error, clause: 'CORE-093', report: entry.subject }, 'a report could not be handed to the core; it is tried again')
    return { retryAt: needs.context.clock.nowMs() + backoff(entry.attempts), error: String(error) }
  }))) }
}

async function take(needs: IntakeNeeds, entry: AgendaEntry): Promise<Outcome> {
  const { documents, config } = needs.context
  // What was acknowledged counts, also when report or event were deleted before it could be told (OA-094).
  const kept = async (objectType: 'REPORT' | 'EVENT', id: string): Promise<Stored | undefined> =>
    await documents.get<Content>(config.tenant, kindOf[objectType], id) ?? (await documents.get<Stored>(config.tenant, `vtn/archived-${objectType.toLowerCase()}`, id))?.body
  const report = await kept('REPORT', entry.subject)
  if (!report) return 'done'
  const event = await kept('EVENT', report.parent)
  const [ven] = await documents.list<Content>(config.tenant, { kind: kindOf.VEN, owner: report.owner ?? '', limit: 1 })
  if (!event || !ven) {
    needs.context.log.warn({ clause: 'CORE-093', caller: report.owner, report: report.id }, 'a report without event or ven object tells the grid nothing')
    return 'done'
  }
  const resource = await resourceOf(needs, ven, report)
  const facts = readReport(report.body as unknown as ReportRequest, event.body as unknown as EventRequest, event.createdAt)
  for (const fault of facts.faults) needs.context.log.warn({ clause: 'CORE-093', caller: report.owner, report: report.id, fault }, 'part of a report was not understood')
  if (resource) {
    await storeReadings(needs, ven, report, resource, facts)
    await storeAvailability(needs, ven, resource, facts)
    await claim(needs, ven, report, resource, facts)
  } else if (facts.energy.length) {
    needs.context.log.warn({ clause: 'CORE-093', caller: report.owner, ven: ven.key }, 'readings of a VEN that no resource is bound to')
  }
  await storeBaselines(needs, report, facts)
  await tellDelivery(needs, report, event, resource, facts)
  return 'done'
}

/** The resource bound to the VEN, or to one named resource of it (`venName/resourceName`) when the report has just one. */
async function resourceOf({ directory, context }: IntakeNeeds, ven: Stored, report: Stored): Promise<Resource | undefined> {
  const names = (report.body as unknown as ReportRequest).resources.map((r) => r.resourceName)
  const [name] = names
  const narrow = names.length === 1 && name !== 'AGGREGATED_REPORT' ? await directory.byRemote(context.config.tenant, 'openadr', `${ven.key}/${name}`) : undefined
  return narrow ?? directory.byRemote(context.config.tenant, 'openadr', String(ven.key))
}

async function storeReadings({ readings, context }: IntakeNeeds, ven: Stored, report: Stored, resource: Resource, facts: ReportFacts): Promise<void> {
  if (!facts.energy.length) return
  try {
    await readings.record(system(context.config.tenant), facts.energy.map((e) => ({
      servicePoint: resource.servicePoint, channel: e.Wh < 0 ? 'export' : 'import', start: e.start, minutes: e.minutes, Wh: Math.abs(e.Wh), quality: e.quality,
      source: `openadr:${ven.key}`, lineage: report.id,
    })))
  } catch (error) {
    // What the core refuses as invalid will not become valid by trying again; the report itself stays as evidence.
    if (!isRefusal(error) || error.kind !== 'invalid') throw error
    context.log.warn({ clause: 'CORE-093', caller: report.owner, report: report.id, faults: error.faults.slice(0, 10) }, 'readings of a report were refused')
  }
}

async function storeAvailability({ availability, context }: IntakeNeeds, ven: Stored, resource: Resource, facts: ReportFacts): Promise<void> {
  if (!facts.available.length) return
  const issuedAt = context.clock.nowMs()
  const rows: Availability[] = facts.available.map((a) => ({ resource: resource.id, start: a.start, end: a.end, down_W: a.down_W, up_W: a.up_W, source: `openadr:${ven.key}`, issuedAt }))
  await availability.declare(system(context.config.tenant), rows)
}

/** CORE-093: a baseline that a VEN reports is only a claim: the core's to judge, by when it came and what the program settles on. */
async function claim({ claims, context }: IntakeNeeds, ven: Stored, report: Stored, resource: Resource, facts: ReportFacts): Promise<void> {
  if (facts.claimedBaseline.length) await claims.claim(system(context.config.tenant), { resource: resource.id, claims: facts.claimedBaseline, source: `openadr:${ven.key}`, lineage: `${report.id}/${report.version}` })
}

/** The claim as it was reported stays beside its report, whoever it is bound to. */
async function storeBaselines({ context }: IntakeNeeds, report: Stored, facts: ReportFacts): Promise<void> {
  if (!facts.claimedBaseline.length) return
  await context.documents.insertMany([{
    tenant: context.config.tenant, kind: claimedBaselineKind, id: report.id, parent: report.parent, owner: report.owner, body: facts.claimedBaseline,
  }], context.clock.nowMs(), { onConflict: 'replace' })
}

/** The order of an order event; the orders of its dispatch and VEN when it is a metering event. */
async function ordersOf({ documents, config: { tenant } }: Context, event: Stored, owner: string | null) {
  const order = await documents.get<OrderRecord>(tenant, orderKind, event.id)
  if (order) return order.owner === owner ? [order] : []
  const [, dispatch, venID] = /^metering-(.+)-([0-9a-f-]{36})$/.exec(event.id) ?? []
  if (dispatch === undefined || owner === null) return []
  return (await documents.list<OrderRecord>(tenant, { kind: orderKind, parent: dispatch, owner })).filter((o) => o.body.venID === venID)
}

/** Reports are the VEN's only words about an order (CORE-102). */
async function tellDelivery({ happenings, optOuts, context }: IntakeNeeds, report: Stored, event: Stored, resource: Resource | undefined, facts: ReportFacts): Promise<void> {
  const { tenant } = context.config
  const orders = await ordersOf(context, event, report.owner)
  for (const order of orders) {
    const told = (state: Happening['state'], reason?: string): Happening => ({ tenant, delivery: order.id, state, at: context.clock.nowMs(), remoteRef: order.id, ...(reason ? { reason } : {}) })
    const words = order.body.state === 'cancelled' || order.body.state === 'cancelling' ? [] : facts.words(order.body)
    if (words.length) await happenings.happened(words.map((w) => told(w.state, w.reason)))
    const declined = words.some((w) => w.state === 'optedOut' || w.state === 'rejected')
    if (declined) await context.documents.replace({ ...order, body: { ...order.body, state: 'declined' as const } }, context.clock.nowMs(), order.version)
  }
  if (orders.length) return
  // An opt-out that answers no order of ours still counts, for as long as the event lasts.
  if (facts.optedOut && resource) {
    const until = Number(event.sort1)
    await optOuts.optOut(system(tenant), { resource: resource.id, from: context.clock.now(), to: Number.isSafeInteger(until) && until < 8e12 ? until : null, reason: facts.optedOut, source: 'ven' })
  }
}
