import { Type, type Static } from 'typebox'
import { Event } from '#vtn/wire/event.js'
import { objectTypes, targets } from '#vtn/wire/field.js'
import { Program } from '#vtn/wire/program.js'
import { Report } from '#vtn/wire/report.js'
import { Resource } from '#vtn/wire/resource.js'
import { operations, Subscription } from '#vtn/wire/subscription.js'
import { Ven } from '#vtn/wire/ven.js'

/** OA-122, OA-140: what a webhook receives and an MQTT topic carries. */
export const Notification = Type.Object({
  objectType: Type.Enum([...objectTypes]),
  operation: Type.Enum([...operations]),
  object: Type.Union([Program.schema, Report.schema, Event.schema, Subscription.schema, Ven.schema, Resource.schema]),
  targets: Type.Optional(targets),
}, { description: 'One change of one object.' })
export type Notification = Static<typeof Notification>
