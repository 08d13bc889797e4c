import type { Protocol } from '#core/program/resource.js'

export interface Frame { readonly at: number; readonly direction: 'in' | 'out'; readonly text: string }
export interface Capture {
  readonly since: number
  /** Server time in ms; nothing is kept after it. */
  readonly until: number
  readonly by: string
  readonly frames: readonly Frame[]
  /** Frames that found no room any more. */
  readonly dropped: number
}
type Running = { -readonly [K in keyof Capture]: Capture[K] } & { frames: Frame[]; bytes: number }

/** Two tenants may have devices that call themselves the same (SEC-030). */
export const keyOf = (tenant: string, protocol: Protocol, remoteId: string): string => `${tenant} ${protocol} ${remoteId}`

const most = { atOnce: 20, frames: 5000, bytes: 4 * 2 ** 20, ofOne: 64 * 1024 }

/**
 * UX-077: every frame of one device for a limited time, from whichever door it speaks at. Bounded in number, bytes and time, and held in
 * memory only: nothing of a device's words is kept longer than somebody looks. In a cluster the process that holds the device has them.
 */
export class Captures {
  readonly #of = new Map<string, Running>()

  /** Another beginning replaces what was kept before; the oldest device makes room. */
  begin(tenant: string, protocol: Protocol, remoteId: string, now: number, ms: number, by: string): Capture {
    const key = keyOf(tenant, protocol, remoteId), made: Running = { since: now, until: now + ms, by, frames: [], dropped: 0, bytes: 0 }
    this.#of.delete(key)
    this.#of.set(key, made)
    for (const old of [...this.#of.keys()].slice(0, Math.max(0, this.#of.size - most.atOnce))) this.#of.delete(old)
    return made
  }

  /** The text is asked for only when somebody listens: this stands in the hot path of every door. */
  heard(tenant: string, protocol: Protocol, remoteId: string, at: number, frames: () => readonly Omit<Frame, 'at'>[]): void {
    if (this.#of.size === 0) return
    const c = this.#of.get(keyOf(tenant, protocol, remoteId))
    if (!c || at >= c.until) return
    for (const { direction, text } of frames()) {
      if (c.frames.length >= most.frames || c.bytes + text.length > most.bytes) c.dropped++
      else {
        const cut = text.length > most.ofOne ? `${text.slice(0, most.ofOne)}…` : text
        c.bytes += cut.length
        c.frames.push({ at, direction, text: cut })
      }
    }
  }

  of(tenant: string, protocol: Protocol, remoteId: string): Capture | undefined { return this.#of.get(keyOf(tenant, protocol, remoteId)) }
  end(tenant: string, protocol: Protocol, remoteId: string): boolean { return this.#of.delete(keyOf(tenant, protocol, remoteId)) }
}
