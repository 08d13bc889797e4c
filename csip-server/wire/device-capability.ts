import { resource } from '#core/describe/resource.js'
import { Link, ListLink, may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { optional } from '#csip-server/wire/simple-types.js'

export const DeviceCapability = resource('DeviceCapability', '2030.5-2018 device capability; SEP-090', sequence({
  ...Resource,
  ...pollRate,
  CustomerAccountListLink: optional(ListLink),
  DemandResponseProgramListLink: optional(ListLink),
  DERProgramListLink: optional(ListLink),
  FileListLink: optional(ListLink),
  MessagingProgramListLink: optional(ListLink),
  PrepaymentListLink: optional(ListLink),
  ResponseSetListLink: optional(ListLink),
  TariffProfileListLink: optional(ListLink),
  TimeLink: optional(Link),
  UsagePointListLink: optional(ListLink),
  EndDeviceListLink: optional(ListLink),
  MirrorUsagePointListLink: optional(ListLink),
  SelfDeviceLink: optional(Link),
}), { href: '/dcap', methods: may('GET') })
