import { Refusal } from '#core/error.js'
import type { Page } from '#core/port/store/entity.js'

/** A cursor is the sort key of the last item seen, so a page never moves under inserts (REL-030). */
export const cursorOf = (key: readonly (string | number)[]): string => Buffer.from(JSON.stringify(key)).toString('base64url')

export function readCursor(cursor: string | undefined, length: number): (string | number)[] | undefined {
  if (cursor === undefined) return undefined
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(key) && key.length === length && key.every((part) => typeof part === 'string' || Number.isFinite(part))) return key as (string | number)[]
  } catch { /* said below */ }
  throw new Refusal('invalid', 'the cursor is not one of ours', { faults: [{ path: 'cursor', reason: 'not a cursor of this list' }] })
}

/** A page out of up to limit + 1 items: the extra one only says that there are more. */
export function pageOf<T>(found: T[], limit: number, key: (item: T) => readonly (string | number)[]): Page<T> {
  const items = found.slice(0, limit), last = items.at(-1)
  return { items, next: found.length > limit && last !== undefined ? cursorOf(key(last)) : null }
}
