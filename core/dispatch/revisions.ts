import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { Stores } from '#core/port/store/index.js'
import type { Work } from '#core/work.js'

export const kind = 'core/DispatchRevision'

/** What a dispatch said before it was restated; never changed again (core-dr.md §3, CORE-051). */
export interface Revision {
  readonly revision: number
  readonly until: number
  readonly because: string
  readonly dispatch: Dispatch
}

export async function keepRevision({ stores, clock, ids }: Work, dispatch: Dispatch, because: string): Promise<void> {
  const body: Revision = { revision: dispatch.revision, until: clock.nowMs(), because, dispatch }
  await stores.documents.insert<Revision>({ tenant: dispatch.tenant, kind, id: ids.uuid(), parent: dispatch.id, key: String(dispatch.revision), sort1: dispatch.revision, body }, clock.nowMs())
}

/** Every revision, oldest first; the last is the one in force. */
export async function revisionsOf(stores: Stores, dispatch: Dispatch): Promise<Dispatch[]> {
  const past = await stores.documents.list<Revision>(dispatch.tenant, { kind, parent: dispatch.id, order: ['sort1'], limit: 1000 })
  return [...past.map((d) => d.body.dispatch), dispatch]
}
