import type { DispatchChannel, FailSafe } from '#core/port/dispatch-channel.js'
import type { StationRecord } from './station.js'

/**
 * CORE-202 of OCPP: the TxDefaultProfile at stack 0 with the station's normal limit (OCPP-245); confirmed when the station itself has reported it.
 * Interpretation: where no normal limit is configured, the end of each profile (validTo, CORE-099) is the fail-safe, and the station's own rating rules
 * after it.
 */
export const failSafe: NonNullable<DispatchChannel['failSafe']> = async (stores, tenant, asks) => {
  const ids = [...new Set(asks.map((a) => a.binding.remoteId))]
  const known = new Map((await stores.documents.list<StationRecord>(tenant, { kind: 'csms/Station', ids })).map((d) => [d.id, d.body]))
  return asks.map(({ binding, rated_W }): FailSafe => {
    const station = known.get(binding.remoteId)
    if (!station) return { held: false, reason: `no station '${binding.remoteId}' is known` }
    const { normalLimit_W, controllable = false } = station
    return normalLimit_W === undefined ? { held: true, by: 'end of the ChargingProfile', at: null, limit_W: rated_W, limit_percent: null, confirmed: false }
      : { held: true, by: 'TxDefaultProfile', at: `stations/${binding.remoteId}`, limit_W: normalLimit_W, limit_percent: null, confirmed: controllable }
  })
}
