/** What grows by how much: the middle of the slopes between all pairs (Theil and Sen), and the least that the middle half of them agrees on. */
export interface Slope { readonly middle: number; readonly least: number }

/** Slope of [hour, value] points, robust against single outliers such as a collection that came late. */
export function perHour(points: readonly (readonly [number, number])[]): Slope {
  const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).flatMap(([x2, y2]) => (x2 > x ? [(y2 - y) / (x2 - x)] : []))).sort((a, b) => a - b)
  const at = (share: number): number => slopes[Math.min(slopes.length - 1, Math.floor(slopes.length * share))] ?? 0
  return { middle: Number(at(0.5).toPrecision(4)), least: Number(at(0.25).toPrecision(4)) }
}
