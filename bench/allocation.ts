import type { Emit } from '#bench/figure.js'
import { rounded } from '#bench/figure.js'
import { allocate } from '#core/dispatch/allocate.js'
import type { Candidate } from '#core/dispatch/candidate.js'

/** Merit allocation over 10,000 and 100,000 assets with 50 caps, against a bare sort and sum of the same list (CORE-085). */
export default async function allocation(emit: Emit): Promise<void> {
  for (const n of [10_000, 100_000]) {
    const assets = fleet(n)
    const caps = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, Math.floor((n / 50) * 3000)]))
    const target = Math.floor(n * 2000)
    const value = median(7, () => { allocate({ mode: 'merit', target_W: target, caps_W: caps, candidates: assets }) })
    const baseline = median(7, () => { bare(assets, target) })
    emit({ name: `merit ${n}`, value: rounded(value), unit: 'ms', n: 7, baseline: rounded(baseline), ratio: rounded(value / baseline) })
  }
}

function fleet(n: number): Candidate[] {
  let seed = 7
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 4294967296
  return Array.from({ length: n }, (_, i) => ({
    id: `r${String(i).padStart(6, '0')}`, cost: String(Math.floor(next() * 100) / 100), avail_W: 1000 + Math.floor(next() * 4000),
    path: [`f${i % 50}`], dispatches: Math.floor(next() * 10), min_W: 0,
  }) as Candidate)
}

function bare(assets: readonly Candidate[], target: number): number {
  let left = target
  for (const a of [...assets].sort((x, y) => Number(x.cost) - Number(y.cost))) left -= Math.min(left, a.avail_W)
  return left
}

function median(times: number, work: () => void): number {
  const taken = Array.from({ length: times }, () => { const t = performance.now(); work(); return performance.now() - t })
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] as number
}
