import t from 'tap'
import * as fc from 'fast-check'
import { lengthOf, later, parseDuration } from '#ven-client/openadr/duration.js'
import { claimsOf } from '#ven-client/openadr/claim.js'
import { countOf, intervalsBetween, nth, partsOf, place, stateOf, type Placement } from '#ven-client/openadr/interval.js'
import type { Event, Interval } from '#ven-client/openadr/objects.js'
import { reportSchedule } from '#ven-client/openadr/report-schedule.js'
import { timeline } from '#ven-client/timeline.js'

const T = Date.parse('2026-07-01T00:00:00Z'), hour = 3_600_000
const iso = (ms: number): string => new Date(ms).toISOString()
const put = (event: Partial<Event>): Placement => place(
  { id: 'e1', programID: 'p', createdDateTime: iso(T), modificationDateTime: iso(T), ...event }, { venID: 'v1', seen_ms: T })
const hourly = (n: number): Interval[] => Array.from({ length: n }, (_, id) => ({ id, payloads: [{ type: 'SIMPLE', values: [1] }] }))
const from = (p: Placement): (readonly [number, number | null])[] =>
  p.pass.map((i) => [(i.start - T) / hour, i.end === null ? null : (i.end - T) / hour] as const)

t.test('OA-160 an interval inherits start and duration from the event, field by field', (t) => {
  const p = put({ intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: [
    { id: 0, payloads: [] }, { id: 1, intervalPeriod: { duration: 'PT2H' }, payloads: [] }, { id: 2, payloads: [] }] })
  t.same(from(p), [[0, 1], [1, 3], [3, 4]])
  t.end()
})

t.test('REL-037 OA-161 an event that begins in a leap second begins in the second after it', (t) => {
  const p = put({ intervalPeriod: { start: '2026-06-30T23:59:60Z', duration: 'PT1H' }, intervals: hourly(1) })
  t.same(from(p), [[0, 1]])
  t.end()
})

t.test('OA-161 an own start counts, the next one follows it; one that nobody can place is left out', (t) => {
  const p = put({ intervals: [
    { id: 0, payloads: [] },
    { id: 1, intervalPeriod: { start: iso(T + 5 * hour), duration: 'PT1H' }, payloads: [] },
    { id: 2, intervalPeriod: { duration: 'PT1H' }, payloads: [] }] })
  t.same(from(p), [[5, 6], [6, 7]])
  t.end()
})

t.test('OA-162 year 0001: now at the event, the event start in the first interval, directly after in a later one', (t) => {
  const now = '0001-01-01T00:00:00Z'
  t.same(from(put({ intervalPeriod: { start: now, duration: 'PT1H' }, intervals: hourly(2) })), [[0, 1], [1, 2]])
  t.same(from(put({ intervalPeriod: { start: iso(T + hour), duration: 'PT1H' }, intervals: [
    { id: 0, intervalPeriod: { start: now }, payloads: [] }, { id: 1, intervalPeriod: { start: now }, payloads: [] }] })), [[1, 2], [2, 3]])
  t.same(from(put({ intervals: [{ id: 0, intervalPeriod: { start: now, duration: 'PT2H' }, payloads: [] }] })), [[0, 2]])
  t.end()
})

t.test('OA-163 P9999Y is endless by value, absent and PT0S are zero, months are calendar months in UTC', (t) => {
  for (const text of ['P9999Y', 'P9999Y0M0DT0H0M0S']) t.equal(later(T, lengthOf(text)), null, text)
  t.equal(later(T, lengthOf(undefined)), T)
  t.equal(later(T, lengthOf('PT0S')), T)
  t.equal(iso(later(Date.parse('2026-01-31T12:00:00Z'), lengthOf('P1M')) as number), '2026-02-28T12:00:00.000Z')
  t.equal(later(0, lengthOf('P1W')), 7 * 24 * hour)
  for (const bad of ['', 'P', 'PT', '1H', 'P1H', 'PT1D']) t.equal(parseDuration(bad), undefined, bad)
  t.same(from(put({ intervalPeriod: { start: iso(T), duration: 'P9999Y' }, intervals: hourly(2) })), [[0, null]], 'nothing follows an endless interval')
  t.end()
})

t.test('OA-164 event.duration repeats a shorter list and cuts a longer one', (t) => {
  const loop = put({ duration: 'PT5H', intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: hourly(2) })
  t.equal(countOf(loop), 5)
  t.same([0, 1, 2, 4, 5].map((n) => nth(loop, n)?.id), [0, 1, 0, 0, undefined])
  const cut = put({ duration: 'PT90M', intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: hourly(3) })
  t.same([nth(cut, 1)?.end, nth(cut, 2), cut.lifespan?.end], [T + 1.5 * hour, undefined, T + 1.5 * hour])
  const ever = put({ duration: 'P9999Y', intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: hourly(2) })
  t.equal(countOf(ever), Infinity)
  t.equal(ever.lifespan?.end, null)
  t.same([...intervalsBetween(ever, T + 1001 * hour, T + 1003 * hour)].map((i) => [(i.start - T) / hour, i.id]), [[1001, 1], [1002, 0]])
  t.end()
})

