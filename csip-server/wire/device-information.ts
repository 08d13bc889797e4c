import { resource } from '#core/describe/resource.js'
import { ListLink, may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { ActivePower, RealEnergy } from '#csip-server/wire/quantities.js'
import { HexBinary32, HexBinary64, LFDI, oneOf, optional, PENType, String32, TimeType } from '#csip-server/wire/simple-types.js'

export const DRLCCapabilities = sequence({
  averageEnergy: RealEnergy,
  maxDemand: ActivePower,
  optionsImplemented: HexBinary32(),
})

export const GPSLocationType = sequence({
  lat: String32(),
  lon: String32(),
})

const content = sequence({
  ...Resource,
  ...pollRate,
  DRLCCapabilities: optional(DRLCCapabilities),
  functionsImplemented: optional(HexBinary64()),
  gpsLocation: optional(GPSLocationType),
  lFDI: LFDI(),
  mfDate: TimeType(),
  mfHwVer: String32(),
  mfID: PENType(),
  mfInfo: optional(String32()),
  mfModel: String32(),
  mfSerNum: String32(),
  primaryPower: oneOf(0, 6),
  secondaryPower: oneOf(0, 6),
  SupportedLocaleListLink: optional(ListLink),
  swActTime: TimeType(),
  swVer: String32(),
})

export const DeviceInformation = resource('DeviceInformation', '2030.5-2018 device information; SEP-110', content, { href: '/edev/{edev}/di', methods: may('GET', 'PUT') })

/** The server's own (SEP-109). */
export const SelfDeviceInformation = resource('DeviceInformation', '2030.5-2018 device information; SEP-109', content, { href: '/sdev/di', methods: may('GET') })
