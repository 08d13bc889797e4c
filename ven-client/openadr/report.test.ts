import t from 'tap'
import type { Device } from '#ven-client/device.js'
import { place } from '#ven-client/openadr/interval.js'
import type { Event, ReportDescriptor } from '#ven-client/openadr/objects.js'
import { buildReport, piecesOf } from '#ven-client/openadr/report.js'

const T = Date.parse('2026-07-01T12:00:00Z'), minute = 60_000
const iso = (ms: number): string => new Date(ms).toISOString()
/** 1 kW for each `kW`. */
const device = (name: string, kW: number, more: Partial<Device> = {}): Device => ({ name, follow: () => 'follow', energy_Wh: (start, end) => kW * (end - start) / 3600, ...more })

const event = (descriptors: readonly ReportDescriptor[]): Event => ({
  id: 'e', programID: 'p', intervalPeriod: { start: iso(T), duration: 'PT30M' }, reportDescriptors: descriptors, intervals: [7, 3].map((id) => ({ id, payloads: [{ type: 'SIMPLE', values: [1] }] })),
})
const report = (devices: readonly Device[], ...descriptors: ReportDescriptor[]) => {
  const e = event(descriptors), placed = place(e, { venID: 'v', seen_ms: T }).pass
  return buildReport(e, 'client', 'name', placed, descriptors.map((descriptor) => ({ descriptor, devices })), () => 'follow')
}
const usage: ReportDescriptor = { payloadType: 'USAGE', units: 'KWH' }

t.test('OA-181 one entry for each resource, or a single AGGREGATED_REPORT with the sum', (t) => {
  t.same(report([device('a', 1), device('b', 3)], usage)?.resources.map((r) => [r.resourceName, r.intervals.map((i) => i.payloads[0]?.values[0])]), [['a', [0.5, 0.5]], ['b', [1.5, 1.5]]])
  const sum = report([device('a', 1), device('b', 3)], { ...usage, aggregate: true })
  t.same(sum?.resources.map((r) => [r.resourceName, r.intervals.map((i) => [i.id, i.payloads])]), [['AGGREGATED_REPORT', [[7, [{ type: 'USAGE', values: [2] }]], [3, [{ type: 'USAGE', values: [2] }]]]]])
  t.equal(report([device('a', 1), device('b', 3, { energy_Wh: () => undefined })], { ...usage, aggregate: true }), undefined, 'a sum without one of them would be wrong')
  const both = report([device('a', 1), device('b', 3)], { ...usage, aggregate: true }, { payloadType: 'OPERATING_STATE' })
  t.same(both?.resources.map((r) => r.resourceName).sort(), ['AGGREGATED_REPORT', 'a', 'b'])
  t.end()
})

t.test('OA-180 INTERVALS carry the ids of the event; SUB_INTERVALS are finer and repeat them; OPEN_INTERVALS are the VEN’s own', (t) => {
  const rows = (reportIntervals: ReportDescriptor['reportIntervals'], resolution_s?: number) =>
    report([device('a', 1, resolution_s === undefined ? {} : { resolution_s })], { ...usage, ...(reportIntervals ? { reportIntervals } : {}) })?.resources[0]?.intervals.map((i) => [i.id, (Date.parse(i.intervalPeriod?.start ?? '') - T) / minute, i.intervalPeriod?.duration, i.payloads[0]?.values[0]])
  const whole = [[7, 0, 'PT30M', 0.5], [3, 30, 'PT30M', 0.5]]
  t.same(rows(undefined, 900), whole)
  t.same(rows('INTERVALS', 900), whole)
  t.same(rows('SUB_INTERVALS'), whole, 'a device without finer readings')
  t.same(rows('SUB_INTERVALS', 900), [[7, 0, 'PT15M', 0.25], [7, 15, 'PT15M', 0.25], [3, 30, 'PT15M', 0.25], [3, 45, 'PT15M', 0.25]])
  t.same(rows('OPEN_INTERVALS', 900)?.map(([id, start]) => [id, start]), [[0, 0], [1, 15], [2, 30], [3, 45]])
  t.same(rows('SUB_INTERVALS', 1200)?.map(([id, start, length]) => [id, start, length]), [[7, 0, 'PT20M'], [7, 20, 'PT10M'], [3, 30, 'PT20M'], [3, 50, 'PT10M']], 'the last part ends with its interval')
  t.same(piecesOf([{ index: 0, id: 1, start: T, end: null, payloads: [] }, { index: 1, id: 2, start: T, end: T, payloads: [] }], usage, 60), [], 'without end or length nothing was measured')
  t.end()
})

t.test('OA-181 a sum over finer intervals needs the same ones of all', (t) => {
  const asked: ReportDescriptor = { ...usage, aggregate: true, reportIntervals: 'SUB_INTERVALS' }
  const lengths = (...resolutions: number[]) => report(resolutions.map((resolution_s, i) => device(`d${i}`, 1, { resolution_s })), asked)?.resources[0]?.intervals.map((i) => i.intervalPeriod?.duration)
  t.same(lengths(900, 900), ['PT15M', 'PT15M', 'PT15M', 'PT15M'])
  t.same(lengths(900, 300), ['PT30M', 'PT30M'])
  t.end()
})
