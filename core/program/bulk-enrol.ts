import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { Document } from '#core/port/store/document.js'
import { hold, judgeMany, storeMany, type ManyApplication, type RowOutcome } from '#core/program/enrol-many.js'
import type { Transact, Work } from '#core/work.js'

export const bulkKind = 'core/EnrolmentBulk', chunkKind = 'core/EnrolmentBulkRows'
/** Rows that are stored together with their results: what a crash can undo. */
const chunk = 500

export interface BulkJob {
  /** The content that the key stands for: another content under the same key is refused (CORE-013). */
  readonly contentHash: string
  readonly rows: number
  readonly startedBy: string
}

export interface BulkRow {
  readonly row: number
  readonly state: 'applied' | 'eligible' | 'verified' | 'active' | 'refused'
  readonly enrolment?: string
  readonly reasons?: readonly { readonly path: string; readonly reason: string }[]
}

/** A row as read: an application, or why it cannot be read. */
export type InputRow = { readonly row: number; readonly wish: ManyApplication } | { readonly row: number; readonly reasons: BulkRow['reasons'] }

/**
 * CORE-025: every row has its own result and is stored whole or not at all. Rows go in parts, each with its results in one
 * transaction, so after a crash the same call goes on where it stopped and answers as if nothing had happened.
 */
export async function enrolBulk(transact: Transact, caller: Caller, key: string, contentHash: string, rows: readonly InputRow[]): Promise<Document<BulkJob>> {
  const job = await transact(async (work) => await begun(work, caller, key, contentHash, rows.length))
  for (let part = 0; part * chunk < rows.length; part++) {
    await transact(async (work) => {
      await hold(work, caller, job.id, Math.min(chunk, rows.length - part * chunk))
      if (await work.stores.documents.byKey(caller.tenant, chunkKind, job.id, String(part))) return
      await onePart(work, caller, job.id, part, rows.slice(part * chunk, (part + 1) * chunk))
    })
  }
  return job
}

/** CORE-025, UX-016: what would become of each row now; nothing is stored, and nothing waits for anybody. */
export async function lookBulk(transact: Transact, caller: Caller, rows: readonly InputRow[]): Promise<BulkRow[]> {
  return await transact(async (work) => {
    const outcomes = (await judgeMany(work, caller, rows.flatMap((r) => ('wish' in r ? [r.wish] : [])))).values()
    return rows.map((r) => {
      const { enrolment: _, ...result } = resultOf(r, 'wish' in r ? outcomes.next().value : undefined)
      return result
    })
  })
}

function resultOf(r: InputRow, outcome: RowOutcome | undefined): BulkRow {
  if (outcome && 'enrolment' in outcome) return { row: r.row, state: outcome.enrolment.state as BulkRow['state'], enrolment: outcome.enrolment.id }
  return { row: r.row, state: 'refused', reasons: outcome?.reasons ?? ('reasons' in r ? r.reasons : []) ?? [] }
}

async function begun(work: Work, caller: Caller, key: string, contentHash: string, rows: number): Promise<Document<BulkJob>> {
  const { stores, clock, ids } = work, known = await stores.documents.byKey<BulkJob>(caller.tenant, bulkKind, '', key)
  if (known && known.body.contentHash !== contentHash) throw new Refusal('conflict', 'this key was used for another file')
  if (known) return known
  const job = await stores.documents.insert<BulkJob>({ tenant: caller.tenant, kind: bulkKind, id: ids.uuid(), parent: '', key, body: { contentHash, rows, startedBy: caller.user } }, clock.nowMs())
  await note(work, caller, [{ action: 'enrolmentBulk.create', entity: job.id, after: job.body }])
  return job
}

async function onePart(work: Work, caller: Caller, job: string, part: number, rows: readonly InputRow[]): Promise<void> {
  const wishes = rows.flatMap((r) => ('wish' in r ? [r.wish] : [])), outcomes = (await judgeMany(work, caller, wishes)).values()
  const drafts = [], results: BulkRow[] = []
  for (const r of rows) {
    const outcome = 'wish' in r ? outcomes.next().value : undefined
    if (outcome && 'enrolment' in outcome) drafts.push(outcome.enrolment)
    results.push(resultOf(r, outcome))
  }
  await storeMany(work, caller, drafts)
  const { documents } = work.stores
  await documents.insert<{ rows: readonly BulkRow[] }>({ tenant: caller.tenant, kind: chunkKind, id: work.ids.uuid(), parent: job, key: String(part), sort1: part, body: { rows: results } }, work.clock.nowMs())
}

export interface BulkSummary {
  readonly rows: number
  readonly done: number
  readonly refused: number
  readonly byState: Readonly<Record<string, number>>
}

/** All results so far, in order of rows. */
export async function bulkRows(work: Pick<Work, 'stores'>, tenant: string, job: string): Promise<BulkRow[]> {
  const parts = await work.stores.documents.list<{ rows: readonly BulkRow[] }>(tenant, { kind: chunkKind, parent: job, order: ['sort1'], limit: 100_000 })
  return parts.flatMap((p) => p.body.rows)
}

export function summary(rows: number, results: readonly BulkRow[]): BulkSummary {
  const byState: Record<string, number> = {}
  for (const r of results) byState[r.state] = (byState[r.state] ?? 0) + 1
  return { rows, done: results.length, refused: byState.refused ?? 0, byState }
}
