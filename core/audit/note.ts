import { createHash } from 'node:crypto'
import type { Caller } from '#core/caller.js'
import { askNotices } from '#core/notice/ask.js'
import { announce } from '#core/webhook/announce.js'
import type { Work } from '#core/work.js'

/** One line for the audit trail (CORE-231): the states before and after are kept as hashes, so nothing personal enters the chain. */
export interface Note {
  readonly action: string
  readonly entity: string
  readonly reason?: string | null | undefined
  readonly before?: unknown
  readonly after?: unknown
}

/** JSON with members in order of name, so equal things have equal hashes whatever order they were built in. */
function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const members = value as Readonly<Record<string, unknown>>
  return `{${Object.keys(members).sort().filter((name) => members[name] !== undefined).map((name) => `${JSON.stringify(name)}:${canonical(members[name])}`).join(',')}}`
}

export const hashOf = (value: unknown): string => (value === undefined || value === null ? '' : createHash('sha256').update(canonical(value)).digest('hex'))

export const actorOf = (caller: Caller): string => (caller.kind === 'user' || caller.kind === 'system' ? caller.user : `${caller.kind}:${caller.subject}`)

/** Appends to the hash chain inside the running transaction: what is not committed was never noted. */
export async function note(work: Work, caller: Caller, notes: readonly Note[]): Promise<void> {
  if (notes.length === 0) return
  const actor = actorOf(caller)
  await work.stores.audit.append(caller.tenant, new Date(work.clock.nowMs()).toISOString(), notes.map((n) => ({
    actor, action: n.action, entity: n.entity, reason: n.reason ?? '', before: hashOf(n.before), after: hashOf(n.after),
  })))
  await announce(work, caller.tenant, actor, notes)
  await askNotices(work, caller.tenant, notes)
}
