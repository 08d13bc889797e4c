import { resource } from '#core/describe/resource.js'
import { may, sequence, SubscribableResource } from '#csip-server/wire/base.js'
import { ActivePower, ReactivePower } from '#csip-server/wire/quantities.js'
import { optional, PerCent, TimeType, UInt32 } from '#csip-server/wire/simple-types.js'

export const DERAvailability = resource('DERAvailability', '2030.5-2018 DER; SEP-145', sequence({
  ...SubscribableResource,
  availabilityDuration: optional(UInt32()),
  maxChargeDuration: optional(UInt32()),
  readingTime: TimeType(),
  reserveChargePercent: optional(PerCent()),
  reservePercent: optional(PerCent()),
  statVarAvail: optional(ReactivePower),
  statWAvail: optional(ActivePower),
}), { href: '/edev/{edev}/der/{der}/dera', methods: may('GET', 'PUT') })
