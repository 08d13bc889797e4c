import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, listOf, may, sequence } from '#csip-server/wire/base.js'
import { Event } from '#csip-server/wire/event.js'
import { ActivePower, DateTimeInterval, SignedRealEnergy } from '#csip-server/wire/quantities.js'
import { mRIDType, oneOf, optional, Instant, UInt16 } from '#csip-server/wire/simple-types.js'

export const RequestStatus = sequence({
  dateTime: Instant(),
  requestStatus: oneOf(0, 1),
})

export const FlowReservationRequest = resource('FlowReservationRequest', '2030.5-2018 flow reservation; SEP-200', sequence({
  ...IdentifiedObject,
  creationTime: Instant(),
  durationRequested: optional(UInt16()),
  energyRequested: SignedRealEnergy,
  intervalRequested: DateTimeInterval,
  powerRequested: ActivePower,
  RequestStatus: RequestStatus,
}), { href: '/edev/{edev}/frq/{frq}', methods: may('GET', 'PUT') })

export const FlowReservationRequestList = listOf(FlowReservationRequest, '2030.5-2018 flow reservation; SEP-200', { href: '/edev/{edev}/frq', methods: may('GET', 'POST'), pollRate: true })

export const FlowReservationResponse = resource('FlowReservationResponse', '2030.5-2018 flow reservation; SEP-200', sequence({
  ...Event,
  energyAvailable: SignedRealEnergy,
  powerAvailable: ActivePower,
  subject: mRIDType(),
}), { href: '/edev/{edev}/frp/{frp}', methods: may('GET') })

export const FlowReservationResponseList = listOf(FlowReservationResponse, '2030.5-2018 flow reservation; SEP-200', { href: '/edev/{edev}/frp', methods: may('GET'), subscribable: true, pollRate: true })
