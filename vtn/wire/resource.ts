import { Type, type Static } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { attributes, clientID, name, objectID, objectMetadata, targets } from '#vtn/wire/field.js'

const resourceName = name('Name of the resource, unique in its VEN.')

// OA-083: newer drafts drop clientID (BL form) and venID (VEN form), so both are optional on the way in.
export const BlResourceRequest = Type.Object({
  objectType: Type.Literal('BL_RESOURCE_REQUEST'),
  clientID: Type.Optional(clientID),
  resourceName,
  venID: objectID,
  targets: Type.Optional(targets),
  attributes: Type.Optional(attributes),
})
export const VenResourceRequest = Type.Object({
  objectType: Type.Literal('VEN_RESOURCE_REQUEST'), resourceName, venID: Type.Optional(objectID), attributes: Type.Optional(attributes),
})

/** openadr3.md §5 resourceRequest: the form depends on the caller's role. */
export const ResourceRequest = Type.Union([VenResourceRequest, BlResourceRequest], { description: 'A device or group behind a VEN.' })
export type ResourceRequest = Static<typeof ResourceRequest>

export const Resource = resource('resource', 'OpenADR 3.1.1 YAML resource',
  Type.Object({
    ...objectMetadata, objectType: Type.Literal('RESOURCE'), clientID, resourceName, venID: objectID,
    targets: Type.Optional(targets), attributes: Type.Optional(attributes),
  }), { href: '/resources/{resourceID}', methods: ['GET', 'PUT', 'DELETE'] })
export type Resource = Static<typeof Resource.schema>
