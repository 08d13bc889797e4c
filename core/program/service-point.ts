import type { Entity } from '#core/port/store/entity.js'

/** The metered connection: the unit of enrolment and of settlement metering (core-dr.md §2). */
export interface ServicePoint extends Entity {
  readonly name: string
  readonly timeZone: string | null
  /** Grid nodes from the point up, e.g. ["transformer-7", "F1", "substation-1"]. */
  readonly gridPath: readonly string[]
  readonly importLimit_W: number | null
  readonly exportLimit_W: number | null
  readonly account: string | null
  /** The utility's own word for whom it serves: residential, commercial, industrial … (CORE-021); null = not told. */
  readonly customerClass?: string | null
  /** WGS 84 degrees, north and east positive, both or neither; for maps only, nothing is computed from them. */
  readonly latitude?: number | null
  readonly longitude?: number | null
}
