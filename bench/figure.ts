/** One measured figure, as `npm run bench` prints it. `baseline` is the bare way measured in the same run; `ratio` = value / baseline. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly n: number
  readonly baseline?: number
  readonly ratio?: number
}

export type Emit = (figure: Figure) => void

/** A benchmark: one file a budget, default export. */
export type Bench = (emit: Emit) => Promise<void>

export const rounded = (value: number): number => Number(value.toPrecision(4))
