import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { dispatchStates } from '#core/dispatch/dispatch-states.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { displaceOthers } from '#core/dispatch/displace.js'
import { planOf } from '#core/dispatch/plan-record.js'
import { momentSubject, publishedRows } from '#core/dispatch/outbox.js'
import { Refusal } from '#core/error.js'
import { mustSeeProgram, present } from '#core/permission.js'
import { advance } from '#core/state-table.js'
import { blocks } from '#core/stop/blocks.js'
import type { Work } from '#core/work.js'

/** CORE-203, REL-067: a held order goes out only when another person says so, and only while its window is not over. */
export async function releaseDispatch(work: Work, caller: Caller, id: string, ifVersion?: number): Promise<Dispatch> {
  const { stores, clock, ids } = work
  await stores.ledger.hold(caller.tenant)
  const held = present(await stores.dispatches.get(caller.tenant, id), 'dispatch', id)
  mustSeeProgram(caller, held.program)
  if (ifVersion !== undefined && ifVersion !== held.version) throw new Refusal('stale', `the dispatch is at version ${held.version}`)
  const state = advance(dispatchStates, held.state, 'release', 'dispatch')
  if (held.createdBy === caller.user) throw new Refusal('conflict', 'an order must be released by another user than the one who made it')
  if (held.end <= clock.now()) throw new Refusal('conflict', 'the window of this order is over')
  const program = present(await stores.programs.get(caller.tenant, held.program), 'program', held.program)
  const stopped = (await blocks(stores, caller.tenant)).blocked({ program: program.id })
  if (stopped) throw new Refusal('conflict', stopped)
  const released = await stores.dispatches.update({ ...held, state, releasedBy: caller.user })
  const deliveries = await stores.deliveries.of(caller.tenant, id)
  await displaceOthers(work, caller, released, (await planOf(stores, caller.tenant, id))?.taken ?? [])
  await stores.agenda.withdraw(caller.tenant, 'expire-release', momentSubject(id, 'expire-release'))
  await stores.agenda.add(publishedRows(released, deliveries, program, clock.nowMs(), ids.uuid))
  await note(work, caller, [{ action: 'dispatch.release', entity: id, before: held.state, after: released }])
  return released
}
