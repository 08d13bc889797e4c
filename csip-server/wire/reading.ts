import { attribute } from '#core/describe/field.js'
import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, Link, ListLink, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { DateTimeInterval, UnitValueType } from '#csip-server/wire/quantities.js'
import { Boolean, HexBinary16, Int48, LFDI, optional, PowerOfTenMultiplierType, RoleFlagsType, UInt32, UInt48, UInt8 } from '#csip-server/wire/simple-types.js'

const readingType = sequence({
  ...Resource,
  accumulationBehaviour: optional(UInt8()),
  calorificValue: optional(UnitValueType),
  commodity: optional(UInt8()),
  conversionFactor: optional(UnitValueType),
  dataQualifier: optional(UInt8()),
  flowDirection: optional(UInt8({ description: '1 to the customer, 19 from the customer.' })),
  intervalLength: optional(UInt32()),
  kind: optional(UInt8()),
  maxNumberOfIntervals: optional(UInt8()),
  numberOfConsumptionBlocks: optional(UInt8()),
  numberOfTouTiers: optional(UInt8()),
  phase: optional(UInt8()),
  powerOfTenMultiplier: optional(PowerOfTenMultiplierType({ description: 'Value × 10^this is in the unit.' })),
  subIntervalLength: optional(UInt32()),
  supplyLimit: optional(UInt48()),
  tieredConsumptionBlocks: optional(Boolean()),
  uom: optional(UInt8({ description: '38 W, 72 Wh, 63 var, 29 V, 33 Hz …' })),
})
export const ReadingType = resource('ReadingType', '2030.5-2018 metering; SEP-173', readingType, { href: '/upt/{upt}/mr/{mr}/rt', methods: may('GET') })
export const RateReadingType = resource('ReadingType', '2030.5-2018 pricing; SEP-200', readingType, { href: '/tp/{tp}/rc/{rc}/rt', methods: may('GET') })

export const Reading = resource('Reading', '2030.5-2018 metering; SEP-173', sequence({
  ...Resource,
  subscribable: optional(UInt8(attribute)),
  consumptionBlock: optional(UInt8()),
  qualityFlags: optional(HexBinary16()),
  timePeriod: optional(DateTimeInterval),
  touTier: optional(UInt8()),
  value: optional(Int48({ description: 'Raw value, before the multiplier of its ReadingType.' })),
  localID: optional(HexBinary16({ description: 'Position inside its set.' })),
}), { href: '/upt/{upt}/mr/{mr}/rs/{rs}/r/{r}', methods: may('GET') })

export const ReadingList = listOf(Reading, '2030.5-2018 metering; SEP-173', { href: '/upt/{upt}/mr/{mr}/rs/{rs}/r', methods: may('GET'), subscribable: true })

export const ReadingSet = resource('ReadingSet', '2030.5-2018 metering; SEP-173', sequence({
  ...IdentifiedObject,
  timePeriod: DateTimeInterval,
  ReadingListLink: optional(ListLink),
}), { href: '/upt/{upt}/mr/{mr}/rs/{rs}', methods: may('GET') })

export const ReadingSetList = listOf(ReadingSet, '2030.5-2018 metering; SEP-173', { href: '/upt/{upt}/mr/{mr}/rs', methods: may('GET'), subscribable: true })

export const MeterReading = resource('MeterReading', '2030.5-2018 metering; SEP-173', sequence({
  ...IdentifiedObject,
  RateComponentListLink: optional(ListLink),
  ReadingLink: optional(Link),
  ReadingSetListLink: optional(ListLink),
  ReadingTypeLink: Link,
}), { href: '/upt/{upt}/mr/{mr}', methods: may('GET') })

export const MeterReadingList = listOf(MeterReading, '2030.5-2018 metering; SEP-173', { href: '/upt/{upt}/mr', methods: may('GET'), subscribable: true })

export const UsagePoint = resource('UsagePoint', '2030.5-2018 metering; SEP-173', sequence({
  ...IdentifiedObject,
  roleFlags: RoleFlagsType({ description: 'Bits: mirror, premises, PEV, DER, revenue, DC, submeter.' }),
  serviceCategoryKind: UInt8(),
  status: UInt8(),
  deviceLFDI: optional(LFDI()),
  MeterReadingListLink: optional(ListLink),
}), { href: '/upt/{upt}', methods: may('GET') })

/** The point that measures a DER, at the DER's own address (SEP-146). */
export const AssociatedUsagePoint = resource('UsagePoint', '2030.5-2018 DER; SEP-146', UsagePoint.schema, { href: '/edev/{edev}/der/{der}/upt', methods: may('GET') })

export const UsagePointList = listOf(UsagePoint, '2030.5-2018 metering; SEP-173', { href: '/upt', methods: may('GET'), subscribable: true, pollRate: true })
