import type { Availability } from '#core/availability/availability.js'
import type { ChargingNeeds } from '#csms/message/notify-ev-charging-needs.js'
import type { Transaction } from './transaction.js'

export interface EvseState {
  readonly now: number
  readonly resource: string
  readonly rated_W: number
  readonly transaction: Transaction | undefined
  readonly needs: ChargingNeeds | undefined
  /** What the car drew when no event held it back; during an event the meter says what is left, not what could be shed. */
  readonly free_W: number | undefined
  readonly cap_W: number | undefined
  readonly delivered_Wh: number
  readonly source: string
  readonly issuedAt: number
}

const step = 900
/** How far ahead we speak of a car whose departure is unknown. */
const horizon_s = 4 * 3600

/**
 * What an EVSE can shed in each quarter of an hour (CORE-031): need = energy still asked for, slack = what the time left could
 * deliver beyond it. The slack is spread over the intervals in proportion, so that shedding all of them never costs the
 * departure; slack < 0: nothing. Without a transaction it is 0 (OCPP-238). Pure.
 */
export function availabilityOf(s: EvseState): Availability[] {
  const charging = s.transaction !== undefined && s.transaction.chargingState !== 'SuspendedEV' && s.transaction.chargingState !== 'Idle'
    && s.transaction.chargingState !== 'EVConnected'
  const most = Math.max(0, Math.min(s.rated_W, s.cap_W ?? Infinity, s.needs?.max_W ?? Infinity))
  const first = Math.floor(s.now / step) * step
  const departure = charging && s.needs?.departure !== undefined && s.needs.departure > s.now ? s.needs.departure : undefined
  const until = departure ?? s.now + horizon_s
  const need = s.needs?.energy_Wh === undefined ? undefined : Math.max(0, s.needs.energy_Wh - s.delivered_Wh)
  const pace = need === undefined ? Math.min(most, s.free_W ?? most) : most
  const loads: { start: number; seconds: number; load: number }[] = []
  let left = need ?? Infinity
  for (let at = first; at < until; at += step) {
    const seconds = Math.min(at + step, until) - Math.max(at, s.now)
    const Wh = charging ? Math.min(left, pace * seconds / 3600) : 0
    left -= Wh
    loads.push({ start: at, seconds, load: Wh })
  }
  const total = loads.reduce((sum, l) => sum + l.load, 0)
  const slack = need === undefined || departure === undefined ? Infinity : most * (departure - s.now) / 3600 - need
  const share = total === 0 ? 0 : Math.max(0, Math.min(1, slack / total))
  return loads.map(({ start, seconds, load }) => {
    const expected_W = Math.round(load * 3600 / seconds)
    return {
      resource: s.resource, start, end: start + step, down_W: Math.floor(expected_W * share), up_W: charging ? Math.max(0, most - expected_W) : 0,
      expected_W, source: s.source, issuedAt: s.issuedAt,
    }
  })
}
