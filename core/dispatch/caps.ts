import type { W } from '#core/quantity/power.js'

/** Caps per grid node: each bounds the sum of changes below it (CORE-068). A node without a cap binds nothing. */
export type Caps = Readonly<Record<string, W>>

/** What is still free at each capped node; shared by every mode so that caps mean the same in all. */
export class CapRoom {
  readonly #left: Map<string, W>

  constructor(caps: Caps = {}) {
    this.#left = new Map(Object.entries(caps))
  }

  nodes(): string[] {
    return [...this.#left.keys()]
  }

  left(node: string): W {
    return this.#left.get(node) ?? Infinity
  }

  /** Tightest remaining room on a path, and the node that makes it so. */
  room(path: readonly string[]): { room: W; node: string | undefined } {
    let room = Infinity, node: string | undefined
    for (const n of path) {
      const left = this.left(n)
      if (left < room) {
        room = left
        node = n
      }
    }
    return { room, node }
  }

  take(path: readonly string[], amount: W): void {
    for (const n of path) {
      const left = this.#left.get(n)
      if (left !== undefined) this.#left.set(n, left - amount)
    }
  }
}
