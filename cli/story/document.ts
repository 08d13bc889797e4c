/** The JSON document of the main job (contract §5): the least that it has; nothing in it is printed from a constant. */
export interface StoryDocument {
  order: { power_kW: number; start: string; end: string }
  allocation: { byProtocol: { openadr: number; ieee2030_5: number; ocpp: number }; total_kW: number; shortfall_kW: number }
  deliveries: { sent: number; accepted: number; completed: number; optedOut: number; rejected: number; noComms: number; reallocated_kW: number }
  readings: { received: number; byProtocol: { openadr: number; ieee2030_5: number; ocpp: number }; rejected: number }
  baseline: { method: string; days: string[]; energy_kWh: number }
  metered_kWh: number
  delivered_kWh: number
  performance: number
  settlement: { currency: string; revenue: string; customerPool: string; aggregator: string; statements: number }
  audit: { records: number; verified: boolean }
  checks: { name: string; ok: boolean; detail: string }[]
  elapsed_s: number
  /** One point per settlement interval, for the chart: mean kW of the portfolio. */
  intervals: { start: string; baseline_kW: number; actual_kW: number; target_kW: number }[]
  urls: Record<string, string>
}
