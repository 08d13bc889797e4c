/** CORE-032: discharge that the reserve allows, plus charging that can be stopped. The customer's reserve is never crossed. */
export function batteryAvailability(b: { soc: number; reserve: number; capacity_kWh: number; effDis: number; maxDischarge_kW: number; duration_h: number; chargingNow_kW: number }): number {
  const fromEnergy = (Math.max(0, b.soc - b.reserve) * b.capacity_kWh * b.effDis) / b.duration_h
  return Math.min(b.maxDischarge_kW, fromEnergy) + Math.max(0, b.chargingNow_kW)
}

/** CORE-033: rated × duty × the part of the event that comfort allows. No drift: comfort does not limit (hours null). */
export function thermostatAvailability(t: { rated_kW: number; duty: number; temperature: number; limit: number; drift_per_h: number; duration_h: number }): { comfortHours: number | null; available_kW: number } {
  const hours = t.drift_per_h === 0 ? null : Math.max(0, (t.limit - t.temperature) / t.drift_per_h)
  return { comfortHours: hours, available_kW: t.rated_kW * t.duty * (hours === null ? 1 : Math.min(1, hours / t.duration_h)) }
}

/** CORE-033: after an event a thermal load needs its recovery time before the next call. */
export const recovered = (lastEnd: number | undefined, recoverySeconds: number, at: number): boolean => lastEnd === undefined || at >= lastEnd + recoverySeconds

/**
 * CORE-034: curtailable export counts only when less export is wanted, and what a battery behind the same point would
 * absorb is not counted a second time.
 */
export function solarAvailability(s: { forecastExport_kW: number; wantsLessExport: boolean; absorbedByBattery_kW?: number }): number {
  return s.wantsLessExport ? Math.max(0, s.forecastExport_kW - Math.max(0, s.absorbedByBattery_kW ?? 0)) : 0
}
