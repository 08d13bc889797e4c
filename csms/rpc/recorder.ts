/** One frame as it was on the wire. */
export interface Frame {
  readonly at: number
  readonly direction: 'in' | 'out'
  readonly text: string
}

/**
 * The last frames of all stations in one ring (OCPP-070): bounded whatever the number of stations. Secrets are masked when
 * frames are read, as writing is the hot path.
 */
export class Recorder {
  readonly #ring: ({ station: string } & Frame)[] = []
  readonly #size: number
  #next = 0

  constructor(size = 4096) {
    this.#size = size
  }

  add(station: string, at: number, direction: 'in' | 'out', text: string): void {
    this.#ring[this.#next] = { station, at, direction, text: text.length > 4096 ? `${text.slice(0, 4096)}…` : text }
    this.#next = (this.#next + 1) % this.#size
  }

  /** Newest first. */
  of(station: string, limit: number): Frame[] {
    const out: Frame[] = []
    for (let i = 1; i <= this.#ring.length && out.length < limit; i += 1) {
      const frame = this.#ring[(this.#next - i + this.#size) % this.#size]
      if (frame?.station === station) out.push({ at: frame.at, direction: frame.direction, text: masked(frame.text) })
    }
    return out
  }
}

const password = /BasicAuthPassword|AuthorizationKey/i

/** Passwords on their way to a station, and KeyCode tokens (OCPP-023). */
export function masked(text: string): string {
  let out = text.replace(/("idToken"\s*:\s*")[^"]*("\s*,\s*"type"\s*:\s*"KeyCode")/g, '$1***$2')
    .replace(/("type"\s*:\s*"KeyCode"\s*,\s*"idToken"\s*:\s*")[^"]*/g, '$1***')
  if (password.test(out)) out = out.replace(/("(?:attributeValue|value)"\s*:\s*")(?:[^"\\]|\\.)*/g, '$1***')
  return out
}
