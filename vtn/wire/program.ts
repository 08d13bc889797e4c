import { Type, type Static } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { attributes, eventPayloadDescriptor, intervalPeriod, name, nullable, objectMetadata, reportPayloadDescriptor, targets, uri } from '#vtn/wire/field.js'

const request = {
  programName: name('Short name, unique in the VTN.'),
  intervalPeriod: Type.Optional(intervalPeriod),
  programDescriptions: Type.Optional(nullable(Type.Array(Type.Object({ URL: uri('Document that describes the program.') })))),
  payloadDescriptors: Type.Optional(nullable(Type.Array(Type.Union([eventPayloadDescriptor, reportPayloadDescriptor])))),
  attributes: Type.Optional(attributes),
  targets: Type.Optional(targets),
}

/** openadr3.md §5 programRequest. */
export const ProgramRequest = Type.Object(request, { description: 'A program: the context of its events.' })
export type ProgramRequest = Static<typeof ProgramRequest>

export const Program = resource('program', 'OpenADR 3.1.1 YAML program',
  Type.Object({ ...objectMetadata, objectType: Type.Literal('PROGRAM'), ...request }), { href: '/programs/{programID}', methods: ['GET', 'PUT', 'DELETE'] })
export type Program = Static<typeof Program.schema>
