import { resource } from '#core/describe/resource.js'
import { Link, many, may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { Temperature } from '#csip-server/wire/quantities.js'
import { optional, TimeType, UInt16, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

export const DeviceStatus = resource('DeviceStatus', '2030.5-2018 device status; SEP-111', sequence({
  ...Resource,
  ...pollRate,
  changedTime: TimeType(),
  onCount: optional(UInt16()),
  opState: optional(UInt8()),
  opTime: optional(UInt32()),
  Temperature: optional(many(Temperature)),
  TimeLink: optional(Link),
}), { href: '/edev/{edev}/dstat', methods: may('GET', 'PUT') })
