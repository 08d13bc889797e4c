import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, Link, ListLink, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { RandomizableEvent } from '#csip-server/wire/event.js'
import { ActivePower } from '#csip-server/wire/quantities.js'
import { ApplianceLoadReduction, DutyCycle, Offset, SetPoint } from '#csip-server/wire/response.js'
import { Boolean, DeviceCategoryType, optional, PerCent, PrimacyType, UInt16, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

export const TargetReduction = sequence({
  type: UInt8(),
  value: UInt16(),
})

export const EndDeviceControl = resource('EndDeviceControl', '2030.5-2018 demand response and load control; SEP-196', sequence({
  ...RandomizableEvent,
  ApplianceLoadReduction: optional(ApplianceLoadReduction),
  deviceCategory: DeviceCategoryType(),
  drProgramMandatory: Boolean(),
  DutyCycle: optional(DutyCycle),
  loadShiftForward: Boolean(),
  Offset: optional(Offset),
  overrideDuration: optional(UInt16()),
  SetPoint: optional(SetPoint),
  TargetReduction: optional(TargetReduction),
}), { href: '/dr/{dr}/edc/{edc}', methods: may('GET') })

export const EndDeviceControlList = listOf(EndDeviceControl, '2030.5-2018 demand response and load control; SEP-196', { href: '/dr/{dr}/edc', methods: may('GET'), subscribable: true })

export const ActiveEndDeviceControlList = listOf(EndDeviceControl, '2030.5-2018 demand response and load control; SEP-196', { href: '/dr/{dr}/actedc', methods: may('GET'), subscribable: true })

export const DemandResponseProgram = resource('DemandResponseProgram', '2030.5-2018 demand response and load control; SEP-196', sequence({
  ...IdentifiedObject,
  ActiveEndDeviceControlListLink: optional(ListLink),
  availabilityUpdatePercentChangeThreshold: optional(PerCent()),
  availabilityUpdatePowerChangeThreshold: optional(ActivePower),
  EndDeviceControlListLink: optional(ListLink),
  primacy: PrimacyType(),
}), { href: '/dr/{dr}', methods: may('GET') })

export const DemandResponseProgramList = listOf(DemandResponseProgram, '2030.5-2018 demand response and load control; SEP-196', { href: '/dr', methods: may('GET'), subscribable: true, pollRate: true })

export const LoadShedAvailability = resource('LoadShedAvailability', '2030.5-2018 demand response and load control; SEP-196', sequence({
  ...Resource,
  availabilityDuration: optional(UInt32()),
  DemandResponseProgramLink: optional(Link),
  sheddablePercent: optional(PerCent()),
  sheddablePower: optional(ActivePower),
}), { href: '/edev/{edev}/lsl/{lsl}', methods: may('GET', 'DELETE') })

export const LoadShedAvailabilityList = listOf(LoadShedAvailability, '2030.5-2018 demand response and load control; SEP-196', { href: '/edev/{edev}/lsl', methods: may('GET', 'POST'), pollRate: true })

export const AssignedDemandResponseProgramList = listOf(DemandResponseProgram, '2030.5-2018 demand response and load control; SEP-196', { href: '/edev/{edev}/fsa/{fsa}/dr', methods: may('GET'), subscribable: true, pollRate: true })
