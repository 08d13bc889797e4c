/** SampledValueType and MeterValueType as 2.x has them; 1.6 writes `value` as text and `unit` beside it (J01, OCPP-170). */
export interface SampledValue {
  readonly value: number | string
  readonly context?: string
  readonly measurand?: string
  readonly phase?: string
  readonly location?: string
  readonly unitOfMeasure?: { readonly unit?: string; readonly multiplier?: number }
  readonly unit?: string
  readonly format?: 'Raw' | 'SignedData'
  readonly signedMeterValue?: { readonly signedMeterData: string; readonly signingMethod: string; readonly encodingMethod: string; readonly publicKey: string }
}

export interface MeterValue {
  readonly timestamp: string
  readonly sampledValue: readonly SampledValue[]
}
