import { CallFailed } from './error-code.js'
import type { Version } from './version.js'

/** OCPP-068, most urgent first. */
export const priorities = ['safety', 'cancel', 'dispatch', 'user', 'housekeeping'] as const
export type Priority = (typeof priorities)[number]

export interface CallOptions {
  readonly priority?: Priority
  readonly timeoutMs?: number
  /** Epoch ms of our clock after which the call is pointless: it ends `expired` instead of being sent late. */
  readonly deadline?: number
  /** A later call with the same key takes the place of one that still waits (same charging profile, restated). */
  readonly key?: string
  /** `wait`: keep it for the next connection; otherwise a call to an absent station fails at once. */
  readonly offline?: 'fail' | 'wait'
  /** A late answer, after the time-out was reported (OCPP-052). */
  readonly late?: (payload: Payload) => void
}

export type Payload = Record<string, unknown>

export interface Outgoing {
  readonly action: string
  /** In whose form the payload is. */
  readonly version: Version
  readonly payload: object
  readonly options: CallOptions
  readonly rank: number
  readonly resolve: (payload: Payload) => void
  readonly reject: (error: CallFailed) => void
}

/** The bounded, ordered queue of one station (OCPP-068). */
export class CallQueue {
  readonly #entries: Outgoing[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.length
  }

  push(entry: Outgoing): void {
    const { key } = entry.options
    const same = key === undefined ? -1 : this.#entries.findIndex((e) => e.options.key === key)
    if (same >= 0) this.#entries.splice(same, 1)[0]?.reject(new CallFailed('replaced', '', 'a later call took its place'))
    if (this.#entries.length >= this.#limit) {
      const last = this.#entries.at(-1) as Outgoing
      if (last.rank <= entry.rank) return entry.reject(new CallFailed('full', '', 'the queue of this station is full'))
      this.#entries.pop()
      last.reject(new CallFailed('full', '', 'the queue of this station is full'))
    }
    let at = this.#entries.length
    while (at > 0 && (this.#entries[at - 1] as Outgoing).rank > entry.rank) at -= 1
    this.#entries.splice(at, 0, entry)
  }

  /** The first entry that may go now; expired ones are told so on the way. */
  take(nowMs: number, may: (action: string) => boolean): Outgoing | undefined {
    for (let i = 0; i < this.#entries.length;) {
      const entry = this.#entries[i] as Outgoing
      if (entry.options.deadline !== undefined && entry.options.deadline <= nowMs) {
        this.#entries.splice(i, 1)
        entry.reject(new CallFailed('expired', '', 'its deadline passed before it could be sent'))
      } else if (may(entry.action)) {
        this.#entries.splice(i, 1)
        return entry
      } else i += 1
    }
    return undefined
  }

  /** Ends every entry that does not wait for a reconnect, or all of them. */
  drop(error: CallFailed, which: 'impatient' | 'all'): void {
    for (let i = this.#entries.length - 1; i >= 0; i -= 1) {
      const entry = this.#entries[i] as Outgoing
      if (which === 'all' || entry.options.offline !== 'wait') {
        this.#entries.splice(i, 1)
        entry.reject(error)
      }
    }
  }
}
