import type { Page, PageQuery } from '#core/port/store/entity.js'

/** One record of the hash chain (CORE-230, CORE-231): members are integers or strings only. */
export interface AuditRecord {
  readonly seq: number
  readonly at: string
  readonly actor: string
  readonly action: string
  readonly entity: string
  readonly reason: string
  readonly before: string
  readonly after: string
  readonly hash: string
}

/** What the two hashes stand for, as JSON text, secrets masked and long lists told as their number; beside the chain, not in it. Null: not kept. */
export interface AuditDetail { readonly before: string | null; readonly after: string | null }

export type AuditDraft = Omit<AuditRecord, 'seq' | 'hash' | 'at'> & { readonly detail?: AuditDetail | null }

/** What `documents.onChange` and `documents.revision` call a change of the trail. */
export const auditKind = 'core/Audit'

/**
 * Append-only chain per tenant. What a unit of work appends is written when it commits, in the order in which units commit: it is not read back
 * by the unit itself, and holds up nobody before. Where one command must wait for another, `Ledger.hold` says so.
 */
export interface AuditStore {
  append(tenant: string, at: string, drafts: readonly AuditDraft[]): Promise<void>
  /** Oldest first, or with `newest` the other way round; `from` and `before` are times of the record. */
  list(tenant: string, where: { entity?: string; actor?: string; action?: string; from?: string; before?: string; after?: number; newest?: boolean }, page: PageQuery): Promise<Page<AuditRecord>>
  /** What is kept of the details of these records, by seq. */
  details(tenant: string, seqs: readonly number[]): Promise<ReadonlyMap<number, AuditDetail>>
  get(tenant: string, seq: number): Promise<AuditRecord | undefined>
  /** Forgets the details of all records about these entities; the records and their hashes stay (CORE-224). */
  forget(tenant: string, entities: readonly string[]): Promise<number>
  count(tenant: string): Promise<number>
  /** The end of the chain; seq 0 and the genesis hash while it is empty. */
  head(tenant: string): Promise<{ readonly seq: number; readonly hash: string }>
  /** All records in order of seq, in batches, for verification. */
  walk(tenant: string, batch: (records: AuditRecord[]) => void): Promise<void>
}
