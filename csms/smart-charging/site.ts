import { leastAmperes, wattsOf, type Electrical } from './convert.js'

/** An EVSE that wants to charge behind a site's connection. */
export interface Wish {
  readonly key: string
  readonly most_W: number
  readonly electrical: Electrical
  /** Epoch ms since when it is paused; undefined = it charges. */
  readonly pausedSince: number | undefined
  /** Epoch ms of its last change between paused and charging. */
  readonly changedAt: number
}

/** Who is paused stays so, and who charges goes on, for at least 15 minutes (OCPP-231). */
const turn_ms = 900_000

const least_W = ({ electrical, most_W }: Wish): number => (electrical.current === 'DC' ? 0 : Math.min(most_W, wattsOf(leastAmperes, electrical)))

/**
 * Splits a connection limit (OCPP-241): first who may charge, as no AC car charges below 6 A, then equal shares, where what one
 * cannot use goes to the others. The sum never exceeds the limit. Pure.
 */
export function shareSite(limit_W: number, wishes: readonly Wish[], now: number): Map<string, number> {
  const fresh = (w: Wish): boolean => now - w.changedAt < turn_ms
  // Those whose turn is not over go on; then the longest paused; then who has charged longest gives way.
  const rank = (w: Wish): number => (w.pausedSince === undefined ? (fresh(w) ? 0 : 2) : fresh(w) ? 3 : 1)
  const line = [...wishes].sort((a, b) => rank(a) - rank(b) || (rank(a) === 1 ? a.changedAt - b.changedAt : b.changedAt - a.changedAt) || (a.key < b.key ? -1 : 1))
  const in_: Wish[] = []
  let left = Math.max(0, Math.floor(limit_W))
  for (const w of line) {
    if (least_W(w) > left) continue
    in_.push(w)
    left -= least_W(w)
  }
  const shares = new Map(wishes.map((w) => [w.key, 0]))
  for (const w of in_) shares.set(w.key, least_W(w))
  // Equal steps above the least, until nothing is left or nobody wants more.
  for (let open = in_.filter((w) => w.most_W > (shares.get(w.key) as number)); open.length > 0 && left >= open.length;) {
    const step = Math.floor(left / open.length)
    for (const w of open) {
      const had = shares.get(w.key) as number, more = Math.min(step, Math.floor(w.most_W) - had)
      shares.set(w.key, had + more)
      left -= more
    }
    open = open.filter((w) => Math.floor(w.most_W) > (shares.get(w.key) as number))
  }
  return shares
}
