import type { Caller } from '#core/caller.js'
import { note } from '#core/audit/note.js'
import { askAgain, releaseOptedOut } from '#core/dispatch/opted.js'
import type { OptOutIntake } from '#core/port/intake.js'
import type { Document } from '#core/port/store/document.js'
import { present } from '#core/permission.js'
import type { Interval } from '#core/quantity/interval.js'
import type { Stores } from '#core/port/store/index.js'
import type { Transact, Work } from '#core/work.js'

/** A refusal to take part, for a period or until told otherwise (CORE-110). Epoch seconds; `to` null = open. */
export interface OptOut {
  readonly resource: string
  readonly from: number
  readonly to: number | null
  readonly reason: string
  readonly source: 'app' | 'device' | 'ven' | 'response'
  readonly endedAt?: number
}

export const kind = 'core/OptOut'
/** Stands for "until told otherwise" where a number is needed: the end of year 9999. */
export const forever = 253_402_300_799

/** Resources that are out at any moment of the window. */
export async function optedOut(stores: Stores, tenant: string, window: Interval): Promise<Set<string>> {
  const found = await stores.documents.list<OptOut>(tenant, { kind, sort1To: window.end - 1, sort2From: window.start + 1, limit: 100_000 })
  return new Set(found.map((d) => d.body.resource))
}

/** CORE-110: effective at once for control. The same words again, while the first still hold, change nothing. */
export async function optOut(work: Work, caller: Caller, wish: OptOut): Promise<Document<OptOut>> {
  const { stores, clock, ids } = work
  present(await stores.resources.get(caller.tenant, wish.resource), 'resource', wish.resource)
  await stores.ledger.hold(caller.tenant)
  const same = (await stores.documents.list<OptOut>(caller.tenant, { kind, parent: wish.resource, limit: 1000 }))
    .find(({ body: b }) => b.from <= wish.from && (b.to ?? forever) >= (wish.to ?? forever) && b.source === wish.source && b.endedAt === undefined)
  if (same) return same
  const stored = await stores.documents.insert<OptOut>({
    tenant: caller.tenant, kind, id: ids.uuid(), parent: wish.resource, sort1: wish.from, sort2: wish.to ?? forever, body: wish,
  }, clock.nowMs())
  await note(work, caller, [{ action: 'optOut.create', entity: stored.id, reason: wish.reason, after: wish }])
  await releaseOptedOut(work, caller, { resource: wish.resource, from: wish.from, to: wish.to ?? forever, reason: wish.reason })
  return stored
}

/** Opting back in (CORE-114): ends the refusal now; what was refused stays on record. */
export async function optIn(work: Work, caller: Caller, id: string): Promise<Document<OptOut>> {
  const { stores, clock } = work
  await stores.ledger.hold(caller.tenant)
  const found = present(await stores.documents.get<OptOut>(caller.tenant, kind, id), 'opt-out', id)
  const now = clock.now()
  if ((found.body.to ?? forever) <= now) return found
  const body: OptOut = { ...found.body, to: Math.max(now, found.body.from), endedAt: now }
  const stored = await stores.documents.replace<OptOut>({ ...found, sort2: body.to ?? now, body }, clock.nowMs(), found.version)
  await note(work, caller, [{ action: 'optOut.end', entity: id, before: found.body, after: body }])
  await askAgain(work, caller, found.body.resource)
  return stored
}

/** The port that the protocol doors call. */
export const optOutIntake = (transact: Transact): OptOutIntake => ({
  optOut: async (caller, wish) => { await transact((work) => optOut(work, caller, wish)) },
})
