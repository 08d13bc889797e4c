import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Resource } from '#core/program/resource.js'
import type { W } from '#core/quantity/power.js'

/** What a device and its connection may never be asked beyond. */
export interface Limits {
  readonly resource: Pick<Resource, 'rated_W' | 'constraints'>
  readonly importLimit_W: W | null
  readonly exportLimit_W: W | null
}

/**
 * CORE-208: the second, independent look after allocation, at the finished instruction only: it shares nothing with the code
 * that made it. A violation blocks that instruction. Returns the reason, or undefined.
 */
export function violation(intervals: readonly OrderInterval[], { resource, importLimit_W, exportLimit_W }: Limits): string | undefined {
  if (resource.constraints.medical === true) return 'a medical device is never dispatched'
  for (const i of intervals) {
    if (!(i.end > i.start)) return 'an instruction must have an end (CORE-200)'
    if (!Number.isSafeInteger(i.delta_W)) return 'an instruction needs whole watts'
    // a load can shed at most what it draws, a store can swing from charging to discharging: twice the rating bounds both
    if (Math.abs(i.delta_W) > 2 * resource.rated_W) return `${i.delta_W} W asked of a device rated ${resource.rated_W} W`
    const setpoint = i.setpoint_W
    if (setpoint === null) continue
    if (setpoint > 0 && importLimit_W !== null && setpoint > importLimit_W && i.delta_W > 0) return `${setpoint} W is above the import limit ${importLimit_W} W`
    if (setpoint < 0 && exportLimit_W !== null && -setpoint > exportLimit_W && i.delta_W < 0) return `${-setpoint} W is above the export limit ${exportLimit_W} W`
  }
  return undefined
}
