import { DateTime, Duration } from 'luxon'
import { Refusal } from '#core/error.js'
import type { Entity, PageQuery } from '#core/port/store/entity.js'
import type { Instant } from '#core/quantity/interval.js'
import { wattsFromKW } from '#core/quantity/power.js'
import type { Ask } from '#core/operator/route.js'

/** Outside: RFC 3339 and kW. Inside: whole seconds and W (CORE-002). */
export const rfc3339 = (seconds: Instant): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
export const stamp = (ms: number): string => new Date(ms).toISOString()
export const kWOf = (W: number): number => W / 1000
export const kWOrNull = (W: number | null): number | null => (W === null ? null : W / 1000)
export const wattsOrNull = (kW: number | null | undefined): number | null => (kW === null || kW === undefined ? null : wattsFromKW(kW))
export const decimalText = (value: string | number): string => {
  const text = String(value)
  if (/e/i.test(text)) throw new Refusal('invalid', `${text} is not a plain decimal`)
  return text
}

const invalid = (path: string, reason: string): Refusal => new Refusal('invalid', `${path.slice(1)} ${reason}`, { faults: [{ path, reason }] })

/**
 * A time as the operator writes it. Without an offset it is local and resolved once, here: an hour that does not exist is an
 * error, one that comes twice asks which (REL-036). `:60` is the next second (REL-037).
 */
export function instantOf(given: string, zone: string, path: string): Instant {
  const leap = /:60(\.\d+)?/.test(given), whole = leap ? given.replace(/:60(\.\d+)?/, ':59') : given
  const parsed = DateTime.fromISO(whole, { zone, setZone: false })
  if (!parsed.isValid) throw invalid(path, `is not a time: ${parsed.invalidExplanation ?? given}`)
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/i.test(whole)
  if (!zoned) {
    if (parsed.toFormat("yyyy-MM-dd'T'HH:mm") !== DateTime.fromISO(whole, { zone: 'utc' }).toFormat("yyyy-MM-dd'T'HH:mm")) throw invalid(path, `does not exist in ${zone}: the clock skips it`)
    if (parsed.getPossibleOffsets().length > 1) throw invalid(path, `comes twice in ${zone}: write the offset (${parsed.getPossibleOffsets().map((d) => d.toFormat('ZZ')).join(' or ')})`)
  }
  return Math.floor(parsed.toSeconds()) + (leap ? 1 : 0)
}

/** End of a window: given, or start + ISO 8601 duration. */
export function endOf(start: Instant, given: { end?: string | undefined; duration?: string | undefined }, zone: string): Instant {
  if ((given.end === undefined) === (given.duration === undefined)) throw invalid('/end', 'or duration is needed, one of the two')
  if (given.end !== undefined) return instantOf(given.end, zone, '/end')
  const d = Duration.fromISO(given.duration!)
  if (!d.isValid) throw invalid('/duration', 'is not an ISO 8601 duration')
  return Math.floor(DateTime.fromSeconds(start, { zone }).plus(d).toSeconds())
}

/** A query time; epoch of the whole range when absent. */
export const fromOf = (ask: Ask): Instant => (ask.query.from === undefined ? 0 : instantOf(ask.query.from, 'utc', '/from'))
export const toOf = (ask: Ask): Instant => (ask.query.to === undefined ? 253_402_300_799 : instantOf(ask.query.to, 'utc', '/to'))

export const pageOf = (ask: Ask): PageQuery => ({ limit: Number(ask.query.limit ?? 100), cursor: ask.query.cursor })

/** What every object shows of itself. */
export const own = (e: Entity) => ({ id: e.id, version: e.version, createdAt: stamp(e.createdAt), modifiedAt: stamp(e.modifiedAt) })

/** Only the members that were given: a change touches nothing else. */
export function given<T extends object>(change: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, v]) => v !== undefined)) as Partial<T>
}
