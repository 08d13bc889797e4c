import { HttpFault, reason } from '#csip-server/error-map.js'

/** Start, limit and after of a list request (SEP-051). */
export interface Page {
  readonly s: number
  readonly l: number
  readonly a: number | undefined
}

/** The first of a repeated parameter counts, unknown ones are ignored, a limit above the maximum is clipped. */
export function pageOf(query: URLSearchParams, listMax: number): Page {
  return { s: whole(query.get('s')) ?? 0, l: Math.min(whole(query.get('l')) ?? 1, listMax), a: whole(query.get('a')) }
}

function whole(text: string | null): number | undefined {
  if (text === null) return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 4_294_967_295)) throw new HttpFault(400, reason.values)
  return value
}

/** A page of members that are already filtered and in order. */
export const cut = <T>(members: readonly T[], page: Page): readonly T[] => members.slice(page.s, page.s + page.l)
