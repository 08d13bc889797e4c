import type { ProtocolClock } from '#sim/protocol-clock.js'

/** What a meter has counted in one interval. Wh unrounded; `start` in epoch ms. */
export interface Counted {
  readonly start: number
  readonly import_Wh: number
  readonly export_Wh: number
}

export interface Meter {
  /** Brings the integral up to an instant; going back changes nothing. */
  advance(to_ms: number): void
  /** Energy of a whole, finished interval; undefined when this meter was not running all of it. */
  interval(start_ms: number, end_ms: number): Counted | undefined
  /** The register since the meter began, Wh. */
  register(): { readonly import_Wh: number; readonly export_Wh: number }
  /** The import register at the start of an interval, however late it is asked; undefined before this meter began. */
  registerAt(boundary_ms: number): number | undefined
  /** Finished intervals, oldest first. */
  finished(): readonly Counted[]
  /** Average W of the last step, for a display. */
  readonly power_W: number
  /** All that it knows, for a process that goes on where this one ends; undefined before it began. */
  memory(): MeterMemory | undefined
}

type Bucket = { import_Wh: number; export_Wh: number; opening: number }

/** A meter's register and intervals as they stood at `at`, plain data. */
export interface MeterMemory {
  readonly at: number
  readonly total: { readonly import_Wh: number; readonly export_Wh: number }
  readonly buckets: readonly (readonly [number, Bucket])[]
}

/** A meter that begins when its protocol has told the time; before that it has counted nothing. */
export function meterOn(clock: ProtocolClock, powerBetween: (from_ms: number, to_ms: number) => number, options: Parameters<typeof meter>[2] = {}): Meter {
  let made: Meter | undefined
  const begun = (): Meter | undefined => made ??= clock.samples > 0 ? meter(clock.nowMs(), powerBetween, options) : undefined
  void clock.ready.then(begun)
  return {
    advance: (to) => begun()?.advance(to),
    interval: (start, end) => begun()?.interval(start, end),
    register: () => begun()?.register() ?? { import_Wh: 0, export_Wh: 0 },
    registerAt: (boundary) => begun()?.registerAt(boundary),
    finished: () => begun()?.finished() ?? [],
    get power_W() { return begun()?.power_W ?? 0 },
    memory: () => begun()?.memory() ?? options.memory,
  }
}

/**
 * Energy is exactly the integral of the power that `powerBetween` gives: a step never crosses a multiple of `step_s`, and the device
 * calls `advance` before it changes anything. `begin` is put back to the start of its interval, where the device has been running as usual;
 * with a `memory` it goes on from there instead.
 */
export function meter(begin_ms: number, powerBetween: (from_ms: number, to_ms: number) => number, options: { interval_s?: number; step_s?: number; keep?: number; memory?: MeterMemory | undefined } = {}): Meter {
  const length = (options.interval_s ?? 900) * 1000, step = (options.step_s ?? 60) * 1000, keep = options.keep ?? 96 * 14
  const { memory } = options
  let at = memory?.at ?? Math.floor(begin_ms / length) * length
  const buckets = new Map<number, Bucket>((memory?.buckets ?? []).map(([start, one]) => [start, { ...one }]))
  const total = { import_Wh: 0, export_Wh: 0, ...memory?.total }
  const first = Math.floor(at / length) * length
  let bucket = buckets.get(first) ?? { import_Wh: 0, export_Wh: 0, opening: total.import_Wh }, power_W = 0
  buckets.set(first, bucket)

  function advance(to_ms: number): void {
    while (at < to_ms) {
      const end = Math.min(to_ms, (Math.floor(at / step) + 1) * step)
      power_W = powerBetween(at, end)
      const wh = power_W * (end - at) / 3_600_000
      if (wh > 0) { bucket.import_Wh += wh; total.import_Wh += wh } else { bucket.export_Wh -= wh; total.export_Wh -= wh }
      at = end
      if (at % length === 0) {
        bucket = { import_Wh: 0, export_Wh: 0, opening: total.import_Wh }
        buckets.set(at, bucket)
        if (buckets.size > keep) buckets.delete(buckets.keys().next().value as number)
      }
    }
  }

  return {
    advance,
    interval(start_ms, end_ms) {
      advance(end_ms)
      if (start_ms % length !== 0 || end_ms % length !== 0) return undefined
      let import_Wh = 0, export_Wh = 0
      for (let s = start_ms; s < end_ms; s += length) {
        const one = buckets.get(s)
        if (!one) return undefined
        import_Wh += one.import_Wh
        export_Wh += one.export_Wh
      }
      return { start: start_ms, import_Wh, export_Wh }
    },
    register: () => ({ ...total }),
    registerAt(boundary_ms) {
      advance(boundary_ms)
      return buckets.get(boundary_ms)?.opening
    },
    finished: () => [...buckets].filter(([start]) => start + length <= at).map(([start, one]) => ({ start, import_Wh: one.import_Wh, export_Wh: one.export_Wh })),
    get power_W() { return power_W },
    memory: () => ({ at, total: { ...total }, buckets: [...buckets].map(([start, one]) => [start, { ...one }] as const) }),
  }
}
