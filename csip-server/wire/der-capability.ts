import { resource } from '#core/describe/resource.js'
import { may, Resource, sequence } from '#csip-server/wire/base.js'
import { ActivePower, AmpereHour, ApparentPower, CurrentRMS, PowerFactor, ReactivePower, ReactiveSusceptance, VoltageRMS, WattHour } from '#csip-server/wire/quantities.js'
import { csipaus, DERControlType, HexBinary8, optional, UInt8, DERType } from '#csip-server/wire/simple-types.js'

export const DERCapability = resource('DERCapability', '2030.5-2018 DER; SEP-142', sequence({
  ...Resource,
  modesSupported: DERControlType({ description: 'Bitmap of control modes the device has.' }),
  rtgAbnormalCategory: optional(UInt8()),
  rtgMaxA: optional(CurrentRMS),
  rtgMaxAh: optional(AmpereHour),
  rtgMaxChargeRateVA: optional(ApparentPower),
  rtgMaxChargeRateW: optional(ActivePower),
  rtgMaxDischargeRateVA: optional(ApparentPower),
  rtgMaxDischargeRateW: optional(ActivePower),
  rtgMaxV: optional(VoltageRMS),
  rtgMaxVA: optional(ApparentPower),
  rtgMaxVar: optional(ReactivePower),
  rtgMaxVarNeg: optional(ReactivePower),
  rtgMaxW: ActivePower,
  rtgMaxWh: optional(WattHour),
  rtgMinPFOverExcited: optional(PowerFactor),
  rtgMinPFUnderExcited: optional(PowerFactor),
  rtgMinV: optional(VoltageRMS),
  rtgNormalCategory: optional(UInt8()),
  rtgOverExcitedPF: optional(PowerFactor),
  rtgOverExcitedW: optional(ActivePower),
  rtgReactiveSusceptance: optional(ReactiveSusceptance),
  rtgUnderExcitedPF: optional(PowerFactor),
  rtgUnderExcitedW: optional(ActivePower),
  rtgVNom: optional(VoltageRMS),
  type: DERType(),
  doeModesSupported: optional(HexBinary8(csipaus)),
  vppModesSupported: optional(HexBinary8(csipaus)),
}), { href: '/edev/{edev}/der/{der}/dercap', methods: may('GET', 'PUT') })
