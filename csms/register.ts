/** A meter register's newest samples `[epoch ms, Wh]`, sorted by time. Document `csms/Register`, one for each EVSE and channel. */
export interface Register {
  samples: [number, number][]
  /** Wh that the register counted before resets, so that `unrolled` never decreases. */
  resets: number
  /** Epoch ms of the newest sample when it was last written. */
  savedAt?: number
}

export interface IntervalEnergy {
  /** Epoch seconds. */
  readonly start: number
  readonly seconds: number
  readonly Wh: number
}

const kept = 400

export const newRegister = (): Register => ({ samples: [], resets: 0 })

/** Rising values: a decrease is an exchanged or reset meter, a new segment that adds nothing by itself (OCPP-173). */
function unrolled(samples: readonly [number, number][]): [number, number][] {
  // From the meter's own value, so that rounding does not shift when old samples are dropped.
  let sum = samples[0]?.[1] ?? 0, last: number | undefined
  return samples.map(([at, value]) => {
    if (last !== undefined) sum += Math.max(0, value - last)
    last = value
    return [at, sum] as [number, number]
  })
}

function valueAt(curve: readonly [number, number][], at: number): number {
  let low = 0, high = curve.length - 1
  if (at <= (curve[0] as [number, number])[0]) return (curve[0] as [number, number])[1]
  if (at >= (curve[high] as [number, number])[0]) return (curve[high] as [number, number])[1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((curve[middle] as [number, number])[0] <= at) low = middle
    else high = middle
  }
  const [t0, w0] = curve[low] as [number, number], [t1, w1] = curve[high] as [number, number]
  return w0 + (w1 - w0) * (at - t0) / (t1 - t0)
}

/**
 * Adds samples and returns the intervals whose energy is now known or has changed: those that end at or before the newest
 * sample; with `closed` (the transaction ended, nothing more flows) also the one still open. Energy between two samples is
 * spread evenly over their time; rounding is done on the register, so the intervals add up to what the meter counted.
 */
export function count(register: Register, samples: readonly { at: number; value: number }[], seconds: number, closed: boolean): IntervalEnergy[] {
  let first = Infinity, changed = Infinity
  let reset = false
  for (const { at, value } of samples) {
    const list = register.samples
    let i = list.length
    while (i > 0 && (list[i - 1] as [number, number])[0] >= at) i -= 1
    const same = list[i]?.[0] === at
    if (same && list[i]?.[1] === value) continue
    // Older than all that is kept of a long history: its intervals were told already.
    if (i === 0 && list.length >= kept) continue
    if (i > 0 && value < (list[i - 1] as [number, number])[1]) reset = true
    list.splice(i, same ? 1 : 0, [at, value])
    first = Math.min(first, at)
    changed = Math.min(changed, list[Math.max(0, i - 1)]?.[0] ?? at)
  }
  if (first === Infinity && !closed) return []
  if (reset) register.resets += 1
  const list = register.samples
  if (list.length === 0) return []
  const newest = (list.at(-1) as [number, number])[0], step = seconds * 1000
  const out: IntervalEnergy[] = []
  const from = Math.floor(Math.min(changed, newest) / step) * step
  // Most samples end no interval.
  if (from + step > newest && !closed) {
    if (list.length > kept) trim(register)
    return out
  }
  const curve = unrolled(list)
  for (let at = from; at < newest; at += step) {
    const end = at + step
    if (end > newest && !closed) break
    out.push({ start: at / 1000, seconds, Wh: Math.round(valueAt(curve, end)) - Math.round(valueAt(curve, at)) })
  }
  if (list.length > kept) trim(register)
  return out
}

/** Drops the older half; what stays begins with its own register value. */
function trim(register: Register): void {
  register.samples = register.samples.slice(-kept / 2)
}

/** Energy of one interval as far as the samples tell; 0 without any. */
export function energyIn({ samples }: Register, start: number, seconds: number): number {
  if (samples.length === 0) return 0
  const curve = unrolled(samples)
  return Math.round(valueAt(curve, (start + seconds) * 1000)) - Math.round(valueAt(curve, start * 1000))
}
