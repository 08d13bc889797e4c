import { createHash } from 'node:crypto'
import { deliveryStates } from '#core/dispatch/delivery-states.js'
import { dispatchStates } from '#core/dispatch/dispatch-states.js'
import type { AuditDetail, AuditRecord } from '#core/port/store/audit.js'
import { enrolmentStates } from '#core/program/enrolment-states.js'
import { disputeStates } from '#core/settlement/dispute-states.js'
import { runStates } from '#core/settlement/run-states.js'

/** One member that differs: a path such as `limits.twoPersonAbove_kW`, empty where the whole was one word. `null` on a side: it was not there. */
export interface Change { readonly path: string; readonly before: string | number | boolean | null; readonly after: string | number | boolean | null }

/** JSON with members in order of name, so equal things have equal hashes whatever order they were built in. */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const members = value as Readonly<Record<string, unknown>>
  return `{${Object.keys(members).sort().filter((name) => members[name] !== undefined).map((name) => `${JSON.stringify(name)}:${canonical(members[name])}`).join(',')}}`
}

export const hashOfText = (text: string): string => createHash('sha256').update(text).digest('hex')
export const hashOf = (value: unknown): string => (value === undefined || value === null ? '' : hashOfText(canonical(value)))

/** What nobody who reads the trail has to know: keys to doors, and where a person can be reached (SEC-061, CORE-224). */
const secret = /^(secrets?|password|totp|pin|code|token|privateKey|key|credential|bearerToken|to|email|phone|address)$/i
const longest = 8192, mostItems = 20

/** The same without secrets and without long lists: two thousand deliveries are told as their number. */
function shortened(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.length > mostItems ? `${value.length} items` : value.map(shortened)
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, secret.test(name) && v !== null && v !== undefined ? '***' : shortened(v)]))
}

function side(value: unknown): string | null {
  if (value === null || value === undefined || typeof value !== 'object') return null
  const text = canonical(shortened(value))
  return text.length > longest ? null : text
}

/**
 * UX-051: what the trail shows of a change, beside the chain, which holds hashes alone. Interpretation: kept apart so that a customer who
 * goes can be forgotten (CORE-224) while the chain still holds; single words, the states of deliveries above all, are told from their hash.
 */
export function detailOf(before: unknown, after: unknown): AuditDetail | null {
  const detail = { before: side(before), after: side(after) }
  return detail.before === null && detail.after === null ? null : detail
}

const words = [...new Set([deliveryStates, dispatchStates, enrolmentStates, disputeStates, runStates].flatMap((table) => Object.keys(table)))]
const wordOf: ReadonlyMap<string, string> = new Map(words.map((w) => [hashOf(w), w]))

/** One side of a record as it can be read. `intact`: what is shown has the hash that the chain holds; null where it was shortened or is not kept. */
export function readable(hash: string, kept: string | null): { readonly value: unknown; readonly intact: boolean | null } {
  if (hash === '') return { value: null, intact: true }
  if (kept === null) return { value: wordOf.get(hash) ?? null, intact: wordOf.has(hash) ? true : null }
  const intact = hashOfText(kept) === hash
  return { value: JSON.parse(kept), intact: intact ? true : /"\*\*\*"|"\d+ items"/.test(kept) ? null : false }
}

/** Empty lists and objects are as good as absent: what fills them is told instead. */
function flat(value: unknown, path: string, into: Map<string, Change['before']>): Map<string, Change['before']> {
  if (value !== null && typeof value === 'object') for (const [name, v] of Object.entries(value)) flat(v, path === '' ? name : `${path}.${name}`, into)
  else if (value !== undefined && value !== null) into.set(path, value as Change['before'])
  return into
}

const stateOf = (value: unknown): string | undefined => (value !== null && typeof value === 'object' && typeof (value as { state?: unknown }).state === 'string' ? (value as { state: string }).state : undefined)
const rank = (path: string): number => ['', 'state', 'name'].indexOf(path) >>> 0

/** Every member that differs, state and name first; versions and times of change are no news, and of a word before a whole state only the new word is. */
export function changesBetween(before: unknown, after: unknown): Change[] {
  const state = stateOf(after)
  if (typeof before === 'string' && state !== undefined) return [{ path: 'state', before, after: state }]
  const from = flat(before, '', new Map()), to = flat(after, '', new Map()), noise = new Set(['version', 'modifiedAt'])
  return [...new Set([...from.keys(), ...to.keys()])].filter((p) => !noise.has(p) && from.get(p) !== to.get(p)).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).map((path) => ({ path, before: from.get(path) ?? null, after: to.get(path) ?? null }))
}

/** What one record says of a change, both sides checked against the chain's hashes. */
export function changeOf(record: AuditRecord, detail: AuditDetail | undefined): { readonly changes: readonly Change[]; readonly intact: boolean | null } {
  const before = readable(record.before, detail?.before ?? null), after = readable(record.after, detail?.after ?? null), both = [before.intact, after.intact]
  return { changes: changesBetween(before.value, after.value), intact: both.includes(false) ? false : both.includes(null) ? null : true }
}
