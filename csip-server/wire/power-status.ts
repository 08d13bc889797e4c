import { resource } from '#core/describe/resource.js'
import { may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { ActivePower, RealEnergy } from '#csip-server/wire/quantities.js'
import { oneOf, optional, PerCent, TimeType, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

export const PEVInfo = sequence({
  chargingPowerNow: ActivePower,
  energyRequestNow: RealEnergy,
  maxForwardPower: ActivePower,
  minimumChargingDuration: UInt32(),
  targetStateOfCharge: PerCent(),
  timeChargeIsNeeded: TimeType(),
  timeChargingStatusPEV: TimeType(),
})

export const PowerStatus = resource('PowerStatus', '2030.5-2018 power status; SEP-111', sequence({
  ...Resource,
  ...pollRate,
  batteryStatus: UInt8(),
  changedTime: TimeType(),
  currentPowerSource: oneOf(0, 6),
  estimatedChargeRemaining: optional(PerCent()),
  estimatedTimeRemaining: optional(UInt32()),
  PEVInfo: optional(PEVInfo),
  sessionTimeOnBattery: optional(UInt32()),
  totalTimeOnBattery: optional(UInt32()),
}), { href: '/edev/{edev}/ps', methods: may('GET', 'PUT') })
