import type { Purpose } from '#csms/wire/charging-profile.js'

/** What a limit is for; one table decides purpose and stack level (CORE-099, OCPP-227, 229). */
export type Use = 'baseline' | 'customer' | 'event' | 'emergency'

/** OCPP-229: L = ProfileStackLevel. With L < 2 there is no room between: event and baseline share ids by replacement. */
export function stackLevel(use: Use, L: number): number {
  const level: Record<Use, number> = { baseline: 0, customer: 1, event: L - 1, emergency: L }
  return Math.max(0, Math.min(L, L < 2 && use === 'event' ? L : level[use]))
}

/** Where a limit can live. `max` and `default0` are the station's, `default` and `tx` one EVSE's. */
export type Place =
  | { readonly purpose: 'ChargingStationMaxProfile'; readonly evseId: 0 }
  | { readonly purpose: 'TxDefaultProfile'; readonly evseId: number }
  | { readonly purpose: 'TxProfile'; readonly evseId: number; readonly transactionId: string }

export interface Situation {
  /** 0 or absent: the whole station's import. */
  readonly evseId: number | undefined
  readonly running: { readonly transactionId: string; readonly hasTxProfile: boolean } | undefined
}

/** OCPP-227. ChargingStationExternalConstraints is the station's own: never here (K01.FR.22). */
export function placeFor({ evseId, running }: Situation): Place {
  if (evseId === undefined || evseId === 0) return { purpose: 'ChargingStationMaxProfile', evseId: 0 }
  // A TxProfile replaces TxDefaultProfile, so a limit below one must be one itself; without it the default suffices (K01.FR.32).
  if (running?.hasTxProfile) return { purpose: 'TxProfile', evseId, transactionId: running.transactionId }
  return { purpose: 'TxDefaultProfile', evseId }
}

export const purposes16: Record<Exclude<Purpose, 'ChargingStationExternalConstraints'>, string> = {
  ChargingStationMaxProfile: 'ChargePointMaxProfile', TxDefaultProfile: 'TxDefaultProfile', TxProfile: 'TxProfile',
}
