import { resource } from '#core/describe/resource.js'
import { Link, ListLink, listOf, may, pollRate, sequence, SubscribableResource } from '#csip-server/wire/base.js'
import { Boolean, DeviceCategoryType, inCsipaus, LFDI, optional, SFDIType, Instant, UInt32 } from '#csip-server/wire/simple-types.js'

export const EndDevice = resource('EndDevice', '2030.5-2018 end device; SEP-100', sequence({
  ...SubscribableResource,
  ConfigurationLink: optional(Link),
  DERListLink: optional(ListLink),
  deviceCategory: optional(DeviceCategoryType()),
  DeviceInformationLink: optional(Link),
  DeviceStatusLink: optional(Link),
  FileStatusLink: optional(Link),
  IPInterfaceListLink: optional(ListLink),
  lFDI: optional(LFDI({ description: 'First 20 bytes of SHA-256 over the device certificate.' })),
  LoadShedAvailabilityListLink: optional(ListLink),
  LogEventListLink: optional(ListLink),
  PowerStatusLink: optional(Link),
  sFDI: SFDIType({ description: 'First 36 bits of the LFDI and a check digit.' }),
  changedTime: Instant({ description: 'When this record last changed, by the server.' }),
  enabled: optional(Boolean({ description: 'False while the operator has switched the device off.' })),
  FlowReservationRequestListLink: optional(ListLink),
  FlowReservationResponseListLink: optional(ListLink),
  FunctionSetAssignmentsListLink: optional(ListLink),
  postRate: optional(UInt32({ description: 'Seconds between two posts of measurements.' })),
  RegistrationLink: optional(Link),
  SubscriptionListLink: optional(ListLink),
  ConnectionPointLink: optional(inCsipaus(Link)),
}), { href: '/edev/{edev}', methods: may('GET', 'PUT', 'DELETE') })

export const EndDeviceList = listOf(EndDevice, '2030.5-2018 end device; SEP-100', { href: '/edev', methods: may('GET', 'POST'), subscribable: true, pollRate: true })

export const SelfDevice = resource('SelfDevice', '2030.5-2018 self device; SEP-109', sequence({
  ...SubscribableResource,
  ...pollRate,
  ConfigurationLink: optional(Link),
  DERListLink: optional(ListLink),
  deviceCategory: optional(DeviceCategoryType()),
  DeviceInformationLink: optional(Link),
  DeviceStatusLink: optional(Link),
  FileStatusLink: optional(Link),
  IPInterfaceListLink: optional(ListLink),
  lFDI: optional(LFDI({ description: 'First 20 bytes of SHA-256 over the device certificate.' })),
  LoadShedAvailabilityListLink: optional(ListLink),
  LogEventListLink: optional(ListLink),
  PowerStatusLink: optional(Link),
  sFDI: SFDIType({ description: 'First 36 bits of the LFDI and a check digit.' }),
}), { href: '/sdev', methods: may('GET') })
