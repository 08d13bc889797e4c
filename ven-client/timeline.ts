/**
 * Overlapping orders become one line of time (style.md §10 row 7). Both protocols put their words in this form: OpenADR's topic is a
 * payload type, 2030.5's is a control mode. Times are epoch milliseconds, half-open; `end` null = without end.
 */
export interface Claim<T> {
  /** Claims of one topic compete, claims of different topics do not (OA-168, SEP-075). */
  readonly topic: string
  readonly start: number
  readonly end: number | null
  /** Compared member by member; the lower one wins. */
  readonly rank: readonly (number | string)[]
  readonly source: string
  readonly value: T
}

export interface Timeline<T> {
  /** The winning claim of each topic at an instant. */
  at(ms: number): ReadonlyMap<string, Claim<T>>
  /** The next instant after `ms` at which anything may change; null = never. */
  nextChange(ms: number): number | null
  /** The line of one topic: pieces in order of time, gaps left out, neighbours of one claim joined. */
  line(topic: string): readonly { start: number; end: number | null; claim: Claim<T> }[]
}

export function compareRank(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i], y = b[i]
    if (x === y) continue
    if (x === undefined) return 1
    if (y === undefined) return -1
    return x < y ? -1 : 1
  }
  return 0
}

const lives = <T>(claim: Claim<T>, ms: number): boolean => ms >= claim.start && (claim.end === null || ms < claim.end)

export function timeline<T>(claims: readonly Claim<T>[]): Timeline<T> {
  const real = claims.filter((c) => c.end === null || c.end > c.start)
  const at = (ms: number): Map<string, Claim<T>> => {
    const winners = new Map<string, Claim<T>>()
    for (const claim of real) {
      if (!lives(claim, ms)) continue
      const standing = winners.get(claim.topic)
      if (!standing || compareRank(claim.rank, standing.rank) < 0) winners.set(claim.topic, claim)
    }
    return winners
  }
  return {
    at,
    nextChange(ms) {
      let next: number | null = null
      for (const claim of real) {
        for (const edge of [claim.start, claim.end]) if (edge !== null && edge > ms && (next === null || edge < next)) next = edge
      }
      return next
    },
    line(topic) {
      const mine = real.filter((c) => c.topic === topic)
      const edges = [...new Set(mine.flatMap((c) => c.end === null ? [c.start] : [c.start, c.end]))].sort((a, b) => a - b)
      const pieces: { start: number; end: number | null; claim: Claim<T> }[] = []
      edges.forEach((start, i) => {
        const claim = at(start).get(topic)
        if (!claim) return
        const end = edges[i + 1] ?? null
        const last = pieces.at(-1)
        if (last && last.claim === claim && last.end === start) last.end = end
        else pieces.push({ start, end, claim })
      })
      return pieces
    },
  }
}
