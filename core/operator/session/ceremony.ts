import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'

/**
 * What a sign-in has been asked and has not answered yet. Each is answered once, within five minutes, by the process that asked:
 * Interpretation: several processes behind one address keep a person on one of them for that long.
 */
export class Pending<T extends object> {
  readonly #open = new LRUCache<string, { what: T; until: number }>({ max: 10_000 })
  readonly #clock: Pick<Clock, 'nowMs'>
  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }
  /** A name for it that nobody can guess; a secret, so from the machine's own randomness. */
  ask(what: T, name = randomBytes(32).toString('base64url')): string {
    this.#open.set(name, { what, until: this.#clock.nowMs() + 300_000 })
    return name
  }
  take(name: string | undefined): T {
    const found = name === undefined ? undefined : this.#open.get(name)
    if (name !== undefined) this.#open.delete(name)
    if (!found || found.until < this.#clock.nowMs()) throw new Refusal('unauthenticated', 'this sign-in was begun too long ago, or elsewhere: begin again')
    return found.what
  }
}
