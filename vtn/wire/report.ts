import { Type, type Static } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { clientID, interval, intervalPeriod, name, nullable, objectID, objectMetadata, reportPayloadDescriptor } from '#vtn/wire/field.js'

const request = {
  eventID: objectID,
  clientName: name('Name that the reporting client gives itself.'),
  reportName: Type.Optional(nullable(Type.String({ description: 'Name for people.' }))),
  payloadDescriptors: Type.Optional(nullable(Type.Array(reportPayloadDescriptor))),
  resources: Type.Array(Type.Object({
    resourceName: name('Resource reported on, or AGGREGATED_REPORT.'),
    intervalPeriod: Type.Optional(intervalPeriod),
    intervals: Type.Array(interval),
  })),
}

/** openadr3.md §5 reportRequest. */
export const ReportRequest = Type.Object(request, { description: 'What a VEN tells about one event.' })
export type ReportRequest = Static<typeof ReportRequest>

export const Report = resource('report', 'OpenADR 3.1.1 YAML report',
  Type.Object({ ...objectMetadata, objectType: Type.Literal('REPORT'), clientID, ...request }), { href: '/reports/{reportID}', methods: ['GET', 'PUT', 'DELETE'] })
export type Report = Static<typeof Report.schema>