t.test('OA-165 pending, active over gaps, finished at the end, cancelled', (t) => {
  const p = put({ intervals: [
    { id: 0, intervalPeriod: { start: iso(T), duration: 'PT1H' }, payloads: [] }, { id: 1, intervalPeriod: { start: iso(T + 3 * hour), duration: 'PT1H' }, payloads: [] }] })
  t.same([-1, 0, 2, 4].map((h) => stateOf(p, T + h * hour)), ['pending', 'active', 'active', 'finished'])
  t.equal(stateOf(put({ intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT0S' }, intervals: hourly(1) }), T), 'cancelled')
  t.end()
})

t.test('OA-166 several prices split the interval, a curve does not', (t) => {
  const p = put({ intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: [1, 2, 3, 4] }, { type: 'OLS', values: [0.1, 0.2] }] }] })
  t.same(partsOf(p.pass[0]!).map((x) => [x.payload.type, (x.start - T) / hour, x.payload.values]),
    [['PRICE', 0, [1]], ['PRICE', 0.25, [2]], ['PRICE', 0.5, [3]], ['PRICE', 0.75, [4]], ['OLS', 0, [0.1, 0.2]]])
  t.end()
})

t.test('OA-167 1,000 VENs draw offsets in [-R, +R], both signs, stable over restarts, new for a new version', (t) => {
  const event: Event = { id: 'e', programID: 'p', modificationDateTime: iso(T), intervalPeriod: { start: iso(T), duration: 'PT1H', randomizeStart: 'PT10M' }, intervals: hourly(2) }
  const starts = Array.from({ length: 1000 }, (_, v) => place(event, { venID: `ven-${v}`, seen_ms: T + v }).pass[0]!.start - T)
  t.ok(starts.every((s) => Math.abs(s) <= 600_000))
  const before = starts.filter((s) => s < 0).length
  t.ok(before > 430 && before < 570, `${before} before`)
  t.ok(Math.max(...starts) > 550_000 && Math.min(...starts) < -550_000)
  t.same(Array.from({ length: 1000 }, (_, v) => place(event, { venID: `ven-${v}`, seen_ms: 0 }).pass[0]!.start - T), starts)
  const changed = { ...event, modificationDateTime: iso(T + 1) }
  t.not(place(changed, { venID: 'ven-0', seen_ms: T }).pass[0]!.start - T, starts[0])
  const p = place(event, { venID: 'ven-1', seen_ms: T })
  t.equal(p.pass[1]!.start, p.pass[0]!.end, 'the follower moves along')
  const own = place({ ...event, intervals: [hourly(1)[0]!, { id: 1, intervalPeriod: { randomizeStart: 'PT5M' }, payloads: [] }, { id: 2, payloads: [] }] }, { venID: 'ven-1', seen_ms: T })
  t.not(own.pass[1]!.start - hour, own.pass[0]!.start, 'an own randomizeStart draws anew')
  t.equal(own.pass[2]!.start, own.pass[1]!.end, 'from there on')
  t.end()
})

t.test('OA-168 lower priority wins, none loses to any, then the newest; other types and empty events hide nothing', (t) => {
  const event = (id: string, priority: number | null, created: number, type = 'SIMPLE'): Event => ({
    id, programID: 'p', priority, createdDateTime: iso(created), modificationDateTime: iso(created),
    intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: [{ id: 0, payloads: type === '' ? [] : [{ type, values: [1] }] }] })
  const at = (...events: Event[]): string[] => [...timeline(events.flatMap((e) => claimsOf(e, place(e, { venID: 'v', seen_ms: T }), T, T + hour))).at(T).values()].map((c) => c.source)
  t.same(at(event('a', 5, T), event('b', 0, T)), ['b'])
  t.same(at(event('a', null, T + 9), event('b', 99, T)), ['b'])
  t.same(at(event('a', 1, T), event('b', 1, T + 1)), ['b'])
  t.same(at(event('a', 1, T), event('b', 0, T, 'PRICE')).sort(), ['a', 'b'])
  t.same(at(event('a', 9, T), event('b', 0, T, '')), ['a'])
  t.end()
})

