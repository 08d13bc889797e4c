import { createHash } from 'node:crypto'
import { Refusal } from '#core/error.js'

/** CORE-230: members are strings and integers, or objects and lists of them; no fractions, so that every language writes the same bytes. */
export type AuditValue = string | number | readonly AuditValue[] | { readonly [name: string]: AuditValue }
export type AuditRecord = { readonly [name: string]: AuditValue }

export const genesis = '0'.repeat(64)

/** RFC 8785 (JCS): members sorted by UTF-16 code units, no white space, ECMAScript's own string escapes and number form. */
export function jcs(value: AuditValue): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Refusal('invalid', `an audit record holds integers and strings only (CORE-230), not ${value}`)
    return String(value)
  }
  // RFC 8785 §3.2.2.2: a lone surrogate has no UTF-8 form and is an error.
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) throw new Refusal('invalid', 'an audit record holds a broken Unicode string')
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value !== 'object') throw new Refusal('invalid', `an audit record holds integers and strings only (CORE-230), not ${value}`)
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`
  const members = Object.entries(value as AuditRecord).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, v]) => `${jcs(name)}:${jcs(v)}`).join(',')}}`
}

/** `h_i = SHA-256(h_(i-1) + "\n" + JCS(record_i))`, hex. */
export function link(previous: string, record: AuditRecord): string {
  return createHash('sha256').update(`${previous}\n${jcs(record)}`, 'utf8').digest('hex')
}

export function chain(records: Iterable<AuditRecord>, head: string = genesis): string[] {
  const out: string[] = []
  let hash = head
  for (const record of records) out.push((hash = link(hash, record)))
  return out
}

export type ChainVerdict =
  | { readonly ok: true; readonly count: number; readonly head: string }
  | { readonly ok: false; readonly count: number; readonly index: number; readonly record: AuditRecord; readonly expected: string; readonly found: string }

/** Walks stored records with their hashes and names the first broken one (CORE-230). */
export function verifyChain(entries: Iterable<{ readonly record: AuditRecord; readonly hash: string }>, head: string = genesis): ChainVerdict {
  let hash = head, index = 0
  for (const { record, hash: found } of entries) {
    let expected: string
    try {
      expected = link(hash, record)
    } catch (cause) {
      expected = `not a valid record: ${cause instanceof Error ? cause.message : String(cause)}`
    }
    if (expected !== found) return { ok: false, count: index, index, record, expected, found }
    hash = expected
    index++
  }
  return { ok: true, count: index, head: hash }
}
