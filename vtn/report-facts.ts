import type { DeliveryState } from '#core/dispatch/delivery.js'
import type { Quality } from '#core/reading/reading.js'
import { plain } from '#vtn/wire/literal.js'
import { place, plus, spanOf, type Placed } from '#vtn/lifespan.js'
import { instantOf } from '#vtn/wire/date-time.js'
import type { EventRequest } from '#vtn/wire/event.js'
import type { ReportRequest } from '#vtn/wire/report.js'

interface Energy { start: number; minutes: number; Wh: number; quality: Quality }
interface Word { readonly state: Exclude<DeliveryState, 'queued'>; readonly reason?: string }

/** What a report says in grid words; units and sign normalised here and nowhere else. */
export interface ReportFacts {
  readonly energy: readonly Energy[]
  readonly available: readonly { start: number; end: number; down_W: number; up_W: number }[]
  readonly claimedBaseline: readonly { start: number; end: number; Wh: number }[]
  /** The state that opts out, e.g. RUNNING_OPTED_OUT. */
  readonly optedOut: string | undefined
  readonly faults: readonly string[]
  /** What it means for the order it answers. */
  words(order: { readonly start: number; readonly end: number; readonly state: string }): Word[]
}

type Payload = { readonly type: string; readonly values: readonly unknown[] }
interface Place { readonly start: number; readonly end: number }

const energyUnits: Readonly<Record<string, number>> = { WH: 1, KWH: 1000, MWH: 1_000_000 }
const powerUnits: Readonly<Record<string, number>> = { W: 1, KW: 1000, MW: 1_000_000 }
const qualities: Readonly<Record<string, Quality>> = { OK: 'RAW', ESTIMATED: 'EST_PROFILE', BAD: 'SUSPECT', MISSING: 'MISSING' }

/** Report intervals in time: own period, else the entry's, else the event interval with the same id (OA-180). */
function placeOf(interval: ReportRequest['resources'][number]['intervals'][number], running: number | undefined, common: ReportRequest['resources'][number]['intervalPeriod'], byId: ReadonlyMap<number, Placed>): Place | undefined {
  const own: { start?: string; duration?: string } = interval.intervalPeriod ?? {}
  const parent = byId.get(interval.id)
  const given = own.start ?? (running === undefined ? common?.start : undefined)
  const start = given !== undefined ? instantOf(given) : running ?? parent?.start
  const length = own.duration ?? common?.duration
  const end = length !== undefined ? (start === undefined ? null : plus(start, spanOf(length))) : parent?.end ?? null
  return start === undefined || end === null || !(end > start) ? undefined : { start: Math.round(start / 1000), end: Math.round(end / 1000) }
}

