import { sequence } from '#csip-server/wire/base.js'
import { Boolean, Int16, Int32, Int48, PowerOfTenMultiplierType, Instant, UInt16, UInt32, UInt48, UInt8 } from '#csip-server/wire/simple-types.js'

/** Value × 10^multiplier pairs and other small compound types (SEP-030). */
export const ActivePower = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: Int16(),
})

export const ReactivePower = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: Int16(),
})

export const ApparentPower = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt16(),
})

export const CurrentRMS = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt16(),
})

export const VoltageRMS = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt16(),
})

export const AmpereHour = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt16(),
})

export const WattHour = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt16(),
})

export const RealEnergy = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt48(),
})

export const SignedRealEnergy = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: Int48(),
})

export const ReactiveSusceptance = sequence({
  multiplier: PowerOfTenMultiplierType(),
  value: UInt16(),
})

export const PowerFactor = sequence({
  displacement: UInt16(),
  multiplier: PowerOfTenMultiplierType(),
})

export const PowerFactorWithExcitation = sequence({
  displacement: UInt16(),
  excitation: Boolean(),
  multiplier: PowerOfTenMultiplierType(),
})

export const UnitValueType = sequence({
  multiplier: PowerOfTenMultiplierType(),
  unit: UInt8(),
  value: Int32(),
})

export const DateTimeInterval = sequence({
  duration: UInt32(),
  start: Instant(),
})

export const Temperature = sequence({
  multiplier: PowerOfTenMultiplierType(),
  subject: UInt8(),
  value: Int16(),
})
