import { Type, type Static } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { duration, eventPayloadDescriptor, interval, intervalPeriod, nullable, objectID, objectMetadata, reportDescriptor, targets } from '#vtn/wire/field.js'

const request = {
  programID: objectID,
  eventName: Type.Optional(nullable(Type.String({ description: 'Name for people; need not be unique.' }))),
  duration: Type.Optional(duration('Length of the event; loops or cuts its intervals.')),
  priority: Type.Optional(nullable(Type.Integer({ minimum: 0, description: 'Lower wins, 0 is highest.' }))),
  targets: Type.Optional(targets),
  reportDescriptors: Type.Optional(nullable(Type.Array(reportDescriptor))),
  payloadDescriptors: Type.Optional(nullable(Type.Array(eventPayloadDescriptor))),
  intervalPeriod: Type.Optional(intervalPeriod),
  intervals: Type.Optional(Type.Array(interval)),
}

/** openadr3.md §5 eventRequest: `intervals` is optional in 3.1. */
export const EventRequest = Type.Object(request, { description: 'Something that VENs are asked to do or know.' })
export type EventRequest = Static<typeof EventRequest>

export const Event = resource('event', 'OpenADR 3.1.1 YAML event',
  Type.Object({ ...objectMetadata, objectType: Type.Literal('EVENT'), ...request }), { href: '/events/{eventID}', methods: ['GET', 'PUT', 'DELETE'] })
export type Event = Static<typeof Event.schema>
