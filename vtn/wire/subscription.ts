import { Type, type Static } from 'typebox'
import { resource } from '#core/describe/resource.js'
import { clientID, name, nullable, objectID, objectMetadata, objectTypes, targets, uri } from '#vtn/wire/field.js'

export const operations = ['READ', 'CREATE', 'UPDATE', 'DELETE'] as const

const request = {
  clientName: name('Name that the subscribing client gives itself.'),
  programID: Type.Optional(objectID),
  // OpenADR says nothing of the least number; openadr3.md §5 asks for one entry with one object and one operation.
  objectOperations: Type.Array(Type.Object({
    objects: Type.Array(Type.Enum([...objectTypes]), { minItems: 1 }),
    operations: Type.Array(Type.Enum([...operations]), { minItems: 1 }),
    callbackUrl: uri('Where notifications are posted.'),
    bearerToken: Type.Optional(nullable(Type.String({ description: 'Sent with each notification.' }))),
  }), { minItems: 1 }),
  targets: Type.Optional(targets),
  /** Our extension (OA-131): secret of the signature header. */
  hmacSecret: Type.Optional(Type.String({ minLength: 16, maxLength: 256, description: 'Extension: secret for X-OpenADR-Signature.' })),
}

/** openadr3.md §5 subscriptionRequest. */
export const SubscriptionRequest = Type.Object(request, { description: 'A wish to be told of changes by webhook.' })
export type SubscriptionRequest = Static<typeof SubscriptionRequest>

export const Subscription = resource('subscription', 'OpenADR 3.1.1 YAML subscription',
  Type.Object({ ...objectMetadata, objectType: Type.Literal('SUBSCRIPTION'), clientID, ...request }), { href: '/subscriptions/{subscriptionID}', methods: ['GET', 'PUT', 'DELETE'] })
export type Subscription = Static<typeof Subscription.schema>
