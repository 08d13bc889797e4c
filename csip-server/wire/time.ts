import { resource } from '#core/describe/resource.js'
import { may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { optional, TimeOffsetType, Instant, UInt8 } from '#csip-server/wire/simple-types.js'

export const Time = resource('Time', '2030.5-2018 time; SEP-092', sequence({
  ...Resource,
  ...pollRate,
  currentTime: Instant({ description: 'Seconds since 1970, UTC.' }),
  dstEndTime: Instant(),
  dstOffset: TimeOffsetType(),
  dstStartTime: Instant(),
  localTime: optional(Instant()),
  quality: UInt8({ description: '3 = from NTP, 7 = deliberately not coordinated.' }),
  tzOffset: TimeOffsetType({ description: 'Local standard time minus UTC, seconds.' }),
}), { href: '/tm', methods: may('GET') })
