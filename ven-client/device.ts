import type { Claim } from '#ven-client/timeline.js'
import type { PayloadDescriptor, ReportDescriptor, Value, ValuesMap } from '#ven-client/openadr/objects.js'

/**
 * The port that a device, a HEMS or a building implements once and any protocol of this library drives.
 * Power and energy are of consumption: import positive, watts and watt-hours. Times are epoch milliseconds.
 */
export interface Device {
  /** The OpenADR resourceName. */
  readonly name: string
  /**
   * What is in force from now on; an empty order means: nobody asks for anything, go back to normal. The library calls it at every change
   * and at every end by its own clock, so a device returns to normal although the server is gone (REL-064).
   */
  follow(order: Order): Verdict
  /** Asked once when an order that has not begun is first heard of, so that a refusal is known in time; absent = follow. */
  consider?(upcoming: Order): Verdict
  /** Energy of `[start, end)` by the device's own meter; undefined when it was not measured. */
  energy_Wh(start: number, end: number): number | undefined
  /** Energy fed back in `[start, end)`; devices that never export leave it out. */
  export_Wh?(start: number, end: number): number | undefined
  /** How far consumption could go below what is usual in `[start, end)`, W: told where an event asks for LOAD_SHED_DELTA_AVAILABLE. */
  available_W?(start: number, end: number): number | undefined
  /** Any other report payload, in the units that the descriptor asks for. */
  report?(asked: ReportDescriptor, start: number, end: number): Value | undefined
  /** RUNNING_NORMAL, RUNNING_CURTAILED, IDLE_NORMAL …; the library itself says *_OPTED_OUT after a refusal. */
  operatingState?(): string
  readonly attributes?: readonly ValuesMap[]
  /** Length of its own meter's intervals: where an event lets the VEN choose finer ones or its own (OA-180); absent = those of the event. */
  readonly resolution_s?: number
}

/** `optOut`: the customer says no to this order (OA-208); `reject`: the device cannot do it. */
export type Verdict = 'follow' | 'optOut' | 'reject'

/** The winning word of each payload type (OpenADR) at this moment. */
export interface Order {
  readonly at: number
  /** When something may change next; null = not before the server says so. */
  readonly until: number | null
  readonly says: ReadonlyMap<string, Say>
}

export interface Say {
  readonly type: string
  readonly values: readonly Value[]
  readonly units: string | undefined
  readonly start: number
  readonly end: number | null
  /** Event id or mRID. */
  readonly source: string
}

export const nothing = (at: number): Order => ({ at, until: null, says: new Map() })

export const sayOf = (claim: Claim<{ payload: ValuesMap; units: string | undefined }>): Say => ({
  type: claim.value.payload.type, values: claim.value.payload.values, units: claim.value.units,
  start: claim.start, end: claim.end, source: claim.source,
})

/** A power in W from a payload whose descriptor may say W or kW; OpenADR's own unit of power is KW. */
export function watts(say: Say | undefined): number | undefined {
  const value = say?.values[0]
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return say?.units === 'W' ? value : say?.units === 'MW' ? value * 1e6 : value * 1000
}

export const unitsFor = (descriptor: PayloadDescriptor | ReportDescriptor): string => (descriptor.units ?? 'KWH').toUpperCase()
