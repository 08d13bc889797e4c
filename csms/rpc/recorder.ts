/** One frame as it was on the wire. */
export interface Frame {
  readonly at: number
  readonly direction: 'in' | 'out'
  readonly text: string
}

export interface RecorderLimits {
  /** Frames kept of one station. */
  readonly frames: number
  /** Characters kept of one frame. */
  readonly text: number
  /** Characters kept of all stations together. */
  readonly total: number
}

const usual: RecorderLimits = { frames: 20, text: 4096, total: 32 << 20 }

interface Ring { readonly frames: Frame[]; size: number }

/**
 * The last frames of each station, both ways (OCPP-070): a chatty one never pushes out what a quiet one said last. Bounded for one station and
 * for all: when all are too large together, each is cut to its share, the oldest frames first. Secrets are masked when frames are read, as
 * writing is the hot path.
 */
export class Recorder {
  readonly #limits: RecorderLimits
  readonly #rings = new Map<string, Ring>()
  #size = 0

  constructor(limits: Partial<RecorderLimits> = {}) {
    this.#limits = { ...usual, ...limits }
  }

  /** Characters kept now. */
  get size(): number {
    return this.#size
  }

  /** `station` names it over all tenants. */
  add(station: string, at: number, direction: 'in' | 'out', text: string): void {
    let ring = this.#rings.get(station)
    if (!ring) this.#rings.set(station, ring = { frames: [], size: 0 })
    const kept = text.length > this.#limits.text ? `${text.slice(0, this.#limits.text)}…` : text
    ring.frames.push({ at, direction, text: kept })
    ring.size += kept.length
    this.#size += kept.length
    if (ring.frames.length > this.#limits.frames) this.#drop(ring)
    if (this.#size > this.#limits.total) this.#cut()
  }

  /** Newest first. */
  of(station: string, limit: number): Frame[] {
    const frames = this.#rings.get(station)?.frames ?? []
    return frames.slice(-limit).reverse().map((frame) => ({ ...frame, text: masked(frame.text) }))
  }

  /** The station is no longer ours. */
  forget(station: string): void {
    this.#size -= this.#rings.get(station)?.size ?? 0
    this.#rings.delete(station)
  }

  #drop(ring: Ring): void {
    const length = ring.frames.shift()?.text.length ?? 0
    ring.size -= length
    this.#size -= length
  }

  /** To half of the bound, so that it is seldom done. */
  #cut(): void {
    const share = this.#limits.total / 2 / this.#rings.size
    for (const [station, ring] of this.#rings) {
      while (ring.size > share) this.#drop(ring)
      if (ring.frames.length === 0) this.#rings.delete(station)
    }
  }
}

const password = /BasicAuthPassword|AuthorizationKey/i

/** Passwords on their way to a station, credentials within addresses (of uploads, firmware), KeyCode tokens (OCPP-023), and what is told of customers (OCPP-223). */
export function masked(text: string): string {
  let out = text.replace(/("idToken"\s*:\s*")[^"]*("\s*,\s*"type"\s*:\s*"KeyCode")/g, '$1***$2')
    .replace(/("type"\s*:\s*"KeyCode"\s*,\s*"idToken"\s*:\s*")[^"]*/g, '$1***')
    .replace(/(\w:\/\/)[^\s"/@]*@/g, '$1***@')
  if (out.includes('NotifyCustomerInformation')) out = out.replace(/("data"\s*:\s*")(?:[^"\\]|\\.)*/, '$1***')
  if (password.test(out)) out = out.replace(/("(?:attributeValue|value)"\s*:\s*")(?:[^"\\]|\\.)*/g, '$1***')
  return out
}
