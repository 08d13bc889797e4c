import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, listOf, many, may, sequence } from '#csip-server/wire/base.js'
import { DateTimeInterval } from '#csip-server/wire/quantities.js'
import { Reading, ReadingType } from '#csip-server/wire/reading.js'
import { LFDI, optional, RoleFlagsType, TimeType, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

export const MirrorReadingSet = resource('MirrorReadingSet', '2030.5-2018 metering mirror; SEP-165', sequence({
  ...IdentifiedObject,
  timePeriod: DateTimeInterval,
  Reading: optional(many(Reading.schema)),
}))

export const MirrorMeterReading = resource('MirrorMeterReading', '2030.5-2018 metering mirror; SEP-165', sequence({
  ...IdentifiedObject,
  lastUpdateTime: optional(TimeType()),
  MirrorReadingSet: optional(many(MirrorReadingSet.schema)),
  nextUpdateTime: optional(TimeType()),
  Reading: optional(Reading.schema),
  ReadingType: optional(ReadingType.schema),
}))

export const MirrorMeterReadingList = listOf(MirrorMeterReading, '2030.5-2018 metering mirror; SEP-165', { href: '/mup/{mup}/mr', methods: may('POST') })

export const MirrorUsagePoint = resource('MirrorUsagePoint', '2030.5-2018 metering mirror; SEP-165', sequence({
  ...IdentifiedObject,
  roleFlags: RoleFlagsType({ description: 'Bits: mirror, premises, PEV, DER, revenue, DC, submeter.' }),
  serviceCategoryKind: UInt8(),
  status: UInt8(),
  deviceLFDI: LFDI(),
  MirrorMeterReading: optional(many(MirrorMeterReading.schema)),
  postRate: optional(UInt32()),
}), { href: '/mup/{mup}', methods: may('GET', 'PUT', 'POST', 'DELETE') })

export const MirrorUsagePointList = listOf(MirrorUsagePoint, '2030.5-2018 metering mirror; SEP-165', { href: '/mup', methods: may('GET', 'POST'), pollRate: true })
