import type { MeterValue } from './metering.js'

export interface IdToken {
  readonly idToken: string
  readonly type: string
}

export interface Evse {
  readonly id: number
  readonly connectorId?: number
}

export type ChargingState = 'Charging' | 'EVConnected' | 'SuspendedEV' | 'SuspendedEVSE' | 'Idle'

/** TransactionEventRequest (E01…E15), the members we read. */
export interface TransactionEventRequest {
  readonly eventType: 'Started' | 'Updated' | 'Ended'
  readonly timestamp: string
  readonly triggerReason: string
  readonly seqNo: number
  readonly offline?: boolean
  readonly numberOfPhasesUsed?: number
  readonly cableMaxCurrent?: number
  readonly reservationId?: number
  readonly transactionInfo: {
    readonly transactionId: string
    readonly chargingState?: ChargingState
    readonly timeSpentCharging?: number
    readonly stoppedReason?: string
    readonly remoteStartId?: number
  }
  readonly evse?: Evse
  readonly idToken?: IdToken
  readonly meterValue?: readonly MeterValue[]
}

export interface IdTokenInfo {
  readonly status: string
  readonly groupIdToken?: IdToken
  readonly cacheExpiryDateTime?: string
  readonly chargingPriority?: number
  readonly evseId?: readonly number[]
}

export interface TransactionEventResponse {
  idTokenInfo?: IdTokenInfo
  totalCost?: number
  chargingPriority?: number
}
