import type { Channel } from '#core/reading/reading.js'

/** The parts of a ReadingType that turn numbers into energy (SEP-170). */
export interface Series {
  readonly uom?: number
  readonly powerOfTenMultiplier?: number
  readonly flowDirection?: number
  readonly accumulationBehaviour?: number
  readonly dataQualifier?: number
  readonly intervalLength?: number
}

export interface RawReading {
  readonly value?: number
  readonly qualityFlags?: string
  readonly timePeriod?: { readonly start: number; readonly duration: number }
}

export interface IntervalEnergy {
  readonly start: number
  readonly minutes: number
  readonly channel: Channel
  readonly Wh: number
  readonly quality: 'VALID' | 'RAW' | 'EST_PROFILE' | 'SUSPECT'
}

const uom = { W: 38, Wh: 72 } as const
const average = 2, cumulative = 3, summation = 9, instantaneous = 12, reverse = 19

/** Interpretation: energy per interval counts; a register's running total or a momentary power is not an interval value and stays in the mirror. */
export const isIntervalEnergy = (s: Series): boolean => s.uom === uom.Wh
  ? s.accumulationBehaviour !== cumulative && s.accumulationBehaviour !== summation && s.accumulationBehaviour !== instantaneous
  : s.uom === uom.W && s.dataQualifier === average

/**
 * SEP-174: forward (1) is import, reverse (19) export; consumption positive in core. A DER's own series without a
 * direction counts generation positive, so it is export. A negative value flows the other way.
 */
function channelOf(series: Series, isDER: boolean, value: number): Channel {
  const exports = series.flowDirection === reverse || (isDER && !series.flowDirection)
  return (value < 0) === exports ? 'import' : 'export'
}

/** SEP-169 quality bits: 0 valid, 1 manually edited … 3 estimated by interpolation; none set = raw. */
function qualityOf(flags: string | undefined): IntervalEnergy['quality'] {
  const bits = Number.parseInt(flags ?? '0', 16)
  if (bits & 0x1) return 'VALID'
  if (bits & 0b111100) return 'EST_PROFILE'
  return bits & 0x40 ? 'SUSPECT' : 'RAW'
}

/** Interval energies of one series, in whole Wh, measured values rounding half up (CORE-095). */
export function energiesOf(series: Series, readings: readonly RawReading[], isDER: boolean): IntervalEnergy[] {
  if (!isIntervalEnergy(series)) return []
  return readings.flatMap((r) => {
    const period = r.timePeriod
    const seconds = period?.duration || series.intervalLength || 0
    if (!period || r.value === undefined || seconds <= 0 || seconds % 60 !== 0) return []
    const scaled = r.value * 10 ** (series.powerOfTenMultiplier ?? 0)
    const Wh = Math.floor(Math.abs(series.uom === uom.W ? scaled * seconds / 3600 : scaled) + 0.5)
    return [{ start: period.start, minutes: seconds / 60, channel: channelOf(series, isDER, r.value), Wh, quality: qualityOf(r.qualityFlags) }]
  })
}