export function readReport(report: ReportRequest, event: EventRequest, eventMadeAt: number): ReportFacts {
  const byId = new Map((place(event, eventMadeAt) ?? []).map((p) => [p.id, p]))
  const about = (type: string): { units: string | undefined; readingType: string | undefined } => {
    const d = report.payloadDescriptors?.find((p) => p.payloadType === type), asked = event.reportDescriptors?.find((p) => p.payloadType === type)
    return { units: (d?.units ?? asked?.units ?? undefined)?.toUpperCase(), readingType: d?.readingType ?? asked?.readingType ?? undefined }
  }
  const sums = new Map<string, Energy>(), available: Map<number, { start: number; end: number; down_W: number; up_W: number }> = new Map()
  const claimedBaseline: { start: number; end: number; Wh: number }[] = [], faults: string[] = [], states: string[] = []

  const energy = (at: Place, Wh: number, quality: Quality): void => {
    const minutes = (at.end - at.start) / 60
    if (!Number.isInteger(minutes) || !Number.isSafeInteger(Math.round(Wh))) return void faults.push(`interval of ${at.end - at.start} s is not whole minutes or its value too large`)
    if (quality === 'MISSING') return
    // Interpretation of CORE-093: entries of several resources behind one service point are its parts, so they are summed.
    const key = `${at.start} ${minutes}`, sum = sums.get(key)
    sums.set(key, sum ? { ...sum, Wh: sum.Wh + Wh, quality: worse(sum.quality, quality) } : { start: at.start, minutes, Wh, quality })
  }
  const meter = (payload: Payload, at: Place, quality: Quality): void => {
    const { units, readingType } = about(payload.type)
    const value = plain(payload.values[0])
    if (typeof value !== 'number') return void faults.push(`${payload.type} without a number`)
    const kind: Quality = quality === 'RAW' && readingType === 'ESTIMATED' ? 'EST_PROFILE' : quality
    const unit = units ?? (payload.type === 'DEMAND' ? 'KW' : 'KWH')
    // Interpretation: a READING counts as interval energy or mean power by its unit; a running register (DIRECT_READ in KWH) does not.
    if (payload.type === 'READING' && energyUnits[unit] !== undefined && (readingType ?? 'DIRECT_READ') === 'DIRECT_READ') return
    if (energyUnits[unit] !== undefined) return energy(at, value * energyUnits[unit], kind)
    if (powerUnits[unit] !== undefined) return energy(at, value * powerUnits[unit] * (at.end - at.start) / 3600, kind)
    faults.push(`${payload.type} in unknown unit ${unit}`)
  }
  const power = (payload: Payload): number | undefined => {
    const value = plain(payload.values[0]), scale = powerUnits[about(payload.type).units ?? 'KW']
    return typeof value === 'number' && scale !== undefined ? Math.max(0, Math.round(value * scale)) : undefined
  }
  const readPayload = (payload: Payload, at: Place | undefined, quality: Quality): void => {
    if (payload.type === 'OPERATING_STATE') return void states.push(String(payload.values[0]))
    if (!at) return void faults.push(`${payload.type} has no place in time`)
    if (payload.type === 'USAGE' || payload.type === 'DEMAND' || payload.type === 'READING') return meter(payload, at, quality)
    if (payload.type === 'BASELINE') {
      const value = plain(payload.values[0]), unit = about('BASELINE').units ?? 'KWH', scale = energyUnits[unit] ?? (powerUnits[unit] ?? NaN) * (at.end - at.start) / 3600
      if (typeof value !== 'number' || !Number.isSafeInteger(Math.round(value * scale))) return void faults.push(`BASELINE that is no energy or power: ${String(value)} ${unit}`)
      claimedBaseline.push({ ...at, Wh: Math.round(value * scale) })
    }
    if (payload.type === 'LOAD_SHED_DELTA_AVAILABLE') {
      const W = power(payload)
      if (W === undefined) return void faults.push('LOAD_SHED_DELTA_AVAILABLE without a number of kW')
      const sum = available.get(at.start)
      available.set(at.start, { ...at, down_W: (sum?.down_W ?? 0) + W, up_W: 0 })
    }
  }

  for (const entry of report.resources) {
    let running: number | undefined
    for (const interval of entry.intervals) {
      const at = placeOf(interval, running, entry.intervalPeriod, byId)
      if (at && (entry.intervalPeriod?.start !== undefined || interval.intervalPeriod?.start !== undefined)) running = at.end * 1000
      const companion = interval.payloads.find((p) => p.type === 'DATA_QUALITY')?.values[0]
      const quality = qualities[String(companion ?? 'OK')] ?? 'RAW'
      for (const payload of interval.payloads) if (payload.type !== 'DATA_QUALITY') readPayload(payload, at, quality)
    }
  }
  const rows = [...sums.values()].map((e) => ({ ...e, Wh: Math.round(e.Wh) }))
  const optedOut = states.find((s) => s === 'IDLE_OPTED_OUT' || s === 'RUNNING_OPTED_OUT')
  return { energy: rows, available: [...available.values()], claimedBaseline, optedOut, faults, words: (order) => wordsOf(states, rows, order) }
}

const worse = (a: Quality, b: Quality): Quality => (a === 'RAW' ? b : a)

/**
 * Interpretation of CORE-102 (OpenADR has no acknowledgement): OPERATING_STATE …_OPTED_OUT is optedOut; ERROR or
 * SGD_ERROR_CONDITION rejected; …_CURTAILED or …_HEIGHTENED started; NORMAL and its kin accepted. Measured energy inside
 * the order says started; energy up to its end says completed.
 */
function wordsOf(states: readonly string[], energy: readonly Energy[], order: { start: number; end: number; state: string }): Word[] {
  const words: Word[] = states.map((state): Word => {
    if (state.endsWith('_OPTED_OUT')) return { state: 'optedOut', reason: state }
    if (state === 'ERROR' || state === 'SGD_ERROR_CONDITION') return { state: 'rejected', reason: state }
    return state.endsWith('_CURTAILED') || state.endsWith('_HEIGHTENED') ? { state: 'started' } : { state: 'accepted' }
  })
  // Who said no goes on metering; that is not a yes.
  const against = order.state === 'declined' || words.some((w) => w.state === 'optedOut' || w.state === 'rejected')
  const inside = energy.filter((e) => e.start < order.end && e.start + e.minutes * 60 > order.start)
  if (inside.length && !against) words.push({ state: 'started' })
  if (inside.some((e) => e.start + e.minutes * 60 >= order.end) && !against) words.push({ state: 'completed' })
  return words
}
