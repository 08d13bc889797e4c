/**
 * Ordinary least squares by Householder QR, not normal equations (CORE-150). Columns that add nothing to those before
 * them are dropped and get coefficient 0.
 */
export function leastSquares(columns: readonly (readonly number[])[], y: readonly number[]): { beta: number[]; dropped: number[] } {
  const kept: number[] = [], dropped: number[] = []
  const scale = columns.map((c) => Math.hypot(...c) || 1)
  const basis: number[][] = []
  // Rank first, by Gram-Schmidt with one repetition: a column whose rest is nothing is a combination of the others.
  columns.forEach((column, j) => {
    const rest = [...column]
    for (let round = 0; round < 2; round++) {
      for (const q of basis) {
        const along = rest.reduce((sum, v, i) => sum + v * q[i]!, 0)
        for (let i = 0; i < rest.length; i++) rest[i]! -= along * q[i]!
      }
    }
    const norm = Math.hypot(...rest)
    if (norm <= 1e-10 * scale[j]!) dropped.push(j)
    else {
      basis.push(rest.map((v) => v / norm))
      kept.push(j)
    }
  })
  const beta = columns.map(() => 0)
  solve(kept.map((j) => [...columns[j]!]), [...y]).forEach((b, i) => (beta[kept[i]!] = b))
  return { beta, dropped }
}

/** Householder QR in place on full-rank columns; `a` holds columns. */
function solve(a: number[][], y: number[]): number[] {
  const n = y.length, p = a.length, diagonal: number[] = []
  for (let k = 0; k < p; k++) {
    const ak = a[k]!
    let norm = 0
    for (let i = k; i < n; i++) norm = Math.hypot(norm, ak[i]!)
    const alpha = ak[k]! > 0 ? -norm : norm
    ak[k]! -= alpha
    let vv = 0
    for (let i = k; i < n; i++) vv += ak[i]! ** 2
    diagonal.push(alpha)
    for (const target of [...a.slice(k + 1), y]) {
      let along = 0
      for (let i = k; i < n; i++) along += ak[i]! * target[i]!
      const factor = vv === 0 ? 0 : (2 * along) / vv
      for (let i = k; i < n; i++) target[i]! -= factor * ak[i]!
    }
  }
  const beta = Array.from({ length: p }, () => 0)
  for (let k = p - 1; k >= 0; k--) {
    let sum = y[k]!
    for (let j = k + 1; j < p; j++) sum -= a[j]![k]! * beta[j]!
    beta[k] = sum / diagonal[k]!
  }
  return beta
}
