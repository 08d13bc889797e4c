import { Type, type TSchema } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { attributes, dateTime, duration, int32, name, nullable, objectID, objectTypes, valuesMap } from '#vtn/wire/field.js'
import { operations } from '#vtn/wire/subscription.js'

/** OpenADR 3.0.1 YAML, where it differs from 3.1 (openadr3.md §14). One form for request and answer; metadata is optional in it. */
const text = nullable(Type.String())
const targets301 = nullable(Type.Array(valuesMap))
const metadata = <T extends string>(objectType: T) => ({
  id: Type.Optional(objectID),
  createdDateTime: Type.Optional(dateTime('When the object was made.')),
  modificationDateTime: Type.Optional(dateTime('When it last changed.')),
  objectType: Type.Optional(Type.Literal(objectType)),
})
// OA-237: start is required here.
const intervalPeriod = Type.Object({
  start: dateTime('When it begins.'),
  duration: Type.Optional(duration('How long; PT0S is an instant or without end, by payload type.')),
  randomizeStart: Type.Optional(duration('Largest random shift of the start.')),
})
const interval = Type.Object({ id: int32('Number chosen by the client.'), intervalPeriod: Type.Optional(intervalPeriod), payloads: Type.Array(valuesMap) })

// OA-085: only payloadType is required on this surface.
const eventPayloadDescriptor = Type.Object({
  objectType: Type.Optional(Type.Literal('EVENT_PAYLOAD_DESCRIPTOR')), payloadType: name('Payload type that this describes.'), units: Type.Optional(text), currency: Type.Optional(text),
})
const reportPayloadDescriptor = Type.Object({
  objectType: Type.Optional(Type.Literal('REPORT_PAYLOAD_DESCRIPTOR')), payloadType: name('Payload type that this describes.'), readingType: Type.Optional(text), units: Type.Optional(text),
  accuracy: Type.Optional(nullable(Type.Number())), confidence: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 100 }))),
})
const reportDescriptor = Type.Object({
  payloadType: name('What to report.'), readingType: Type.Optional(text), units: Type.Optional(text), targets: Type.Optional(targets301), aggregate: Type.Optional(Type.Boolean()),
  startInterval: Type.Optional(int32('Interval on which a report is made.')), numIntervals: Type.Optional(int32('Intervals in a report.')), historical: Type.Optional(Type.Boolean()),
  frequency: Type.Optional(int32('Intervals between reports.')), repeat: Type.Optional(int32('How many reports.')),
  // OA-249: 3.1's member travels as an extra one, so that a 3.0.1 client that writes back what it read loses nothing.
  reportIntervals: Type.Optional(Type.Enum(['INTERVALS', 'SUB_INTERVALS', 'OPEN_INTERVALS'])),
})

const described = <S extends TSchema>(objectName: string, schema: S, href: string) => resource(objectName, `OpenADR 3.0.1 YAML ${objectName}`, schema, { href, methods: ['GET', 'PUT', 'DELETE'] })

export const Program301 = described('program', Type.Object({
  ...metadata('PROGRAM'),
  programName: name('Short name, unique in the VTN.'),
  programLongName: Type.Optional(text), retailerName: Type.Optional(text), retailerLongName: Type.Optional(text), programType: Type.Optional(text),
  country: Type.Optional(text), principalSubdivision: Type.Optional(text), timeZoneOffset: Type.Optional(duration('Offset from UTC.')),
  intervalPeriod: Type.Optional(intervalPeriod),
  programDescriptions: Type.Optional(nullable(Type.Array(Type.Object({ URL: Type.String({ format: 'uri' }) })))),
  bindingEvents: Type.Optional(nullable(Type.Boolean())), localPrice: Type.Optional(nullable(Type.Boolean())),
  payloadDescriptors: Type.Optional(nullable(Type.Array(Type.Union([reportPayloadDescriptor, eventPayloadDescriptor])))),
  targets: Type.Optional(targets301),
  attributes: Type.Optional(attributes),
}), '/programs/{programID}')

export const Event301 = described('event', Type.Object({
  ...metadata('EVENT'), programID: objectID, eventName: Type.Optional(text), priority: Type.Optional(nullable(Type.Integer({ minimum: 0 }))), targets: Type.Optional(targets301),
  reportDescriptors: Type.Optional(nullable(Type.Array(reportDescriptor))), payloadDescriptors: Type.Optional(nullable(Type.Array(eventPayloadDescriptor))),
  intervalPeriod: Type.Optional(intervalPeriod), intervals: Type.Array(interval), duration: Type.Optional(duration('3.1 member, carried along.')),
}), '/events/{eventID}')

export const Report301 = described('report', Type.Object({
  ...metadata('REPORT'), programID: objectID, eventID: objectID, clientName: name('Name that the client gives itself.'), reportName: Type.Optional(text),
  payloadDescriptors: Type.Optional(nullable(Type.Array(reportPayloadDescriptor))),
  resources: Type.Array(Type.Object({ resourceName: name('Resource reported on.'), intervalPeriod: Type.Optional(intervalPeriod), intervals: Type.Array(interval) })),
}), '/reports/{reportID}')

export const Subscription301 = described('subscription', Type.Object({
  ...metadata('SUBSCRIPTION'), clientName: name('Name that the client gives itself.'), programID: objectID,
  objectOperations: Type.Array(Type.Object({
    objects: Type.Array(Type.Enum([...objectTypes]), { minItems: 1 }), operations: Type.Array(Type.Enum([...operations]), { minItems: 1 }),
    callbackUrl: Type.String({ format: 'uri' }), bearerToken: Type.Optional(text),
  }), { minItems: 1 }),
  targets: Type.Optional(targets301),
}), '/subscriptions/{subscriptionID}')

export const Resource301 = described('resource', Type.Object({
  ...metadata('RESOURCE'), resourceName: name('Unique in its VEN.'), venID: Type.Optional(objectID), attributes: Type.Optional(attributes), targets: Type.Optional(targets301),
}), '/vens/{venID}/resources/{resourceID}')

export const Ven301 = described('ven', Type.Object({
  ...metadata('VEN'), venName: name('Unique in the VTN.'), attributes: Type.Optional(attributes), targets: Type.Optional(targets301),
  resources: Type.Optional(nullable(Type.Array(Resource301.schema))),
  // Business logic may say here whose ven it is; 3.0.1 has no member for it.
  clientID: Type.Optional(name('Extension: client that the ven belongs to.')),
}), '/vens/{venID}')
