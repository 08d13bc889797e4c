import type { Entity } from '#core/port/store/entity.js'
import type { Money } from '#core/quantity/money.js'

export type Protocol = 'openadr' | 'ieee2030_5' | 'ocpp'

/** The same resource as one protocol sees it: remoteId = venName, LFDI (40 hex, upper case) or station id. */
export interface Binding {
  readonly protocol: Protocol
  readonly remoteId: string
  readonly evseId?: number
  /** A resource reachable by two protocols has one control binding at a time (CORE-104). */
  readonly control: boolean
}

/** One controllable or measurable thing behind a service point (core-dr.md §2). */
export interface Resource extends Entity {
  readonly name: string
  readonly servicePoint: string
  readonly kind: string
  readonly rated_W: number
  readonly cost: Money
  readonly minBlock_W: number
  readonly bindings: readonly Binding[]
  /** Reserve SoC, departure, comfort, medical flag, never-use windows, max calls (CORE-060, CORE-074, CORE-208). */
  readonly constraints: Readonly<Record<string, unknown>>
  readonly state: 'active' | 'retired'
}
