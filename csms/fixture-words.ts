import { handClock, type HandClock } from '#core/port/clock.js'
import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { bench, HandStation, password, type Bench, type BenchOptions, type station } from './fixture.js'
import type { Station } from './station.js'

/** Words of stations and operators that the tests of the blocks say often. For tests only. */
export const T = Date.UTC(2026, 5, 1, 8)
export const iso = (ms: number): string => new Date(ms).toISOString()

/** A bench whose clock is moved by hand, closed with the test. */
export async function handBench(t: { teardown(fn: () => unknown): void }, options: BenchOptions = {}): Promise<{ b: Bench; clock: HandClock }> {
  const clock = handClock(T), b = await bench({ clock, ...options })
  t.teardown(() => b.close())
  return { b, clock }
}

/** A station that answers every call with what is given, and says `Accepted` to the rest. */
export async function willing(b: Bench, id: string, replies: HandStation['replies'] = {}, options: Parameters<typeof station>[2] = {}): Promise<HandStation> {
  // It can answer before it is connected, as the server may speak first.
  const s = new HandStation(b.url, id, { password: password(id), ...options })
  Object.assign(s.replies, Object.fromEntries(['SetChargingProfile', 'ClearChargingProfile', 'TriggerMessage', 'Reset', 'RequestStartTransaction', 'RequestStopTransaction', 'ReserveNow', 'CancelReservation',
    'SendLocalList', 'ClearCache', 'SetNetworkProfile', 'UpdateFirmware', 'InstallCertificate', 'CustomerInformation', 'ChangeAvailability', 'GetLog', 'SetDisplayMessage', 'CostUpdated'].map((action) => [action, { status: 'Accepted' }])), replies)
  const status = await s.open()
  if (status !== 101) throw new Error(`refused: ${status}`)
  if (options.boot ?? true) {
    if (options.protocols?.[0] === 'ocpp1.6') await s.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' })
    else await s.boot()
  }
  return s
}

export const sent = (s: HandStation, action: string): Record<string, unknown>[] => s.calls.filter((c) => c.action === action).map((c) => c.payload)

export const known = async (b: Bench, id: string): Promise<Station> => (await b.csms.fleet.find('test', id)) as Station

/** The station tells values of its device model: `Component.Variable[instance]` → value. */
export async function tells(s: HandStation, values: Record<string, string>, more: object = {}): Promise<void> {
  await s.call('NotifyReport', { requestId: 1, generatedAt: iso(T), seqNo: 0, tbc: false, reportData: Object.entries(values).map(([name, value]) => {
    const [, component, evse, variable, instance] = /^(\w+)(?:#(\d+))?\.(\w+)(?:\[(.*)\])?$/.exec(name) as unknown as string[]
    return { component: { name: component, ...(evse ? { evse: { id: Number(evse) } } : {}) }, variable: { name: variable, ...(instance ? { instance } : {}) }, variableAttribute: [{ value }], ...more }
  }) })
}

export const event = (eventType: string, seqNo: number, at: number, more: object = {}, info: object = {}): object => ({
  eventType, seqNo, timestamp: iso(at), triggerReason: eventType === 'Ended' ? 'EVDeparted' : 'CablePluggedIn', transactionInfo: { transactionId: 'T1', ...info }, ...more,
})
export const meter = (at: number, Wh: number, context?: string): object => ({ timestamp: iso(at), sampledValue: [{ value: Wh, ...(context ? { context } : {}) }] })
export const token = (idToken: string, type = 'ISO14443'): object => ({ idToken, type })

export function orderTo(id: string, evseId: number | undefined, W: number, more: Partial<DeliveryOrder> = {}): DeliveryOrder {
  const start = more.start ?? T / 1000 + 600, end = more.end ?? start + 3600
  return {
    id: `d-${id}`, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'peak' }, resource: { id: `res-${id}`, name: id, kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: id, control: true, ...(evseId === undefined ? {} : { evseId }) }, start, end,
    intervals: [{ start, end, delta_W: -5000, expected_W: W + 5000, setpoint_W: W, limitImport_W: W }], randomize_s: 0, expiry: end, priority: 1, reportEvery_s: 900, createdAt: 0, ...more,
  }
}
