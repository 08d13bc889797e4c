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
  readonly language1?: string
  readonly language2?: string
  readonly personalMessage?: MessageContent
}

/** MessageContentType (O01, I04). */
export interface MessageContent {
  readonly format: 'ASCII' | 'HTML' | 'URI' | 'UTF8'
  readonly language?: string
  readonly content: string
}

export interface TransactionEventResponse {
  idTokenInfo?: IdTokenInfo
  totalCost?: number
  chargingPriority?: number
  updatedPersonalMessage?: MessageContent
  /** 2.1 (OCPP-266). */
  transactionLimit?: TransactionLimit
}

/** Where a transaction ends by itself (2.1, E16). */
export interface TransactionLimit {
  readonly maxCost?: number
  readonly maxEnergy?: number
  readonly maxTime?: number
  readonly maxSoC?: number
}
