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

export type AuditDraft = Omit<AuditRecord, 'seq' | 'hash' | 'at'>

/** What `documents.onChange` and `documents.revision` call a change of the trail. */
export const auditKind = 'core/Audit'

/** Append-only chain per tenant. `append` takes the tenant's chain lock inside the running unit of work. */
export interface AuditStore {
  append(tenant: string, at: string, drafts: readonly AuditDraft[]): Promise<void>
  list(tenant: string, where: { entity?: string; from?: string; after?: number }, page: PageQuery): Promise<Page<AuditRecord>>
  count(tenant: string): Promise<number>
  /** The end of the chain; seq 0 and the genesis hash while it is empty. */
  head(tenant: string): Promise<{ readonly seq: number; readonly hash: string }>
  /** All records in order of seq, in batches, for verification. */
  walk(tenant: string, batch: (records: AuditRecord[]) => void): Promise<void>
}
