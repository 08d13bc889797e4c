import type { DeliveryOrder } from '#core/port/dispatch-channel.js'
import { bench, type Bench, type HandStation as Hand } from './fixture.js'

/** A bench with stations CS001 to CS020. */
export const twenty = (): Promise<Bench> => bench({ stations: Array.from({ length: 20 }, (_, i) => `CS${String(i + 1).padStart(3, '0')}`) })

export const iso = (ms: number): string => new Date(ms).toISOString()
export const event = (eventType: string, seqNo: number, timestamp: string, more: object = {}, transactionId = 'T1', info: object = {}): object => ({
  eventType, seqNo, timestamp, triggerReason: eventType === 'Ended' ? 'EVDeparted' : 'CablePluggedIn', transactionInfo: { transactionId, ...info }, ...more,
})
export const meter = (timestamp: string, Wh: number): object => ({ timestamp, sampledValue: [{ value: Wh }] })

let orders = 0
/** An order of an hour or two that begins in ten minutes: `W` is what the station may take. */
export function order(id: string, evseId: number | undefined, W: number | null, more: Partial<DeliveryOrder> = {}): DeliveryOrder {
  const start = more.start ?? Math.floor(Date.now() / 1000) + 600, end = more.end ?? start + 7200
  return {
    id: `d${orders += 1}`, tenant: 'test', dispatch: 'D', revision: 1, program: { id: 'p', name: 'peak' },
    resource: { id: `res-${id}`, name: id, kind: 'evse', rated_W: 22_000, servicePoint: 'sp' },
    binding: { protocol: 'ocpp', remoteId: id, control: true, ...(evseId === undefined ? {} : { evseId }) }, start, end,
    intervals: [{ start, end, delta_W: -5000, expected_W: W === null ? null : W + 5000, setpoint_W: W, limitImport_W: W }],
    randomize_s: 0, expiry: end + 3600, priority: 1, reportEvery_s: 900, createdAt: 0, ...more,
  }
}
export const profileOf = (call: { payload: Record<string, unknown> } | undefined) => call?.payload['chargingProfile'] as Record<string, unknown> & { chargingSchedule: Record<string, unknown>[] }
export const sent = (s: Hand, action: string) => s.calls.filter((c) => c.action === action)
