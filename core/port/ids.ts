import { randomBytes } from 'node:crypto'

/** Identifiers are handed in. */
export interface Ids {
  /** UUIDv7 text: sorts by creation time. */
  uuid(): string
  /** Random bytes as hex, for secrets and mRIDs. */
  hex(bytes: number): string
}

/** UUIDv7 (RFC 9562 §5.7): 48-bit milliseconds, version, 74 random bits; a counter keeps one process monotonic. */
export function randomIds(nowMs: () => number): Ids {
  let last = 0, counter = 0, pool = Buffer.alloc(0), used = 0
  // asking the kernel sixteen bytes at a time costs more than the whole identifier
  const random16 = (): Buffer => {
    if (used + 16 > pool.length) {
      pool = randomBytes(4096)
      used = 0
    }
    return pool.subarray(used, used += 16)
  }
  return {
    uuid() {
      const now = nowMs()
      if (now > last) { last = now; counter = 0 } else counter += 1
      const bytes = random16()
      bytes.writeUIntBE(last, 0, 6)
      bytes.writeUInt16BE(0x7000 | ((counter >> 6) & 0x0fff), 6)
      bytes[8] = 0x80 | (counter & 0x3f)
      const hex = bytes.toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
    hex: (bytes) => randomBytes(bytes).toString('hex'),
  }
}

/** Predictable identifiers, for tests and simulations with a seed. */
export function countingIds(prefix = '00000000-0000-7000-8000-'): Ids {
  let n = 0
  return {
    uuid: () => prefix + (++n).toString(16).padStart(12, '0'),
    hex: (bytes) => (++n).toString(16).padStart(bytes * 2, '0').slice(-bytes * 2),
  }
}
