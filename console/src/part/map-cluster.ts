import type { Spot } from './map-layout.ts'

/** Devices too close together on the screen to be told apart: one sign with their number. */
export interface Cluster {
  /** Middle of its devices, in pixels of the canvas. */
  readonly x: number
  readonly y: number
  readonly spots: readonly Spot[]
}

/** Sorts spots that stand at real places into squares of `cell` pixels; a square with one device is no cluster. */
export function clustered(spots: readonly Spot[], px: (x: number) => number, py: (y: number) => number, cell: number): { clusters: Cluster[]; single: Spot[] } {
  const squares = new Map<string, Spot[]>(),
    single: Spot[] = []
  for (const s of spots) {
    if (!s.placed) single.push(s)
    else {
      const key = `${Math.floor(px(s.x) / cell)} ${Math.floor(py(s.y) / cell)}`,
        mine = squares.get(key)
      if (mine) mine.push(s)
      else squares.set(key, [s])
    }
  }
  const clusters: Cluster[] = []
  for (const mine of squares.values()) {
    if (mine.length === 1) single.push(mine[0]!)
    else clusters.push({ x: mean(mine.map((s) => px(s.x))), y: mean(mine.map((s) => py(s.y))), spots: mine })
  }
  return { clusters, single }
}

const mean = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0) / of.length
