import { resource } from '#core/describe/resource.js'
import { ListLink, may, pollRate, sequence, SubscribableResource } from '#csip-server/wire/base.js'
import { DstRuleType, LocaleType, optional, String32, TimeOffsetType, TimeType, UInt32 } from '#csip-server/wire/simple-types.js'

export const PowerConfiguration = sequence({
  batteryInstallTime: optional(TimeType()),
  lowChargeThreshold: optional(UInt32()),
})

export const TimeConfiguration = sequence({
  dstEndRule: DstRuleType(),
  dstOffset: TimeOffsetType(),
  dstStartRule: DstRuleType(),
  tzOffset: TimeOffsetType(),
})

export const Configuration = resource('Configuration', '2030.5-2018 configuration; SEP-111', sequence({
  ...SubscribableResource,
  ...pollRate,
  currentLocale: LocaleType(),
  PowerConfiguration: optional(PowerConfiguration),
  PriceResponseCfgListLink: optional(ListLink),
  TimeConfiguration: optional(TimeConfiguration),
  userDeviceName: String32(),
}), { href: '/edev/{edev}/cfg', methods: may('GET', 'PUT') })
