import { resource } from '#core/describe/resource.js'
import { Link, listOf, may, sequence, SubscribableIdentifiedObject } from '#csip-server/wire/base.js'
import { RandomizableEvent } from '#csip-server/wire/event.js'
import { ActivePower, PowerFactorWithExcitation, ReactivePower } from '#csip-server/wire/quantities.js'
import { Boolean, DeviceCategoryType, inCsipaus, Int16, oneOf, optional, PerCent, SignedPerCent, UInt16, UInt32 } from '#csip-server/wire/simple-types.js'

export const FixedVar = sequence({
  refType: oneOf(0, 8),
  value: SignedPerCent(),
})

export const FreqDroopType = sequence({
  dBOF: UInt32(),
  dBUF: UInt32(),
  kOF: UInt16(),
  kUF: UInt16(),
  openLoopTms: UInt16(),
})

export const DERControlBase = sequence({
  opModConnect: optional(Boolean({ description: 'Close or open the galvanic connection.' })),
  opModEnergize: optional(Boolean({ description: 'May exchange active power.' })),
  opModFixedPFAbsorbW: optional(PowerFactorWithExcitation),
  opModFixedPFInjectW: optional(PowerFactorWithExcitation),
  opModFixedVar: optional(FixedVar),
  opModFixedW: optional(SignedPerCent({ description: 'Hundredths of a percent: positive of setMaxW, negative of setMaxChargeRateW.' })),
  opModFreqDroop: optional(FreqDroopType),
  opModFreqWatt: optional(Link),
  opModHFRTMayTrip: optional(Link),
  opModHFRTMustTrip: optional(Link),
  opModHVRTMayTrip: optional(Link),
  opModHVRTMomentaryCessation: optional(Link),
  opModHVRTMustTrip: optional(Link),
  opModLFRTMayTrip: optional(Link),
  opModLFRTMustTrip: optional(Link),
  opModLVRTMayTrip: optional(Link),
  opModLVRTMomentaryCessation: optional(Link),
  opModLVRTMustTrip: optional(Link),
  opModMaxLimW: optional(PerCent({ description: 'Hundredths of a percent of setMaxW.' })),
  opModTargetVar: optional(ReactivePower),
  opModTargetW: optional(ActivePower),
  opModVoltVar: optional(Link),
  opModVoltWatt: optional(Link),
  opModWattPF: optional(Link),
  opModWattVar: optional(Link),
  rampTms: optional(UInt16({ description: 'Hundredths of a second to ramp.' })),
  opModImpLimW: optional(inCsipaus(ActivePower)),
  opModExpLimW: optional(inCsipaus(ActivePower)),
  opModGenLimW: optional(inCsipaus(ActivePower)),
  opModLoadLimW: optional(inCsipaus(ActivePower)),
  opModStorageTargetW: optional(inCsipaus(ActivePower)),
})

export const DERControl = resource('DERControl', '2030.5-2018 DER; SEP-132', sequence({
  ...RandomizableEvent,
  DERControlBase: DERControlBase,
  deviceCategory: optional(DeviceCategoryType({ description: 'Device kinds it is for; absent = all.' })),
}), { href: '/derp/{derp}/derc/{derc}', methods: may('GET') })

export const DERControlList = listOf(DERControl, '2030.5-2018 DER; SEP-132', { href: '/derp/{derp}/derc', methods: may('GET'), subscribable: true })

export const ActiveDERControlList = listOf(DERControl, '2030.5-2018 DER; SEP-132', { href: '/derp/{derp}/actderc', methods: may('GET'), subscribable: true })

export const DefaultDERControl = resource('DefaultDERControl', '2030.5-2018 DER; SEP-131', sequence({
  ...SubscribableIdentifiedObject,
  DERControlBase: DERControlBase,
  setESDelay: optional(UInt32()),
  setESHighFreq: optional(UInt16()),
  setESHighVolt: optional(Int16()),
  setESLowFreq: optional(UInt16()),
  setESLowVolt: optional(Int16()),
  setESRampTms: optional(UInt32()),
  setESRandomDelay: optional(UInt32()),
  setGradW: optional(UInt16()),
  setSoftGradW: optional(UInt16()),
}), { href: '/derp/{derp}/dderc', methods: may('GET') })
