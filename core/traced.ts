import type { Channels } from '#core/dispatch/deliver.js'
import type { Delivery, DeliveryState } from '#core/dispatch/delivery.js'
import type { Handler } from '#core/dispatch/timetable.js'
import type { Clock } from '#core/port/clock.js'
import type { DeliveryOrder, DispatchChannel } from '#core/port/dispatch-channel.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { Stores } from '#core/port/store/index.js'
import { spanned, type Trace, type TraceContext } from '#core/port/trace.js'

/**
 * UX-072: what is stored while a trace runs takes it along: outbox rows in their payload, deliveries in their order. An hour later, in
 * another process, the row's task and the device's answer still belong to the operator's click.
 */
export function carrying(stores: Stores, context: TraceContext | undefined): Stores {
  if (context === undefined) return stores
  const { agenda, deliveries } = stores
  return {
    ...stores,
    agenda: { ...agenda, add: (entries) => agenda.add(entries.map((e) => (isObject(e.payload) ? { ...e, payload: { trace: context, ...e.payload } } : e))) },
    deliveries: { ...deliveries, insertMany: (drafts) => deliveries.insertMany(drafts.map((d) => ({ ...d, order: { ...d.order, trace: context } }))) },
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

const contextOf = ({ payload }: AgendaEntry): TraceContext | undefined => (isObject(payload) && typeof payload.trace === 'string' ? payload.trace : undefined)

/** Each task as a span of the trace that put it on the timetable; what belongs to none stays quiet. */
export function tracedTasks(tasks: Readonly<Record<string, Handler>>, trace: Trace): Readonly<Record<string, Handler>> {
  if (!trace.on) return tasks
  return Object.fromEntries(Object.entries(tasks).map(([task, handle]): [string, Handler] => [task, async (entry) => {
    const parent = contextOf(entry)
    return parent === undefined ? handle(entry) : spanned(trace, `task ${task}`, { parent, kind: 'consumer', attributes: { 'loadstone.subject': entry.subject, 'loadstone.attempt': entry.attempts } }, async () => handle(entry))
  }]))
}

/** Each word to the devices of a protocol as a span. */
export function tracedChannels(channels: Channels, trace: Trace): Channels {
  if (!trace.on) return channels
  const facts = (orders: readonly DeliveryOrder[]) => ({ kind: 'producer' as const, attributes: { 'loadstone.dispatch': orders[0]?.dispatch, 'loadstone.deliveries': orders.length } })
  return Object.fromEntries(Object.entries(channels).map(([protocol, channel]) => [protocol, {
    ...channel,
    send: (orders) => spanned(trace, `${protocol} send`, facts(orders), () => channel.send(orders)),
    cancel: (orders, reason) => spanned(trace, `${protocol} cancel`, facts(orders), () => channel.cancel(orders, reason)),
  } satisfies DispatchChannel]))
}

/**
 * A device's answer, the first from when it was told to when it was heard: OpenADR's read of the event or its report, the 2030.5 Response, OCPP's
 * CALLRESULT. The order's clock may be faster than the machine's.
 */
export function answered(trace: Trace, { before, after: d }: Heard, clock: Pick<Clock, 'nowMs' | 'rate'>): void {
  const parent = d.order.trace
  if (!trace.on || parent === undefined) return
  const first = before === 'queued' || before === 'sent', took_ms = first && d.sentAt !== null ? Math.max(0, clock.nowMs() - d.sentAt) / clock.rate : 0
  trace.ended(`${d.order.binding.protocol} ${d.state}`, took_ms, {
    parent, kind: 'client',
    attributes: { 'loadstone.dispatch': d.dispatch, 'loadstone.delivery': d.id, 'loadstone.resource': d.order.resource.name, 'loadstone.reason': d.reason ?? undefined },
  })
}

/** A delivery after a word of its device, and its state before. */
export interface Heard {
  readonly before: DeliveryState
  readonly after: Delivery
}
