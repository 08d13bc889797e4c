import { all, get, type List, orNone } from '../../api.ts'
import type { Delivery, Dispatch, Performance, Program, Run } from '../../types.ts'

export interface Everything {
  dispatch: Dispatch
  deliveries: Delivery[]
  performance: Performance
  program: Program
  revisions: Dispatch[]
  run: Run | undefined
  /** The parts of the devices are still on their way. */
  partial?: true
}

export const lostStates = new Set(['noComms', 'rejected', 'optedOut', 'cancelled'])

/** The newest part of each device: one that took over more has two, and counts once. */
export function partOfEach(deliveries: readonly Delivery[]): Delivery[] {
  const newest = new Map<string, Delivery>()
  for (const d of deliveries) if ((newest.get(d.resource)?.revision ?? -1) <= d.revision) newest.set(d.resource, d)
  return [...newest.values()]
}
export const cancellable = new Set(['scheduled', 'notified', 'active', 'pendingRelease'])

export const order = ['scheduled', 'notified', 'active', 'completed', 'verified', 'settled']

/** What changes only with the order itself is asked again when its version moves, or after a while: two thousand parts are enough to carry each second. */
const keep_ms = 10_000

export async function everything(id: string, before: { all: Everything; at: number } | undefined, partly: (soFar: Everything) => void): Promise<Everything> {
  const parts = all<Delivery>(`/dispatches/${id}/deliveries`),
    dispatch = await get<Dispatch>(`/dispatches/${id}`)
  if (before && before.all.dispatch.id === id && before.all.dispatch.version === dispatch.version && Date.now() - before.at < keep_ms)
    return { ...before.all, dispatch, deliveries: await parts }
  const [performance, program, revisions, runs] = await Promise.all([
    get<Performance>(`/dispatches/${id}/performance`),
    get<Program>(`/programs/${dispatch.program}`),
    get<List<Dispatch>>(`/dispatches/${id}/revisions`),
    dispatch.state === 'settled' ? orNone(get<List<Run>>(`/settlement-runs?program=${dispatch.program}`)) : undefined,
  ])
  const start = Date.parse(dispatch.start),
    run = runs?.items.filter((r) => Date.parse(r.from) <= start && start < Date.parse(r.to) && r.state !== 'superseded').at(-1),
    known = { dispatch, performance, program, revisions: revisions.items, run }
  partly({ ...known, deliveries: [], partial: true })
  return { ...known, deliveries: await parts }
}
