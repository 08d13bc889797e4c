import type { Entity } from '#core/port/store/entity.js'

/** A node of a hierarchy (feeder, market resource, test group) with an optional cap on the sum of changes below it (CORE-068). */
export interface Aggregation extends Entity {
  readonly name: string
  readonly hierarchy: string
  readonly parent: string | null
  readonly cap_W: number | null
  /** Resource ids with the time their membership holds; epoch seconds, null = open. */
  readonly members: readonly { readonly resource: string; readonly from: number; readonly to: number | null }[]
}
