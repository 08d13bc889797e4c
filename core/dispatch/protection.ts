import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Resource } from '#core/program/resource.js'
import type { W } from '#core/quantity/power.js'

/** What a device and its connection may never be asked beyond. */
export interface Limits {
  readonly resource: Pick<Resource, 'rated_W' | 'constraints'>
  readonly importLimit_W: W | null
  readonly exportLimit_W: W | null
  /** Load of everything else behind the same connection: its least where less is asked, its most where more is; 0 when not known. */
  readonly behind_W?: W
}

/** What a device last said of itself (Resource.constraints.state): fractions 0..1, kWh, kW, °C; `at` and `departure` in epoch seconds. */
interface State {
  readonly at?: number
  readonly soc?: number
  readonly reserve?: number
  readonly capacity_kWh?: number
  readonly socTarget?: number
  readonly departure?: number
  readonly max_kW?: number
  readonly temperature?: number
  readonly limit?: number
  readonly drift_per_h?: number
}

/**
 * CORE-208: the second, independent look after allocation, at the finished instruction only: it shares nothing with the code
 * that made it. A violation blocks that instruction. Returns the reason, or undefined.
 */
export function violation(intervals: readonly OrderInterval[], { resource, importLimit_W, exportLimit_W, behind_W = 0 }: Limits, now?: number): string | undefined {
  if (resource.constraints['medical'] === true) return 'a medical device is never dispatched'
  const state = (resource.constraints['state'] ?? {}) as State
  let discharged_Wh = 0, shed_h = 0, held_Wh = 0
  for (const i of intervals) {
    if (!(i.end > i.start)) return 'an instruction must have an end (CORE-200)'
    if (!Number.isSafeInteger(i.delta_W)) return 'an instruction needs whole watts'
    // a load can shed at most what it draws, a store can swing from charging to discharging: twice the rating bounds both
    if (Math.abs(i.delta_W) > 2 * resource.rated_W) return `${i.delta_W} W asked of a device rated ${resource.rated_W} W`
    const setpoint = i.setpoint_W, hours = (i.end - i.start) / 3600
    if (i.delta_W < 0) {
      shed_h += hours
      held_Wh += -i.delta_W * hours
    }
    if (setpoint === null) continue
    discharged_Wh += Math.max(0, -setpoint) * hours
    const through = setpoint + behind_W
    if (importLimit_W !== null && through > importLimit_W && i.delta_W > 0) return `${through} W is above the import limit ${importLimit_W} W`
    if (exportLimit_W !== null && -through > exportLimit_W && i.delta_W < 0) return `${-through} W is above the export limit ${exportLimit_W} W`
  }
  return byState(state, { discharged_Wh, shed_h, held_Wh, now: now ?? intervals[0]?.start ?? 0 })
}

/** Reserve of a store, departure of a car, comfort of a room: each only where the device has said what it needs. */
function byState(s: State, asked: { discharged_Wh: number; shed_h: number; held_Wh: number; now: number }): string | undefined {
  if (s.soc !== undefined && s.capacity_kWh !== undefined && asked.discharged_Wh > 0) {
    const above_Wh = (s.soc - (s.reserve ?? 0)) * s.capacity_kWh * 1000
    // one step of rounding is no discharge below the reserve
    if (asked.discharged_Wh > above_Wh + 1) return `${Math.round(asked.discharged_Wh)} Wh asked, ${Math.max(0, Math.round(above_Wh))} Wh are above the reserve`
  }
  if (s.soc !== undefined && s.socTarget !== undefined && s.capacity_kWh !== undefined && s.departure !== undefined && s.max_kW !== undefined && asked.held_Wh > 0) {
    const need_Wh = Math.max(0, s.socTarget - s.soc) * s.capacity_kWh * 1000, can_Wh = (s.max_kW * 1000 * Math.max(0, s.departure - asked.now)) / 3600
    if (can_Wh - asked.held_Wh < need_Wh - 1) return 'the car could not be charged by its departure'
  }
  if (s.temperature !== undefined && s.limit !== undefined && s.drift_per_h !== undefined && s.drift_per_h !== 0 && asked.shed_h > 0) {
    const end = s.temperature + s.drift_per_h * asked.shed_h, crossed = s.drift_per_h > 0 ? s.temperature > s.limit : s.temperature < s.limit
    if (crossed) return `it is ${s.temperature} °C already, the limit is ${s.limit} °C (${end.toFixed(1)} °C at the end)`
  }
  return undefined
}
