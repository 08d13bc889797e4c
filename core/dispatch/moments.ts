import { note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import { again } from '#core/dispatch/deliver.js'
import { atEnd } from '#core/dispatch/delivery-states.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import { dispatchStates, live } from '#core/dispatch/dispatch-states.js'
import { controlOf } from '#core/dispatch/control-loop.js'
import { held } from '#core/dispatch/gap.js'
import { batchRows, commsCheckAt, moment as dispatchMoment, momentSubject, timingOf, type Timing } from '#core/dispatch/outbox.js'
import { countResponse } from '#core/dispatch/response.js'
import { askReallocation } from '#core/dispatch/reallocate.js'
import type { Handler } from '#core/dispatch/timetable.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'
import { next } from '#core/state-table.js'
import type { Transact, Work } from '#core/work.js'

const dispatchIn = (entry: AgendaEntry): string => (entry.payload as { dispatch: string }).dispatch
const moment = (transact: Transact, command: (work: Work, entry: AgendaEntry) => Promise<void>): Handler =>
  (entry) => again(5, () => transact((work) => command(work, entry)))

/** The clock's moves. Each is safe to run twice: the state table refuses the second (CORE-207). */
export const startTask = (transact: Transact): Handler => moment(transact, async (work, entry) => {
  await move(work, entry, 'start')
  const { stores, clock, ids } = work, dispatch = await stores.dispatches.get(entry.tenant, dispatchIn(entry)), program = dispatch && await stores.programs.get(entry.tenant, dispatch.program)
  const rules = program && controlOf(program)
  if (!dispatch || !rules || dispatch.state !== 'active') return
  await stores.agenda.withdraw(entry.tenant, 'control', momentSubject(dispatch.id, 'control'))
  await stores.agenda.add([dispatchMoment('control', dispatch, (Math.max(dispatch.start, clock.now()) + rules.step_s) * 1000, ids.uuid())])
})

/** The end: the dispatch is over, and deliveries without a last word get one; a missed end is executed when we are back. */
export const endTask = (transact: Transact): Handler => moment(transact, async (work, entry) => {
  const { stores, clock, ids } = work, nowMs = clock.nowMs(), all = await stores.deliveries.of(entry.tenant, dispatchIn(entry))
  // who joined meanwhile may be let go later than was known at first (CORE-082)
  const last = Math.max(0, ...held(all).map((d) => d.order.end)) * 1000
  if (last > nowMs) {
    await move(work, entry, 'start')
    return await stores.agenda.add([dispatchMoment('end', { id: dispatchIn(entry), tenant: entry.tenant }, last, ids.uuid())])
  }
  const ended = all.flatMap((d): Delivery[] => {
    const state = atEnd(d.state)
    return state ? [{ ...d, state, reason: state === 'noComms' ? 'nothing was heard by the end of the window' : d.reason, stateAt: nowMs }] : []
  })
  await stores.deliveries.updateMany(ended)
  await move(work, entry, 'start')
  await move(work, entry, 'end')
  const dispatch = await stores.dispatches.get(entry.tenant, dispatchIn(entry))
  if (dispatch?.state === 'completed') await countResponse(work, dispatch, await stores.deliveries.of(entry.tenant, dispatch.id))
  await note(work, system(entry.tenant), ended.map((d) => ({ action: `delivery.${d.state}`, entity: d.id, reason: d.reason, after: d.state })))
})

async function move(work: Work, entry: AgendaEntry, happening: 'start' | 'end'): Promise<void> {
  const dispatch = await work.stores.dispatches.get(entry.tenant, dispatchIn(entry))
  const state = dispatch && next(dispatchStates, dispatch.state, happening, 'dispatch')
  if (!dispatch || typeof state !== 'string') return
  await work.stores.dispatches.update({ ...dispatch, state })
  await note(work, system(entry.tenant), [{ action: `dispatch.${happening}`, entity: dispatch.id, before: dispatch.state, after: state }])
}

/**
 * REL-002: when the time of its answer began. Whom nobody has told yet, because we were away, or who is being told at this moment, is
 * not silent; nor is who could not be reached at once by a server that has just come back and looks late.
 */
function askedAt(d: Delivery, dueAt: number, timing: Timing, nowMs: number): number {
  if (d.sentAt !== null) return d.sentAt
  const failed = d.attempts > 0 && d.reason !== null, late = nowMs - dueAt > timing.commsMargin_s * 1000
  return failed && !late ? dueAt - timing.responseWindow_s * 1000 : nowMs
}

/**
 * CORE-103: what nobody has fetched or answered by now is noComms and its watts go back to CORE-070. Interpretation: the order is
 * also taken back at the edge, or a device that wakes up later would deliver what somebody else has been asked for.
 */
export const commsCheckTask = (transact: Transact): Handler => moment(transact, async (work, entry) => {
  const { stores, clock, ids } = work, nowMs = clock.nowMs()
  const dispatch = await stores.dispatches.get(entry.tenant, dispatchIn(entry))
  if (!dispatch || !live.has(dispatch.state)) return
  const unheard = (await stores.deliveries.of(entry.tenant, dispatch.id)).filter((d) => d.state === 'queued' || d.state === 'sent')
  const program = unheard.length > 0 ? await stores.programs.get(entry.tenant, dispatch.program) : undefined
  if (!program) return
  const timing = timingOf(program), over = dispatch.end * 1000 <= nowMs
  const asked = unheard.map((d) => ({ d, at: askedAt(d, entry.dueAt, timing, nowMs) })), open = asked.filter(({ at }) => !over && at + timing.responseWindow_s * 1000 > nowMs)
  if (open.length > 0) await stores.agenda.add([dispatchMoment('comms-check', dispatch, commsCheckAt(dispatch, timing, Math.min(...open.map(({ at }) => at))), ids.uuid())])
  const waited = new Set(open.map(({ d }) => d)), silent = unheard.filter((d) => d.attempts > 0 && !waited.has(d))
  if (silent.length === 0) return
  await stores.deliveries.updateMany(silent.map((d): Delivery => ({ ...d, state: 'noComms', reason: d.reason ?? 'not fetched or answered in time', stateAt: nowMs })))
  await stores.agenda.add(batchRows('cancel', dispatch, silent, nowMs, ids.uuid, 'not fetched or answered in time'))
  await askReallocation(work, dispatch)
  await note(work, system(entry.tenant), silent.map((d) => ({ action: 'delivery.noComms', entity: d.id, reason: 'CORE-103', before: d.state, after: 'noComms' })))
})

/** REL-067: a held order that nobody released in time is rejected. */
export const expireReleaseTask = (transact: Transact): Handler => moment(transact, async (work, entry) => {
  const dispatch = await work.stores.dispatches.get(entry.tenant, dispatchIn(entry))
  if (dispatch?.state === 'pendingRelease') await cancelDispatch(work, system(entry.tenant), dispatch.id, { happening: 'reject', reason: 'nobody released it in time' })
})
