import { resource } from '#core/describe/resource.js'
import { IdentifiedObject, ListLink, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { Int16, LFDI, mRIDType, optional, PerCent, TimeType, UInt16, UInt8 } from '#csip-server/wire/simple-types.js'

export const Response = resource('Response', '2030.5-2018 response; SEP-180', sequence({
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
}), { href: '/rsps/{rsps}/rsp/{rsp}', methods: may('GET') })

export const ResponseList = listOf(Response, '2030.5-2018 response; SEP-180', { href: '/rsps/{rsps}/rsp', methods: may('GET', 'POST') })

export const DERControlResponse = resource('DERControlResponse', '2030.5-2018 response; SEP-180', sequence({
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
}))

export const PriceResponse = resource('PriceResponse', '2030.5-2018 response; SEP-180', sequence({
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
}))

export const TextResponse = resource('TextResponse', '2030.5-2018 response; SEP-180', sequence({
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
}))

export const FlowReservationResponseResponse = resource('FlowReservationResponseResponse', '2030.5-2018 response; SEP-180', sequence({
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
}))

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

export const DrResponse = resource('DrResponse', '2030.5-2018 response; SEP-180', sequence({
  ...Resource,
  createdDateTime: optional(TimeType()),
  endDeviceLFDI: LFDI(),
  status: optional(UInt8({ description: '1 received, 2 started, 3 completed, 4 opt-out … (SEP-181).' })),
  subject: mRIDType({ description: 'mRID of the event that is answered.' }),
  ApplianceLoadReduction: optional(ApplianceLoadReduction),
  AppliedTargetReduction: optional(AppliedTargetReduction),
  DutyCycle: optional(DutyCycle),
  Offset: optional(Offset),
  overrideDuration: optional(UInt16()),
  SetPoint: optional(SetPoint),
}))

export const ResponseSet = resource('ResponseSet', '2030.5-2018 response; SEP-180', sequence({
  ...IdentifiedObject,
  ResponseListLink: optional(ListLink),
}), { href: '/rsps/{rsps}', methods: may('GET') })

export const ResponseSetList = listOf(ResponseSet, '2030.5-2018 response; SEP-180', { href: '/rsps', methods: may('GET'), pollRate: true })
