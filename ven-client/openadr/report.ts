import { unitsFor, type Device, type Verdict } from '#ven-client/device.js'
import type { PlacedInterval } from '#ven-client/openadr/interval.js'
import type { Event, ReportDescriptor, ReportRequest, Value, ValuesMap } from '#ven-client/openadr/objects.js'

/** What one device says about one interval, for one descriptor; undefined when it does not know. */
export function valueOf(device: Device, asked: ReportDescriptor, start: number, end: number, verdict: Verdict): Value | undefined {
  if (asked.payloadType === 'OPERATING_STATE') return stateOf(device, verdict)
  if (asked.payloadType === 'LOAD_SHED_DELTA_AVAILABLE' && device.available_W) {
    const watts = device.available_W(start, end)
    return watts === undefined ? undefined : asked.units === 'W' ? Math.round(watts) : round(watts / 1000, 6)
  }
  const net = energy(device, asked.payloadType, start, end)
  return net === undefined ? device.report?.(asked, start, end) : inUnits(net, unitsFor(asked), asked, end - start)
}

/** Interpretation of OA-208: a device that cannot says ERROR, one that will not says *_OPTED_OUT; there are no other words for it. */
const stateOf = (device: Device, verdict: Verdict): string => {
  const state = device.operatingState?.() ?? 'RUNNING_NORMAL'
  if (verdict === 'reject') return 'ERROR'
  return verdict === 'optOut' ? (state.startsWith('IDLE') ? 'IDLE_OPTED_OUT' : 'RUNNING_OPTED_OUT') : state
}

/** USAGE and DEMAND are never below zero (OpenADR 3.1 Definition, report payloads); READING is the net of the meter. */
function energy(device: Device, type: string, start: number, end: number): number | undefined {
  const imported = device.energy_Wh(start, end)
  if (imported === undefined) return undefined
  if (type === 'USAGE' || type === 'DEMAND') return imported
  return type === 'READING' ? imported - (device.export_Wh?.(start, end) ?? 0) : undefined
}

function inUnits(wh: number, units: string, asked: ReportDescriptor, length_ms: number): number {
  const power = asked.payloadType === 'DEMAND' || units === 'KW' || units === 'W'
  const value = power ? wh * 3_600_000 / length_ms : wh
  return units === 'WH' || units === 'W' ? round(value, 3) : round(value / 1000, 6)
}

const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits

export const aggregated = 'AGGREGATED_REPORT'

/** Beyond so many parts of one interval a report would be larger than VTNs take. */
const mostParts = 2000

interface Piece { readonly id: number; readonly start: number; readonly end: number }

/**
 * OA-180, the intervals that a report has: those of the event; with SUB_INTERVALS the device's finer ones, which repeat the id of the one
 * that they are part of; with OPEN_INTERVALS the device's own, numbered from 0. A device without a resolution keeps to the event's.
 */
export function piecesOf(intervals: readonly PlacedInterval[], { reportIntervals }: ReportDescriptor, resolution_s: number | undefined): Piece[] {
  const whole = intervals.flatMap(({ id, start, end }) => (end !== null && end > start ? [{ id, start, end }] : []))
  const step = (resolution_s ?? 0) * 1000
  if (!(step > 0) || (reportIntervals !== 'SUB_INTERVALS' && reportIntervals !== 'OPEN_INTERVALS')) return whole
  const pieces = whole.flatMap(({ id, start, end }) => {
    const parts = Math.ceil((end - start) / step)
    return parts > mostParts ? [{ id, start, end }] : Array.from({ length: parts }, (_, i) => ({ id, start: start + i * step, end: Math.min(end, start + (i + 1) * step) }))
  })
  return reportIntervals === 'OPEN_INTERVALS' ? pieces.map((piece, id) => ({ ...piece, id })) : pieces
}

/** A sum needs one resolution for all. */
const common = (devices: readonly Device[]): number | undefined => (devices.every((d) => d.resolution_s === devices[0]?.resolution_s) ? devices[0]?.resolution_s : undefined)

export interface Asked {
  readonly descriptor: ReportDescriptor
  readonly devices: readonly Device[]
}

/**
 * One report for one due moment: what several descriptors of the same intervals ask for, side by side (OA-180, OA-181).
 * Undefined when no device knows anything. Each interval carries its own start and duration besides the event's id.
 */
export function buildReport(event: Event, clientName: string, reportName: string, intervals: readonly PlacedInterval[], asked: readonly Asked[], verdict: (device: Device) => Verdict): ReportRequest | undefined {
  const byResource = new Map<string, Map<string, { at: Piece; payloads: ValuesMap[] }>>()
  const put = (resource: string, at: Piece, type: string, value: Value): void => {
    const rows = byResource.get(resource) ?? new Map<string, { at: Piece; payloads: ValuesMap[] }>(), key = `${at.id} ${at.start} ${at.end}`
    byResource.set(resource, rows.set(key, { at, payloads: [...rows.get(key)?.payloads ?? [], { type, values: [value] }] }))
  }
  for (const { descriptor, devices } of asked) {
    const type = descriptor.payloadType
    if (descriptor.aggregate ?? false) {
      for (const at of piecesOf(intervals, descriptor, common(devices))) {
        const values = devices.map((d) => valueOf(d, descriptor, at.start, at.end, verdict(d)))
        // OA-181: one summed entry; a sum that misses a device would be a wrong number
        if (values.every((v) => typeof v === 'number')) put(aggregated, at, type, round(values.reduce((sum, v) => sum + v, 0), 6))
      }
    } else {
      for (const device of devices) for (const at of piecesOf(intervals, descriptor, device.resolution_s)) {
        const value = valueOf(device, descriptor, at.start, at.end, verdict(device))
        if (value !== undefined) put(device.name, at, type, value)
      }
    }
  }
  if (byResource.size === 0) return undefined
  return {
    eventID: event.id, programID: event.programID, clientName, reportName,
    payloadDescriptors: asked.map(({ descriptor: d }) => ({
      objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: d.payloadType,
      ...(d.readingType ? { readingType: d.readingType } : {}), ...(d.payloadType === 'OPERATING_STATE' ? {} : { units: unitsFor(d) }),
    })),
    resources: [...byResource].map(([resourceName, rows]) => ({
      resourceName,
      intervals: [...rows.values()].sort((a, b) => a.at.start - b.at.start).map(({ at, payloads }) => ({
        id: at.id, intervalPeriod: { start: new Date(at.start).toISOString(), duration: durationText(at.end - at.start) }, payloads,
      })),
    })),
  }
}

/** Exact, and in the short form that people write: PT15M, PT1H30M. */
export function durationText(ms: number): string {
  const s = ms / 1000, h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60), rest = Math.round((s % 60) * 1000) / 1000
  return `PT${h ? `${h}H` : ''}${m ? `${m}M` : ''}${rest || (!h && !m) ? `${rest}S` : ''}`
}
