import t from 'tap'
import { dueReports, tracked } from '#vtn/report-due.js'
import { startedAt, testVtn } from '#vtn/test-vtn.js'
import type { EventRequest } from '#vtn/wire/event.js'

const T = startedAt, hour = 3_600_000
const event = (descriptor: object, intervals = 4, more: object = {}): EventRequest => ({
  programID: 'p', intervalPeriod: { start: new Date(T).toISOString(), duration: 'PT1H' }, intervals: Array.from({ length: intervals }, (_, id) => ({ id, payloads: [] })),
  reportDescriptors: [{ payloadType: 'USAGE', ...descriptor }], ...more,
})
const due = (e: EventRequest) => dueReports(e, T, T + 100 * hour).map((d) => [(d.due - T) / hour, d.intervals])

t.test('OA-182 OA-183 OA-184 OA-186 the VTN expects what the worked examples of the User Guide say', async (t) => {
  t.same(due(event({})), [[4, [0, 1, 2, 3]]], '(a)')
  t.same(due(event({ historical: false })), [[0, [0, 1, 2, 3]]], '(b)')
  t.same(due(event({ startInterval: 1, numIntervals: 2, frequency: 2, repeat: 3 }, 6)), [[2, [0, 1]], [4, [2, 3]], [6, [4, 5]]], '(c)')
  t.same(due(event({ startInterval: 0, numIntervals: 3, frequency: 1, repeat: 3, historical: false }, 6)), [[0, [0, 1, 2]], [1, [1, 2, 3]], [2, [2, 3, 4]]], '(d)')
  t.same(due(event({}, 2, { duration: 'P9999Y' })), [[2, [0, 1]]], '(e)')
  t.same(due(event({ repeat: -1 }, 2, { duration: 'PT6H' })), [[2, [0, 1]], [4, [0, 1]], [6, [0, 1]]], '(e) where repeat allows')
  t.equal(due(event({ startInterval: 0, numIntervals: 48, frequency: 1, repeat: -1, historical: false }, 0)).length, 101, '(f) each hour, as far as was asked')
  t.same(due(event({ frequency: 0 })), [], 'at the choice of the VEN')
})

t.test('OA-186 received is what covers the interval that made it due; late is after the grace', async (t) => {
  const expected = dueReports(event({ startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 }), T, T + 100 * hour)
  const report = (id: number, at: number) => ({ at, body: { eventID: 'e', clientName: 'c', resources: [{ resourceName: 'r', intervals: [{ id, payloads: [{ type: 'USAGE', values: [1] }] }] }] } })
  t.same(tracked(expected, [report(0, T + hour + 5000), report(1, T + 1000)], T + 2 * hour + 400_000, 300_000).map((x) => x.state), ['received', 'late', 'expected', 'expected'], 'a forecast is no answer to what was measured')
})

t.test('OA-186 per VEN that sees the event, for the operator', async (t) => {
  const v = await testVtn()
  t.teardown(() => v.close())
  for (const [client, name] of [['ven_client', 'a'], ['ven_client2', 'b']] as const) await v.call('POST', '/vens', client, { objectType: 'VEN_VEN_REQUEST', venName: name })
  const program = (await v.call('POST', '/programs', 'bl_client', { programName: 'p' })).json()
  const made = (await v.call('POST', '/events', 'bl_client', { ...event({ startInterval: 0, numIntervals: 1, frequency: 1, repeat: -1 }), programID: program.id })).json()
  await v.clock.advance(hour + 60_000)
  await v.call('POST', '/reports', 'ven_client', { eventID: made.id, clientName: 'a', resources: [{ resourceName: 'r', intervals: [{ id: 0, payloads: [{ type: 'USAGE', values: [1] }] }] }] })
  await v.clock.advance(300_000)
  const seen = await v.vtn.reportsDue(made.id)
  t.same(seen?.map((x) => [x.venName, x.reports[0]?.state]), [['a', 'received'], ['b', 'late']])
  t.equal(await v.vtn.reportsDue('none'), undefined)
})
