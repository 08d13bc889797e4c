/** Hours may be counted from any common zero (V20: local midnight, above 24 = next day). */
export interface EvState {
  readonly soc: number
  readonly socTarget: number
  readonly capacity_kWh: number
  readonly efficiency: number
  readonly max_kW: number
  readonly now: number
  readonly departure: number
}

export interface EvAvailability {
  readonly need_kWh: number
  readonly slack_kWh: number
  readonly baselineInEvent_kWh: number
  readonly availableAvg_kW: number
  readonly feasible: boolean
}

/**
 * CORE-031. `base` is what the car would draw in the event if it charged at once: at full power from now until the need is
 * met (or it leaves). A car that cannot make its departure anyway is infeasible and never curtailed.
 */
export function evAvailability(ev: EvState, event: { readonly start: number; readonly end: number }): EvAvailability {
  const need = Math.max(0, ((ev.socTarget - ev.soc) * ev.capacity_kWh) / ev.efficiency)
  const slack = ev.max_kW * (ev.departure - ev.now) - need
  const until = Math.min(ev.now + (ev.max_kW > 0 ? need / ev.max_kW : 0), ev.departure)
  const overlap = Math.max(0, Math.min(event.end, until) - Math.max(event.start, ev.now))
  const base = overlap * ev.max_kW, feasible = slack >= 0
  const available = feasible ? Math.max(0, Math.min(slack, base)) / (event.end - event.start) : 0
  return { need_kWh: need, slack_kWh: slack, baselineInEvent_kWh: base, availableAvg_kW: available, feasible }
}
