import { all, get, orNone } from '../../api.ts'
import type { Delivery, Dispatch, Performance, Program, Run } from '../../types.ts'

/** What one event is worth in a settlement run, which may hold others beside it. */
export interface Paid {
  id: string
  createdAt: string
  currency: string
  revenue: string
}

export interface Everything {
  dispatch: Dispatch
  deliveries: Delivery[]
  performance: Performance
  program: Program
  revisions: Dispatch[]
  run: Paid | undefined
  /** The parts of the devices are still on their way. */
  partial?: true
}

export const lostStates = new Set(['noComms', 'rejected', 'optedOut', 'cancelled'])

/** The newest part of each device: one that took over more has two, and counts once. Whoever is told no names counts them as they come. */
export function partOfEach(deliveries: readonly Delivery[]): Delivery[] {
  const newest = new Map<string, Delivery>()
  for (const d of deliveries) if ((newest.get(d.resource ?? d.id)?.revision ?? -1) <= d.revision) newest.set(d.resource ?? d.id, d)
  return [...newest.values()]
}
export const cancellable = new Set(['scheduled', 'notified', 'active', 'pendingRelease'])

export const order = ['scheduled', 'notified', 'active', 'completed', 'verified', 'settled']

/** The newest run that settles this event, and the event's own line in it. A run's result never changes: what is known of it is not read again. */
async function paidIn({ id, program, start }: Dispatch, known: Paid | undefined): Promise<Paid | undefined> {
  const runs = await all<Run>(`/settlement-runs?program=${program}`),
    at = Date.parse(start),
    last = runs.filter((r) => Date.parse(r.from) <= at && at < Date.parse(r.to) && r.state !== 'superseded').at(-1)
  if (!last || last.id === known?.id) return last && known
  const run = await get<Run & { result: { events: { dispatch: string; revenue: string }[] } }>(`/settlement-runs/${last.id}`),
    line = run.result.events.find((e) => e.dispatch === id)
  return line && { id: run.id, createdAt: run.createdAt, currency: run.currency, revenue: line.revenue }
}

/** What changes only with the order itself is asked again when its version moves, or after a while: two thousand parts are enough to carry each second. */
const keep_ms = 10_000

export async function everything(id: string, before: { all: Everything; at: number } | undefined, partly: (soFar: Everything) => void): Promise<Everything> {
  const parts = all<Delivery>(`/dispatches/${id}/deliveries`),
    dispatch = await get<Dispatch>(`/dispatches/${id}`)
  if (before && before.all.dispatch.id === id && before.all.dispatch.version === dispatch.version && Date.now() - before.at < keep_ms)
    return { ...before.all, dispatch, deliveries: await parts }
  const [performance, program, revisions, run] = await Promise.all([
    get<Performance>(`/dispatches/${id}/performance`),
    get<Program>(`/programs/${dispatch.program}`),
    all<Dispatch>(`/dispatches/${id}/revisions`),
    dispatch.state === 'settled' ? orNone(paidIn(dispatch, before?.all.dispatch.id === id ? before.all.run : undefined)) : undefined,
  ])
  const known = { dispatch, performance, program, revisions, run }
  partly({ ...known, deliveries: [], partial: true })
  return { ...known, deliveries: await parts }
}
