import { mapSeries } from '#core/baseline/series.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import type { Interval } from '#core/quantity/interval.js'
import { temperatures } from '#core/weather/weather.js'
import type { Extras } from '#core/verification/evaluate.js'

/** What a program's method looks at besides readings: the temperature of the station that its parameters name. */
export async function extrasOf(stores: Stores, tenant: string, program: Pick<Program, 'baseline' | 'intervalMinutes'>, span: Interval): Promise<Extras> {
  const { weatherStation } = (program.baseline.parameters ?? {}) as { weatherStation?: string }
  if (weatherStation === undefined) return {}
  return { temperature: mapSeries(await temperatures(stores, tenant, weatherStation, span, program.intervalMinutes * 60)) }
}
