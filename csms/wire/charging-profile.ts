export type Purpose = 'ChargingStationExternalConstraints' | 'ChargingStationMaxProfile' | 'TxDefaultProfile' | 'TxProfile'
export type RateUnit = 'W' | 'A'

export interface ChargingSchedulePeriod {
  readonly startPeriod: number
  /** Absent only in 2.1, in modes that have a set-point instead (OCPP-263). */
  readonly limit: number
  readonly numberPhases?: number
  readonly phaseToUse?: number
  /** 2.1, for each phase where the first is not for all; discharge is negative. */
  readonly limit_L2?: number
  readonly limit_L3?: number
  readonly dischargeLimit?: number
  readonly dischargeLimit_L2?: number
  readonly dischargeLimit_L3?: number
  readonly setpoint?: number
  readonly setpoint_L2?: number
  readonly setpoint_L3?: number
  readonly setpointReactive?: number
  readonly setpointReactive_L2?: number
  readonly setpointReactive_L3?: number
  readonly operationMode?: string
}

export interface ChargingSchedule {
  readonly id: number
  readonly startSchedule?: string
  readonly duration?: number
  readonly chargingRateUnit: RateUnit
  readonly minChargingRate?: number
  readonly chargingSchedulePeriod: readonly ChargingSchedulePeriod[]
}

/** ChargingProfileType of 2.x (K01). */
export interface ChargingProfile {
  readonly id: number
  readonly stackLevel: number
  readonly chargingProfilePurpose: Purpose
  readonly chargingProfileKind: 'Absolute' | 'Recurring' | 'Relative'
  readonly recurrencyKind?: 'Daily' | 'Weekly'
  readonly validFrom?: string
  readonly validTo?: string
  readonly transactionId?: string
  /** 2.1 (K01.FR.82 ff): seconds without us after which the profile rests, and whether for good. */
  readonly maxOfflineDuration?: number
  readonly invalidAfterOfflineDuration?: boolean
  readonly chargingSchedule: readonly ChargingSchedule[]
}

export interface SetChargingProfileRequest {
  readonly evseId: number
  readonly chargingProfile: ChargingProfile
}
