import { detailOf, hashOf } from '#core/audit/detail.js'
import type { Caller } from '#core/caller.js'
import { askNotices } from '#core/notice/ask.js'
import { announce } from '#core/webhook/announce.js'
import type { Work } from '#core/work.js'

/** One line for the audit trail (CORE-231): the states before and after enter the chain as hashes, so nothing personal does; what they were stands beside it (`detail.ts`). */
export interface Note {
  readonly action: string
  readonly entity: string
  readonly reason?: string | null | undefined
  readonly before?: unknown
  readonly after?: unknown
}

export { hashOf }

export const actorOf = (caller: Caller): string => (caller.kind === 'user' || caller.kind === 'system' ? caller.user : `${caller.kind}:${caller.subject}`)

/** Appends to the hash chain inside the running transaction: what is not committed was never noted. */
export async function note(work: Work, caller: Caller, notes: readonly Note[]): Promise<void> {
  if (notes.length === 0) return
  const actor = actorOf(caller)
  await work.stores.audit.append(caller.tenant, new Date(work.clock.nowMs()).toISOString(), notes.map((n) => ({
    actor, action: n.action, entity: n.entity, reason: n.reason ?? '', before: hashOf(n.before), after: hashOf(n.after), detail: detailOf(n.before, n.after),
  })))
  await announce(work, caller.tenant, actor, notes)
  await askNotices(work, caller.tenant, notes)
}
