import { Type } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { DERAvailability } from '#csip-server/wire/der-availability.js'
import { DefaultDERControl, DERControl, DERControlList } from '#csip-server/wire/der-control.js'
import { DERProgram, DERProgramList } from '#csip-server/wire/der-program.js'
import { DERSettings } from '#csip-server/wire/der-settings.js'
import { DERStatus } from '#csip-server/wire/der-status.js'
import { DemandResponseProgramList, EndDeviceControlList } from '#csip-server/wire/demand-response.js'
import { EndDevice, EndDeviceList } from '#csip-server/wire/end-device.js'
import { FlowReservationResponseList } from '#csip-server/wire/flow-reservation.js'
import { FunctionSetAssignments, FunctionSetAssignmentsList } from '#csip-server/wire/function-set-assignments.js'
import { MessagingProgram, MessagingProgramList, TextMessageList } from '#csip-server/wire/messaging.js'
import { RateComponentList13, TariffProfileList13, TimeTariffIntervalList13 } from '#csip-server/wire/pricing-aus.js'
import { Reading, ReadingList } from '#csip-server/wire/reading.js'
import { anyURI, Int48, oneOf, optional, String16, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

/** What a Notification may carry, written with xsi:type (SEP-154): everything that is subscribable here (SEP-152). */
export const carried = [
  EndDevice, EndDeviceList, FunctionSetAssignments, FunctionSetAssignmentsList, DERProgram, DERProgramList, DERControl, DERControlList, DefaultDERControl,
  DERSettings, DERStatus, DERAvailability, TextMessageList, FlowReservationResponseList, EndDeviceControlList, DemandResponseProgramList,
  MessagingProgram, MessagingProgramList, ReadingList, Reading,
  // The wider forms: what CSIP-AUS 1.3 adds is optional in them.
  TariffProfileList13, RateComponentList13, TimeTariffIntervalList13,
]
const SubstitutableResource = Type.Unsafe<{ type: string }>({ type: 'object', xml: { substitutes: Object.fromEntries(carried.map((r) => [r.name, r.schema])) } })

export const Condition = sequence({
  attributeIdentifier: UInt8(),
  lowerThreshold: Int48(),
  upperThreshold: Int48(),
})

export const Subscription = resource('Subscription', '2030.5-2018 subscription and notification; SEP-150', sequence({
  ...Resource,
  subscribedResource: anyURI(),
  Condition: optional(Condition),
  encoding: oneOf(0, 1),
  level: String16(),
  limit: UInt32({ description: 'List members wanted in a notification.' }),
  notificationURI: anyURI({ description: 'Where changes are posted.' }),
}), { href: '/edev/{edev}/sub/{sub}', methods: may('GET', 'PUT', 'DELETE') })

export const SubscriptionList = listOf(Subscription, '2030.5-2018 subscription and notification; SEP-150', { href: '/edev/{edev}/sub', methods: may('GET', 'POST'), pollRate: true })

export const Notification = resource('Notification', '2030.5-2018 subscription and notification; SEP-150', sequence({
  ...Resource,
  subscribedResource: anyURI(),
  newResourceURI: optional(anyURI()),
  Resource: optional(SubstitutableResource),
  status: oneOf(0, 4),
  subscriptionURI: anyURI(),
}))
