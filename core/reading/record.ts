import { LRUCache } from 'lru-cache'
import { note } from '#core/audit/note.js'
import { Refusal } from '#core/error.js'
import type { Caller } from '#core/caller.js'
import type { ReadingIntake } from '#core/port/intake.js'
import { readingFaults, type RowFault } from '#core/reading/faults.js'
import type { ReadingInput, RecordResult } from '#core/reading/reading.js'
import type { Transact, Work } from '#core/work.js'

/** One statement's worth (stack.md: batch <= 1000 rows). */
const batch = 1000

/** A refusal of readings: every bad row at once, none stored. */
export const badRows = (faults: readonly RowFault[]): Refusal =>
  new Refusal('invalid', `${new Set(faults.map((f) => f.row)).size} rows cannot be stored; nothing was`, { faults: faults.map((f) => ({ path: `${f.row}/${f.field}`, reason: f.reason })) })

/** Stores rows that are known to be good, all or none, and keeps a trace of corrections (CORE-115, CORE-231). */
export async function storeReadings(work: Work, caller: Caller, rows: readonly ReadingInput[]): Promise<RecordResult> {
  const total = { accepted: 0, duplicates: 0, corrected: 0 }, receivedAt = work.clock.nowMs()
  for (let i = 0; i < rows.length; i += batch) {
    const r = await work.stores.readings.record(caller.tenant, rows.slice(i, i + batch), receivedAt)
    total.accepted += r.accepted
    total.duplicates += r.duplicates
    total.corrected += r.corrected
  }
  // SEC-064: what a person brings in is his doing; what devices send is measurement and has its own lineage (CORE-120)
  const brought = caller.kind === 'user' && total.accepted > 0, entity = rows[0]?.servicePoint ?? ''
  await note(work, caller, [
    ...(brought ? [{ action: 'reading.import', entity, reason: `${total.accepted} of ${rows.length} values`, after: total }] : []),
    ...(total.corrected > 0 ? [{ action: 'reading.correct', entity, reason: `${total.corrected} of ${rows.length} values corrected`, after: total }] : []),
  ])
  return total
}

/** The single door for measurement (style.md §10 row 10): service points by id; checked as a whole, `timed` (CORE-119), then stored as a whole. */
export function readingIntake(transact: Transact, timed: (rows: readonly ReadingInput[]) => readonly ReadingInput[] = (rows) => rows): ReadingIntake {
  const known = new LRUCache<string, true>({ max: 100_000 })
  return {
    async record(caller, given) {
      const faults = given.flatMap((r, i) => readingFaults(r, i + 1))
      if (faults.length > 0) throw badRows(faults)
      const rows = timed(given)
      if (rows.length === 0) return { accepted: 0, duplicates: 0, corrected: 0 }
      return await transact(async (work) => {
        const unknown = [...new Set(rows.map((r) => r.servicePoint))].filter((id) => !known.has(`${caller.tenant} ${id}`))
        if (unknown.length > 0) {
          for (const p of await work.stores.servicePoints.getMany(caller.tenant, unknown)) known.set(`${caller.tenant} ${p.id}`, true)
          const strange = new Set(unknown.filter((id) => !known.has(`${caller.tenant} ${id}`)))
          if (strange.size > 0) throw badRows(rows.flatMap((r, i) => (strange.has(r.servicePoint) ? [{ row: i + 1, field: 'servicePoint', reason: 'there is no such service point' }] : [])))
        }
        return await storeReadings(work, caller, rows)
      })
    },
  }
}
