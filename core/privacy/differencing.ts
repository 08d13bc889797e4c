import { differs } from '#core/privacy/k-anonymity.js'
import type { Interval } from '#core/quantity/interval.js'

/** One number that was or would be told: the energy of these members over this window. */
export interface Told {
  readonly window: Interval
  readonly members: readonly string[]
}

export type Leak = { readonly kind: 'near-equal' } | { readonly kind: 'combination'; readonly members: number }

const overlap = (a: Interval, b: Interval): boolean => a.start < b.end && b.start < a.end
const tiny = 1e-9

/**
 * CORE-222, REL-085: would this number, beside those told before, show fewer than k members? Two ways are looked at: a group that nearly
 * equals an earlier one over a window that overlaps (their difference is a few), and any sum or difference of several numbers (a total
 * less its groups). For the second, members and times that stand in the same numbers are one unknown; what the numbers determine is
 * read from their reduced row echelon form, so one row that holds few members is a leak.
 */
export function leak(earlier: readonly Told[], now: Told, k = 15): Leak | undefined {
  const near = earlier.filter((e) => overlap(e.window, now.window)), mine = new Set(now.members)
  if (near.some((e) => differs(new Set(e.members), mine, k) === 'refused')) return { kind: 'near-equal' }
  const { rows, sizes } = unknowns([...near, now])
  for (const row of reduced(rows)) {
    const members = new Set(row.flatMap((v, i) => (Math.abs(v) > tiny ? sizes[i]! : []))).size
    if (members > 0 && members < k) return { kind: 'combination', members }
  }
  return undefined
}

/** Numbers × unknowns: 1 where a number holds the unknown. `sizes` names the members of each unknown. */
function unknowns(told: readonly Told[]): { rows: number[][]; sizes: string[][] } {
  const edges = [...new Set(told.flatMap((n) => [n.window.start, n.window.end]))].sort((a, b) => a - b), atoms = new Map<string, Set<string>>()
  const sets = told.map((n) => new Set(n.members)), everyone = new Set(told.flatMap((n) => n.members))
  for (let e = 0; e + 1 < edges.length; e++) {
    const inside = told.map((n) => n.window.start <= edges[e]! && n.window.end >= edges[e + 1]!)
    for (const id of everyone) {
      const signature = told.map((_, i) => (inside[i] && sets[i]!.has(id) ? '1' : '0')).join('')
      if (signature.includes('1')) atoms.set(signature, (atoms.get(signature) ?? new Set()).add(id))
    }
  }
  const names = [...atoms.keys()].sort()
  return { rows: told.map((_, i) => names.map((n) => Number(n[i]))), sizes: names.map((n) => [...atoms.get(n)!]) }
}

/** Gauss-Jordan with the largest pivot. */
function reduced(rows: readonly (readonly number[])[]): number[][] {
  const a = rows.map((r) => [...r]), width = a[0]?.length ?? 0
  let top = 0
  for (let c = 0; c < width && top < a.length; c++) {
    let best = top
    for (let r = top; r < a.length; r++) if (Math.abs(a[r]![c]!) > Math.abs(a[best]![c]!)) best = r
    if (Math.abs(a[best]![c]!) <= tiny) continue
    ;[a[top], a[best]] = [a[best]!, a[top]!]
    const pivot = a[top]![c]!
    a[top] = a[top]!.map((v) => v / pivot)
    for (let r = 0; r < a.length; r++) {
      const factor = a[r]![c]!
      if (r !== top && Math.abs(factor) > tiny) a[r] = a[r]!.map((v, i) => v - factor * a[top]![i]!)
    }
    top++
  }
  return a.slice(0, top)
}