t.test('OA-168 the line of one topic never overlaps and follows at() everywhere', (t) => {
  const claim = fc.record({ start: fc.nat(40), length: fc.nat(20), rank: fc.nat(4), source: fc.string({ minLength: 1, maxLength: 3 }) })
    .map((c) => ({ topic: 'x', start: c.start, end: c.start + c.length, rank: [c.rank, c.source], source: c.source, value: c }))
  fc.assert(fc.property(fc.array(claim, { maxLength: 8 }), (claims) => {
    const line = timeline(claims)
    for (let at = 0; at < 61; at++) {
      const piece = line.line('x').filter((p) => at >= p.start && (p.end === null || at < p.end))
      if (piece.length > 1 || piece[0]?.claim !== line.at(at).get('x')) return false
    }
    return true
  }))
  t.end()
})

t.test('OA-169 an event without intervals but with a period and descriptors repeats its period', (t) => {
  const p = put({ intervalPeriod: { start: iso(T), duration: 'PT15M' }, reportDescriptors: [{ payloadType: 'USAGE' }] })
  t.same([nth(p, 0)?.id, nth(p, 7)?.start, p.lifespan?.end], [0, T + 7 * 900_000, null])
  t.end()
})

t.test('OA-170 do it now, read late: the interval of now; the most recent report once', (t) => {
  const p = put({ intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT1H' }, intervals: hourly(6) })
  t.equal([...intervalsBetween(p, T + 3.5 * hour, T + 3.6 * hour)][0]?.id, 3)
  const schedule = reportSchedule(p, { payloadType: 'USAGE', startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 })
  t.equal(schedule.latest(T + 3.5 * hour)?.due, T + 3 * hour)
  t.end()
})

t.test('OA-184 the worked examples of the User Guide', (t) => {
  const list = (n: number, more: Partial<Event> = {}): Placement => put({ intervalPeriod: { start: iso(T), duration: 'PT1H' }, intervals: hourly(n), ...more })
  const all = (p: Placement, d: object, max = 9): [number, number[]][] => {
    const schedule = reportSchedule(p, { payloadType: 'USAGE', ...d })
    return Array.from({ length: max }, (_, i) => schedule.at(i)).filter((x) => x !== undefined).map((x) => [(x.due - T) / hour, x.intervals.map((i) => i.index)])
  }
  t.same(all(list(4), {}), [[4, [0, 1, 2, 3]]], '(a)')
  t.same(all(list(4), { historical: false }), [[0, [0, 1, 2, 3]]], '(b)')
  t.same(all(list(6), { startInterval: 1, numIntervals: 2, frequency: 2, repeat: 3 }), [[2, [0, 1]], [4, [2, 3]], [6, [4, 5]]], '(c)')
  t.same(all(list(6), { startInterval: 0, numIntervals: 3, frequency: 1, repeat: 3, historical: false }), [[0, [0, 1, 2]], [1, [1, 2, 3]], [2, [2, 3, 4]]], '(d)')
  t.same(all(list(4, { duration: 'P9999Y' }), {}), [[4, [0, 1, 2, 3]]], '(e) one unless repeat allows more')
  t.same(all(list(4, { duration: 'P9999Y' }), { repeat: 2 }), [[4, [0, 1, 2, 3]], [8, [4, 5, 6, 7]]], '(e) repeat 2')
  const implied = put({ intervalPeriod: { start: iso(T), duration: 'PT1H' }, reportDescriptors: [{ payloadType: 'USAGE_FORECAST' }] })
  const forecast = all(implied, { numIntervals: 48, frequency: 1, repeat: -1, historical: false }, 3)
  t.same(forecast.map(([due, covered]) => [due, covered.length, covered[0]]), [[0, 48, 0], [1, 48, 1], [2, 48, 2]], '(f)')
  t.same(all(list(6), { startInterval: 1, numIntervals: 3, startIntervalIsFirstCovered: true }).length, 1)
  const first = reportSchedule(list(6), { payloadType: 'USAGE', startInterval: 1, numIntervals: 3 }, { startIntervalIsFirstCovered: true }).at(0)
  t.same([(first!.due - T) / hour, first!.intervals.map((i) => i.index)], [4, [1, 2, 3]], 'the option of OA-184')
  t.same(all(list(4), { frequency: 0 }), [], 'OA-183 frequency 0 is the choice of the VEN')
  t.same(all(list(4), { startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 }).map(([due]) => due), [1, 2, 3, 4], 'OA-183 repeat -1 until the event ends')
  t.end()
})

t.test('OA-185 latest and next of a schedule years long are found at once', (t) => {
  const p = put({ duration: 'P9999Y', intervalPeriod: { start: iso(T), duration: 'PT15M' }, intervals: hourly(1) })
  const schedule = reportSchedule(p, { payloadType: 'USAGE', startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 })
  const far = T + 10 * 365 * 24 * hour + 1
  t.equal(schedule.latest(far)?.due, far - 1)
  t.equal(schedule.next(far)?.due, far - 1 + 900_000)
  t.end()
})
