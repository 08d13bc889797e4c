import { evAvailability } from '#core/availability/ev.js'
import { batteryAvailability, solarAvailability, thermostatAvailability } from '#core/availability/storage.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** A device's own words about itself, where it declares its state and no forecast: fractions 0..1, kWh, kW, °C, epoch seconds. */
export interface DeclaredState {
  readonly at?: number
  readonly soc?: number
  readonly reserve?: number
  readonly capacity_kWh?: number
  readonly effDis?: number
  readonly maxDischarge_kW?: number
  readonly chargingNow_kW?: number
  readonly maxCharge_kW?: number
  readonly socTarget?: number
  readonly efficiency?: number
  readonly departure?: number
  readonly max_kW?: number
  readonly duty?: number
  readonly temperature?: number
  readonly limit?: number
  readonly drift_per_h?: number
  readonly forecastExport_kW?: number
}

export interface FromState {
  readonly avail_W: W
  readonly expected_W: W
}

const watts = (kW: number): W => Math.max(0, Math.floor(kW * 1000 + 1e-6))

/**
 * CORE-031 … 034 for a resource that only declares state; undefined when the state does not say enough. Interpretation: `up` is what a
 * store or a car could draw on top; a thermal load or solar is not asked to draw more.
 */
export function availabilityOfState(kind: string, rated_W: W, s: DeclaredState, window: Interval, direction: 'down' | 'up'): FromState | undefined {
  const hours = (window.end - window.start) / 3600, down = direction === 'down'
  if (/^(ev|evse|charger|vehicle)/i.test(kind)) {
    if (s.soc === undefined || s.socTarget === undefined || s.capacity_kWh === undefined || s.departure === undefined) return undefined
    const max_kW = s.max_kW ?? rated_W / 1000, zero = s.at ?? window.start, h = (at: number): number => (at - zero) / 3600
    const found = evAvailability({ soc: s.soc, socTarget: s.socTarget, capacity_kWh: s.capacity_kWh, efficiency: s.efficiency ?? 1, max_kW, now: 0, departure: h(s.departure) }, { start: h(window.start), end: h(window.end) })
    const base_kW = found.baselineInEvent_kWh / hours
    return { avail_W: down ? watts(found.availableAvg_kW) : watts(Math.min(max_kW - base_kW, found.need_kWh / hours)), expected_W: watts(base_kW) }
  }
  if (/batter|storage/i.test(kind)) {
    if (s.soc === undefined || s.capacity_kWh === undefined) return undefined
    const chargingNow_kW = s.chargingNow_kW ?? 0, most = s.maxDischarge_kW ?? rated_W / 1000
    if (down) return { avail_W: watts(batteryAvailability({ soc: s.soc, reserve: s.reserve ?? 0, capacity_kWh: s.capacity_kWh, effDis: s.effDis ?? 1, maxDischarge_kW: most, duration_h: hours, chargingNow_kW })), expected_W: watts(chargingNow_kW) }
    return { avail_W: watts(Math.min((s.maxCharge_kW ?? rated_W / 1000) - chargingNow_kW, ((1 - s.soc) * s.capacity_kWh) / hours)), expected_W: watts(chargingNow_kW) }
  }
  if (/solar|pv|inverter/i.test(kind)) {
    if (s.forecastExport_kW === undefined) return undefined
    // less export is more load: it is asked for by `up`
    return { avail_W: watts(solarAvailability({ forecastExport_kW: s.forecastExport_kW, wantsLessExport: !down })), expected_W: -watts(s.forecastExport_kW) + 0 }
  }
  if (s.temperature === undefined || s.limit === undefined || s.drift_per_h === undefined) return undefined
  const duty = s.duty ?? 1, found = thermostatAvailability({ rated_kW: rated_W / 1000, duty, temperature: s.temperature, limit: s.limit, drift_per_h: s.drift_per_h, duration_h: hours })
  return { avail_W: down ? watts(found.available_kW) : 0, expected_W: watts((rated_W / 1000) * duty) }
}
