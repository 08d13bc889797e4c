/**
 * The history of an order's service points, read once while somebody watches it: each point's own series (Wh by interval, NaN = missing)
 * and their sum, so that points which come, or are left out for being behind, cost no second look at 45 days of readings.
 * 4 bytes an interval: whole Wh up to 2^24 in an interval are exact.
 */
export class History {
  readonly #points = new Map<string, Float32Array>()
  readonly #sum: Float64Array
  readonly #missing: Int32Array

  constructor(readonly length: number) {
    this.#sum = new Float64Array(length)
    this.#missing = new Int32Array(length)
  }

  has(point: string): boolean {
    return this.#points.has(point)
  }

  add(point: string, Wh: ArrayLike<number>): void {
    const own = Float32Array.from(Wh)
    this.#points.set(point, own)
    own.forEach((w, i) => { if (Number.isNaN(w)) this.#missing[i]! += 1; else this.#sum[i]! += w })
  }

  of(point: string): Float32Array | undefined {
    return this.#points.get(point)
  }

  /** The sum of all points but these; NaN where one that counts has no value, or where none counts. */
  without(left: readonly string[]): Float64Array {
    const sum = this.#sum.slice(), missing = this.#missing.slice(), out = left.flatMap((id) => this.#points.get(id) ?? [])
    for (const own of out) own.forEach((w, i) => { if (Number.isNaN(w)) missing[i]! -= 1; else sum[i]! -= w })
    return this.#points.size > out.length ? sum.map((w, i) => (missing[i]! > 0 ? NaN : w)) : sum.fill(NaN)
  }
}
