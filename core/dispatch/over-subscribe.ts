/** 95 % one-sided normal quantile (CORE-066). */
export const z95 = 1.6448536269514722

export interface Expected {
  readonly expected: number
  readonly lower: number
}

/** CORE-066: mean and lower bound of a portfolio whose members answer with probability p, each with its whole power. */
export class ResponseBound {
  #mean = 0
  #variance = 0
  readonly #z: number

  constructor(z = z95) {
    this.#z = z
  }

  add(power: number, p: number): void {
    this.#mean += p * power
    this.#variance += power * power * p * (1 - p)
  }

  get(): Expected {
    return { expected: this.#mean, lower: this.#mean - this.#z * Math.sqrt(this.#variance) }
  }
}

export interface OverSubscription<T> extends Expected {
  readonly chosen: readonly T[]
  readonly nominal: number
  /** What the lower bound still lacks when the pool ends first: reported before the event, not after. */
  readonly shortfall: number
}

/** Adds members in mode order until the lower bound reaches the target. */
export function overSubscribe<T extends { readonly power: number; readonly p: number }>(target: number, ordered: Iterable<T>, z = z95): OverSubscription<T> {
  const bound = new ResponseBound(z), chosen: T[] = []
  let nominal = 0
  for (const member of ordered) {
    // 200 × 0.1 sums to a hair beside 20: a bound that reaches the target must count.
    if (bound.get().lower >= target - 1e-9 * Math.max(1, Math.abs(target))) break
    bound.add(member.power, member.p)
    chosen.push(member)
    nominal += member.power
  }
  const { expected, lower } = bound.get()
  return { chosen, nominal, expected, lower, shortfall: Math.max(0, target - lower) }
}
