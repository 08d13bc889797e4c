import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import type { Program } from '#core/program/program.js'
import type { Protocol } from '#core/program/resource.js'

/** What the outbox does for dispatches, in order of service on overload (CORE-205). */
export const dispatchTasks = ['cancel', 'deliver', 'start', 'end', 'comms-check', 'reallocate', 'control', 'expire-release', 'verify'] as const
export type DispatchTask = (typeof dispatchTasks)[number]

/** Deliveries of one protocol that are told together. */
export interface Batch {
  readonly dispatch: string
  readonly protocol: Protocol
  readonly deliveries: readonly string[]
  readonly reason?: string
}

export type Row = Omit<AgendaEntry, 'attempts'>

/** Small enough that one slow station holds up few others. */
export const batchSize = 200

/** Seconds of the program's rules that time a dispatch; each has a default that suits real fleets. */
export interface Timing {
  /** An order not heard of this long before its start is noComms (CORE-103). */
  readonly commsMargin_s: number
  /** A device has at least this long to fetch and answer an order that comes on short notice. */
  readonly responseWindow_s: number
  /** Wait after the end for late readings before verifying. */
  readonly verifyAfter_s: number
  readonly releaseWithin_s: number
}

export const timingOf = (program: Program): Timing => ({
  commsMargin_s: 60, responseWindow_s: 300, verifyAfter_s: program.intervalMinutes * 60, releaseWithin_s: 3600,
  ...(program.rules.timing as Partial<Timing> | undefined),
})

/** One row per protocol and batch. The subject is the same for telling and for taking back, so the two keep their order. */
export function batchRows(task: 'deliver' | 'cancel', dispatch: Pick<Dispatch, 'id' | 'tenant'>, deliveries: readonly Pick<Delivery, 'id' | 'resource' | 'order'>[], nowMs: number, newId: () => string, reason?: string): Row[] {
  const groups = new Map<string, string[]>()
  for (const d of [...deliveries].sort((a, b) => (a.resource < b.resource ? -1 : 1))) {
    const key = `r${d.order.revision}/${d.order.binding.protocol}`
    const list = groups.get(key)
    if (list) list.push(d.id)
    else groups.set(key, [d.id])
  }
  return [...groups].flatMap(([key, ids]) => {
    const protocol = key.slice(key.indexOf('/') + 1) as Protocol, rows: Row[] = []
    for (let i = 0; i < ids.length; i += batchSize) {
      const payload: Batch = { dispatch: dispatch.id, protocol, deliveries: ids.slice(i, i + batchSize), ...(reason === undefined ? {} : { reason }) }
      rows.push({ id: newId(), tenant: dispatch.tenant, task, subject: `${dispatch.id}/${key}/${i / batchSize}/${task}`, dueAt: nowMs, payload })
    }
    return rows
  })
}

/** One moment of a dispatch. */
export const moment = (task: DispatchTask, dispatch: Pick<Dispatch, 'id' | 'tenant'>, dueAt: number, id: string, payload: unknown = {}): Row =>
  ({ id, tenant: dispatch.tenant, task, subject: momentSubject(dispatch.id, task), dueAt, payload: { ...(payload as object), dispatch: dispatch.id } })

export const momentSubject = (dispatch: string, task: DispatchTask): string => `${dispatch}/${task}`

/** When silence counts as no communication: before the start, or when the response window of a short-notice order is over. */
export function commsCheckAt(dispatch: Pick<Dispatch, 'start' | 'end'>, timing: Timing, nowMs: number): number {
  return Math.min(Math.max((dispatch.start - timing.commsMargin_s) * 1000, nowMs + timing.responseWindow_s * 1000), dispatch.end * 1000)
}

/** Everything that a published dispatch puts on the timetable. */
export function publishedRows(dispatch: Dispatch, deliveries: readonly Pick<Delivery, 'id' | 'resource' | 'order'>[], program: Program, nowMs: number, newId: () => string): Row[] {
  const timing = timingOf(program), lastEnd = deliveries.reduce((last, d) => Math.max(last, d.order.end), dispatch.end)
  return [
    ...batchRows('deliver', dispatch, deliveries, nowMs, newId),
    moment('start', dispatch, dispatch.start * 1000, newId()),
    // devices that are let go later are still ours until then (CORE-082), so that they can be cancelled and stopped
    moment('end', dispatch, lastEnd * 1000, newId()),
    moment('comms-check', dispatch, commsCheckAt(dispatch, timing, nowMs), newId()),
    moment('verify', dispatch, Math.max(dispatch.end + timing.verifyAfter_s, lastEnd + 1) * 1000, newId()),
  ]
}
