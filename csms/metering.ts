import type { MeterValue, SampledValue } from '#csms/wire/metering.js'
import { stampMs } from './time.js'

/** A sampled value in base units: Wh, W, A, V … (OCPP-170). */
export interface Sample {
  readonly at: number
  readonly measurand: string
  readonly phase: string | undefined
  readonly context: string
  readonly location: string
  readonly unit: string
  readonly value: number
}

const kilo: Record<string, string> = { kWh: 'Wh', kW: 'W', kvarh: 'varh', kvar: 'var', kVA: 'VA', kVAh: 'VAh' }

function sampleOf(at: number, s: SampledValue): Sample | undefined {
  // 1.6: signed data is text that no one can add up; it is stored with the raw message.
  if (s.format === 'SignedData') return undefined
  const raw = typeof s.value === 'number' ? s.value : s.value.trim() === '' ? NaN : Number(s.value)
  if (!Number.isFinite(raw)) return undefined
  const measurand = s.measurand ?? 'Energy.Active.Import.Register'
  const told = s.unitOfMeasure?.unit ?? s.unit ?? (measurand.startsWith('Energy') ? 'Wh' : '')
  const unit = kilo[told] ?? told
  const value = raw * 10 ** (s.unitOfMeasure?.multiplier ?? 0) * (unit === told ? 1 : 1000)
  return Number.isFinite(value) ? { at, measurand, phase: s.phase, context: s.context ?? 'Sample.Periodic', location: s.location ?? 'Outlet', unit, value } : undefined
}

export function samplesOf(meterValues: readonly MeterValue[] | undefined): Sample[] {
  const out: Sample[] = []
  for (const { timestamp, sampledValue } of meterValues ?? []) {
    const at = stampMs(timestamp)
    for (const value of sampledValue) {
      const sample = sampleOf(at, value)
      if (sample) out.push(sample)
    }
  }
  return out
}

const phasesOfPower = new Set(['L1', 'L2', 'L3', 'L1-N', 'L2-N', 'L3-N'])

/**
 * The total of one measurand at each time: the value without phase when there is one, else the sum of the phases (OCPP-172).
 * The outlet is the charging point's meter; the grid-side inlet stands in where no outlet is reported. Never for V or A.
 */
export function totals(samples: readonly Sample[], measurand: string): { at: number; value: number }[] {
  const mine = samples.filter((s) => s.measurand === measurand)
  const place = ['Outlet', 'Inlet', 'Cable', 'EV'].find((location) => mine.some((s) => s.location === location))
  const whole = new Map<number, number>(), parts = new Map<number, number>()
  for (const s of mine) {
    if (s.location !== place) continue
    if (s.phase === undefined) whole.set(s.at, s.value)
    else if (phasesOfPower.has(s.phase)) parts.set(s.at, (parts.get(s.at) ?? 0) + s.value)
  }
  for (const [at, value] of parts) if (!whole.has(at)) whole.set(at, value)
  return [...whole].map(([at, value]) => ({ at, value })).sort((a, b) => a.at - b.at)
}

/** Phases that carry current, when the station reports them each (OCPP-230). */
export function phasesWithCurrent(samples: readonly Sample[]): number | undefined {
  const currents = samples.filter((s) => s.measurand === 'Current.Import' && s.phase !== undefined && /^L[123]$/.test(s.phase))
  if (currents.length === 0) return undefined
  const newest = Math.max(...currents.map((s) => s.at))
  const n = currents.filter((s) => s.at === newest && s.value > 0.5).length
  return n === 0 ? undefined : n
}
