/** A well-mixed 32-bit hash of a few integers (murmur3's finaliser), so that noise needs no state and any moment can be asked for. */
export function hash(...parts: readonly number[]): number {
  let h = 0x9e3779b9
  for (const part of parts) {
    h = Math.imul(h ^ (part | 0), 0x85ebca6b)
    h ^= h >>> 13
    h = Math.imul(h, 0xc2b2ae35)
    h ^= h >>> 16
  }
  return h >>> 0
}

/** Uniform in [0, 1). */
export const uniform = (...parts: readonly number[]): number => hash(...parts) / 4294967296
/** Uniform in [-1, 1). */
export const wobble = (...parts: readonly number[]): number => uniform(...parts) * 2 - 1

/** A name as an integer. */
export function seedOf(name: string): number {
  let h = 0
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  return h | 0
}
