import { createHash } from 'node:crypto'

/** A number in [0, 1) that depends on the text alone: the same over polls, restarts and processes. */
export const uniformOf = (text: string): number => createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48

/** A small generator (mulberry32) that a text seeds: each client spreads its own polls without asking the machine for chance. */
export function randomFrom(seed: string): () => number {
  let a = createHash('sha256').update(seed).digest().readUInt32LE(0)
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
