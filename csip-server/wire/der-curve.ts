import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, listOf, many, may, sequence } from '#csip-server/wire/base.js'
import { Boolean, Int32, oneOf, optional, PerCent, PowerOfTenMultiplierType, Instant, UInt16, UInt32 } from '#csip-server/wire/simple-types.js'

export const CurveData = sequence({
  excitation: optional(Boolean()),
  xvalue: Int32(),
  yvalue: Int32(),
})

export const DERCurve = resource('DERCurve', '2030.5-2018 DER; SEP-135', sequence({
  ...IdentifiedObject,
  autonomousVRefEnable: optional(Boolean()),
  autonomousVRefTimeConstant: optional(UInt32()),
  creationTime: Instant(),
  CurveData: many(CurveData, { minItems: 1, maxItems: 10 }),
  curveType: oneOf(0, 14),
  openLoopTms: optional(UInt16()),
  rampDecTms: optional(UInt16()),
  rampIncTms: optional(UInt16()),
  rampPT1Tms: optional(UInt16()),
  vRef: optional(PerCent()),
  xMultiplier: PowerOfTenMultiplierType(),
  yMultiplier: PowerOfTenMultiplierType(),
  yRefType: oneOf(0, 8),
}), { href: '/derp/{derp}/dc/{dc}', methods: may('GET') })

export const DERCurveList = listOf(DERCurve, '2030.5-2018 DER; SEP-135', { href: '/derp/{derp}/dc', methods: may('GET') })
