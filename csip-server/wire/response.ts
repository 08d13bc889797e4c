import { resource, type Resource as Description } from '#core/describe/resource.js'
import { IdentifiedObject, ListLink, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { Int16, LFDI, mRIDType, optional, PerCent, TimeType, UInt16, UInt8 } from '#csip-server/wire/simple-types.js'

const clause = '2030.5-2018 response; SEP-180'

const content = {
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
}

export const Response = resource('Response', clause, sequence(content), { href: '/rsps/{rsps}/rsp/{rsp}', methods: may('GET') })

export const DERControlResponse = resource('DERControlResponse', clause, sequence(content))
export const PriceResponse = resource('PriceResponse', clause, sequence(content))
export const TextResponse = resource('TextResponse', clause, sequence(content))
export const FlowReservationResponseResponse = resource('FlowReservationResponseResponse', clause, sequence(content))

export const ApplianceLoadReduction = sequence({
  type: UInt8(),
})

export const AppliedTargetReduction = sequence({
  type: UInt8(),
  value: UInt16(),
})

export const DutyCycle = sequence({
  normalValue: UInt8(),
})

export const Offset = sequence({
  coolingOffset: optional(UInt8()),
  heatingOffset: optional(UInt8()),
  loadAdjustmentPercentageOffset: optional(PerCent()),
})

export const SetPoint = sequence({
  coolingSetpoint: optional(Int16()),
  heatingSetpoint: optional(Int16()),
})

/** What a load did instead of, or as well as, what it was asked (SEP-197). */
export const DrResponse = resource('DrResponse', clause, sequence({
  ...content,
  ApplianceLoadReduction: optional(ApplianceLoadReduction),
  AppliedTargetReduction: optional(AppliedTargetReduction),
  DutyCycle: optional(DutyCycle),
  Offset: optional(Offset),
  overrideDuration: optional(UInt16()),
  SetPoint: optional(SetPoint),
}))

/** The kinds of Response, each for its kind of event. */
export const responses: readonly Description[] = [DERControlResponse, DrResponse, TextResponse, PriceResponse, FlowReservationResponseResponse]

/** A list shows each as what it was posted as: a member of another kind than Response carries xsi:type. */
const anyResponse = Object.assign(sequence(content), { xml: { substitutes: Object.fromEntries(responses.map((r) => [r.name, r.schema])) } })
export const ResponseList = listOf(Response, clause, { href: '/rsps/{rsps}/rsp', methods: may('GET', 'POST'), member: anyResponse })

export const ResponseSet = resource('ResponseSet', clause, sequence({
  ...IdentifiedObject,
  ResponseListLink: optional(ListLink),
}), { href: '/rsps/{rsps}', methods: may('GET') })

export const ResponseSetList = listOf(ResponseSet, clause, { href: '/rsps', methods: may('GET'), pollRate: true })
