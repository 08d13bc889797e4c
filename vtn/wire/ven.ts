import { Type, type Static } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { attributes, clientID, name, objectMetadata, targets } from '#vtn/wire/field.js'

const venName = name('Name of the VEN, unique in the VTN.')

export const BlVenRequest = Type.Object({
  objectType: Type.Literal('BL_VEN_REQUEST'),
  clientID,
  venName,
  targets: Type.Optional(targets),
  attributes: Type.Optional(attributes),
})
export const VenVenRequest = Type.Object({ objectType: Type.Literal('VEN_VEN_REQUEST'), venName, attributes: Type.Optional(attributes) })

/** openadr3.md §5 venRequest: the form depends on the caller's role. */
export const VenRequest = Type.Union([VenVenRequest, BlVenRequest], { description: 'A VEN as business logic or the VEN itself writes it.' })
export type VenRequest = Static<typeof VenRequest>

export const Ven = resource('ven', 'OpenADR 3.1.1 YAML ven',
  Type.Object({ ...objectMetadata, objectType: Type.Literal('VEN'), clientID, venName, targets: Type.Optional(targets), attributes: Type.Optional(attributes) }),
  { href: '/vens/{venID}', methods: ['GET', 'PUT', 'DELETE'] })
export type Ven = Static<typeof Ven.schema>
