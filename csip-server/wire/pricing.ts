import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, Link, ListLink, listOf, many, may, Resource, sequence } from '#csip-server/wire/base.js'
import { RandomizableEvent } from '#csip-server/wire/event.js'
import { UnitValueType } from '#csip-server/wire/quantities.js'
import { Int32, optional, PowerOfTenMultiplierType, PrimacyType, RoleFlagsType, String20, UInt16, UInt32, UInt48, UInt8 } from '#csip-server/wire/simple-types.js'

export const EnvironmentalCost = sequence({
  amount: UInt32(),
  costKind: UInt8(),
  costLevel: UInt8(),
  numCostLevels: UInt8(),
})

export const ConsumptionTariffInterval = resource('ConsumptionTariffInterval', '2030.5-2018 pricing; SEP-200', sequence({
  ...Resource,
  consumptionBlock: UInt8(),
  EnvironmentalCost: optional(many(EnvironmentalCost)),
  price: optional(Int32()),
  startValue: UInt48(),
}), { href: '/tp/{tp}/rc/{rc}/tti/{tti}/cti/{cti}', methods: may('GET') })

export const ConsumptionTariffIntervalList = listOf(ConsumptionTariffInterval, '2030.5-2018 pricing; SEP-200', { href: '/tp/{tp}/rc/{rc}/tti/{tti}/cti', methods: may('GET') })

export const TimeTariffInterval = resource('TimeTariffInterval', '2030.5-2018 pricing; SEP-200', sequence({
  ...RandomizableEvent,
  ConsumptionTariffIntervalListLink: optional(ListLink),
  touTier: UInt8({ description: 'Tier of the time-of-use price.' }),
}), { href: '/tp/{tp}/rc/{rc}/tti/{tti}', methods: may('GET') })

export const TimeTariffIntervalList = listOf(TimeTariffInterval, '2030.5-2018 pricing; SEP-200', { href: '/tp/{tp}/rc/{rc}/tti', methods: may('GET'), subscribable: true })

export const ActiveTimeTariffIntervalList = listOf(TimeTariffInterval, '2030.5-2018 pricing; SEP-200', { href: '/tp/{tp}/rc/{rc}/acttti', methods: may('GET'), subscribable: true })

export const RateComponent = resource('RateComponent', '2030.5-2018 pricing; SEP-200', sequence({
  ...IdentifiedObject,
  ActiveTimeTariffIntervalListLink: optional(ListLink),
  flowRateEndLimit: optional(UnitValueType),
  flowRateStartLimit: optional(UnitValueType),
  ReadingTypeLink: Link,
  roleFlags: RoleFlagsType(),
  TimeTariffIntervalListLink: ListLink,
}), { href: '/tp/{tp}/rc/{rc}', methods: may('GET') })

export const RateComponentList = listOf(RateComponent, '2030.5-2018 pricing; SEP-200', { href: '/tp/{tp}/rc', methods: may('GET') })

export const TariffProfile = resource('TariffProfile', '2030.5-2018 pricing; SEP-200', sequence({
  ...IdentifiedObject,
  currency: optional(UInt16()),
  pricePowerOfTenMultiplier: optional(PowerOfTenMultiplierType()),
  primacy: PrimacyType(),
  rateCode: optional(String20()),
  RateComponentListLink: optional(ListLink),
  serviceCategoryKind: UInt8(),
}), { href: '/tp/{tp}', methods: may('GET') })

export const TariffProfileList = listOf(TariffProfile, '2030.5-2018 pricing; SEP-200', { href: '/tp', methods: may('GET'), subscribable: true, pollRate: true })

export const AssignedTariffProfileList = listOf(TariffProfile, '2030.5-2018 pricing; SEP-200', { href: '/edev/{edev}/fsa/{fsa}/tp', methods: may('GET'), subscribable: true, pollRate: true })
