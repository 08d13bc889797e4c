import { LRUCache } from 'lru-cache'
import type { Clock } from '#core/port/clock.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { badRows } from '#core/reading/record.js'
import { clockOffset, clockVerdict } from '#core/reading/vee.js'

/** As many of a source's last messages as one wrong one does not outvote. */
const remembered = 5

/** What a person brings in a file has no clock of its own. */
const timed = (r: ReadingInput): boolean => !r.source.startsWith('import:')
const endOf = (r: ReadingInput): number => r.start + r.minutes * 60

/**
 * CORE-119, REL-038: a source whose intervals end after they are received has a clock that is ahead by at least as much; its offset is
 * the median over its last messages. Beyond 30 s its values are kept and SUSPECT, beyond one interval they are refused, so that nothing is
 * moved silently. What comes late says nothing of a clock: it may have waited. Rates of a time lapse stretch the tolerance.
 * Interpretation: CORE-119 rejects beyond one interval, REL-038 keeps; the rows are refused with the reason, and the device may send them again.
 */
export function sourceClocks(clock: Pick<Clock, 'nowMs' | 'rate'>, most = 100_000): (rows: readonly ReadingInput[]) => readonly ReadingInput[] {
  const seen = new LRUCache<string, { device: number; received: number }[]>({ max: most })

  function offsetOf(source: string, newest: number): number {
    const pairs = [...seen.get(source) ?? [], { device: newest, received: clock.nowMs() / 1000 }].slice(-remembered)
    seen.set(source, pairs)
    return Math.max(0, clockOffset(pairs) ?? 0) / clock.rate
  }

  return (rows) => {
    const now = clock.nowMs() / 1000
    const newest = new Map<string, number>()
    for (const r of rows) if (timed(r)) newest.set(r.source, Math.max(newest.get(r.source) ?? 0, endOf(r)))
    const offsets = new Map([...newest].map(([source, end]) => [source, offsetOf(source, end)]))
    if (rows.every((r) => endOf(r) <= now)) return rows
    const verdict = (r: ReadingInput): 'ok' | 'flagged' | 'rejected' => (!timed(r) || endOf(r) <= now ? 'ok' : clockVerdict(offsets.get(r.source)!, r.minutes * 60))
    const refused = rows.flatMap((r, i) => (verdict(r) === 'rejected' ? [{ row: i + 1, field: 'start', reason: `the interval ends ${Math.round(endOf(r) - now)} s in the future: the clock of the source is wrong` }] : []))
    if (refused.length > 0) throw badRows(refused)
    return rows.map((r) => (verdict(r) === 'flagged' && (r.quality === 'RAW' || r.quality === 'VALID') ? { ...r, quality: 'SUSPECT', lineage: r.lineage ?? 'vee:CLOCK_SKEW' } : r))
  }
}
