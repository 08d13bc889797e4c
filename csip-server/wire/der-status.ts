import { resource } from '#core/describe/resource.js'
import { may, sequence, SubscribableResource } from '#csip-server/wire/base.js'
import { HexBinary32, HexBinary8, oneOf, optional, PerCent, String6, TimeType } from '#csip-server/wire/simple-types.js'

export const ConnectStatusType = sequence({
  dateTime: TimeType(),
  value: HexBinary8(),
})

export const InverterStatusType = sequence({
  dateTime: TimeType(),
  value: oneOf(0, 10),
})

export const LocalControlModeStatusType = sequence({
  dateTime: TimeType(),
  value: oneOf(0, 1),
})

export const ManufacturerStatusType = sequence({
  dateTime: TimeType(),
  value: String6(),
})

export const OperationalModeStatusType = sequence({
  dateTime: TimeType(),
  value: oneOf(0, 3),
})

export const StateOfChargeStatusType = sequence({
  dateTime: TimeType(),
  value: PerCent(),
})

export const StorageModeStatusType = sequence({
  dateTime: TimeType(),
  value: oneOf(0, 2),
})

export const DERStatus = resource('DERStatus', '2030.5-2018 DER; SEP-144', sequence({
  ...SubscribableResource,
  alarmStatus: optional(HexBinary32()),
  genConnectStatus: optional(ConnectStatusType),
  inverterStatus: optional(InverterStatusType),
  localControlModeStatus: optional(LocalControlModeStatusType),
  manufacturerStatus: optional(ManufacturerStatusType),
  operationalModeStatus: optional(OperationalModeStatusType),
  readingTime: TimeType({ description: 'When these states were read.' }),
  stateOfChargeStatus: optional(StateOfChargeStatusType),
  storageModeStatus: optional(StorageModeStatusType),
  storConnectStatus: optional(ConnectStatusType),
}), { href: '/edev/{edev}/der/{der}/ders', methods: may('GET', 'PUT') })
