import { RespondableSubscribableIdentifiedObject, sequence } from '#csip-server/wire/base.js'
import { DateTimeInterval } from '#csip-server/wire/quantities.js'
import { Boolean, OneHourRangeType, oneOf, optional, String192, Instant } from '#csip-server/wire/simple-types.js'

/** Parts that every event has (section 7 of the requirements). */
export const EventStatus = sequence({
  currentStatus: oneOf(0, 4),
  dateTime: Instant(),
  potentiallySuperseded: Boolean(),
  potentiallySupersededTime: optional(Instant()),
  reason: optional(String192()),
})

/** Base of every event; children of IdentifiedObject come first. */
export const Event = {
  ...RespondableSubscribableIdentifiedObject,
  creationTime: Instant({ description: 'Later creation wins inside one program.' }),
  EventStatus,
  interval: DateTimeInterval,
}
export const RandomizableEvent = {
  ...Event,
  randomizeDuration: optional(OneHourRangeType({ description: 'Seconds; the device draws between 0 and this.' })),
  randomizeStart: optional(OneHourRangeType({ description: 'Seconds; the device draws between 0 and this.' })),
}
