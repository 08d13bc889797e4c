/** A meter register's newest samples `[epoch ms, Wh]`, sorted by time. Document `csms/Register`, one for each EVSE and channel. */
export interface Register {
  samples: [number, number][]
  /** How often the meter was exchanged or went back. */
  resets: number
  /** Samples that cannot be true at their time and were left out. */
  doubted?: number
  /** Epoch ms of the newest sample when it was last written. */
  savedAt?: number
}

export interface IntervalEnergy {
  /** Epoch seconds. */
  readonly start: number
  readonly seconds: number
  readonly Wh: number
}

const kept = 400, day_ms = 86_400_000
/** Of a longer silence nobody can say when its energy flowed; a clock that began at 1970 is one too. */
const longestGap_ms = 31 * day_ms

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
 * Does a sample that comes late fit between those of before and after it? A meter never goes back but where it was exchanged, so one that
 * says more than a later one, or less than an earlier one, has another time than it says: a station whose clock is wrong (REL-038). Taken
 * for an exchange it would count energy twice, and put nothing in place of a day that others measured.
 * Interpretation (OCPP-173): it stays with its message, flagged, and is not counted; so is one more than a day older than all we know.
 */
function fits([before, after]: readonly [number | undefined, readonly [number, number] | undefined], at: number, value: number): boolean {
  if (after === undefined) return true
  const [next_ms, next] = after
  if (before === undefined) return value <= next && next_ms - at <= day_ms
  return before <= next ? before <= value && value <= next : value >= before || value <= next
}

/**
 * Adds samples and returns the intervals whose energy is now known or has changed: those that end at or before the newest
 * sample; with `closed` (the transaction ended, nothing more flows) also the one still open. Energy between two samples is
 * spread evenly over their time, where that is no longer than a month; rounding is done on the register, so the intervals add up to what
 * the meter counted.
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
    if (!same && !fits([list[i - 1]?.[1], list[i]], at, value)) {
      register.doubted = (register.doubted ?? 0) + 1
      continue
    }
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
  const since = Math.min(changed, newest), from = Math.max(Math.floor(since / step) * step, afterSilence(list, since, step))
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

/** Where the first whole interval after the last long silence begins, of the samples since `since_ms`; -Infinity without one. */
function afterSilence(list: readonly [number, number][], since_ms: number, step: number): number {
  for (let i = list.length - 1; i > 0 && (list[i] as [number, number])[0] >= since_ms; i -= 1) {
    const at = (list[i] as [number, number])[0]
    if (at - (list[i - 1] as [number, number])[0] > longestGap_ms) return Math.ceil(at / step) * step
  }
  return -Infinity
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
