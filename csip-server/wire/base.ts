import { Type, type TProperties, type TSchema } from 'typebox'
import { attribute } from '#core/describe/field.js'
import { resource, type Method, type Resource as Description } from '#core/describe/resource.js'
import { HexBinary8, String32, UInt32, VersionType, anyURI, mRIDType, optional, UInt8 } from '#csip-server/wire/simple-types.js'

/** A complex type: its children in schema order (SEP-024). Members of a base type are spread first. */
export const sequence = <P extends TProperties>(properties: P) => Type.Object(properties)
export const many = <S extends TSchema>(schema: S, o: { minItems?: number; maxItems?: number } = {}) => Type.Array(schema, o)

export const Resource = { href: optional(anyURI(attribute)) }
const subscribable = { subscribable: optional(UInt8(attribute)) }
export const SubscribableResource = { ...Resource, ...subscribable }
export const RespondableResource = { ...Resource, replyTo: optional(anyURI(attribute)), responseRequired: optional(HexBinary8(attribute)) }
const identified = { mRID: mRIDType({ description: 'Unique for ever; the low 32 bits are the maker’s PEN.' }), description: optional(String32()), version: optional(VersionType()) }
export const IdentifiedObject = { ...Resource, ...identified }
export const SubscribableIdentifiedObject = { ...SubscribableResource, ...identified }
export const RespondableSubscribableIdentifiedObject = { ...RespondableResource, ...subscribable, ...identified }
export const pollRate = { pollRate: optional(UInt32({ ...attribute, description: 'Seconds a client should wait between two reads.' })) }

export const Link = sequence({ href: anyURI(attribute) })
export const ListLink = sequence({ href: anyURI(attribute), all: optional(UInt32(attribute)) })

export interface ListForm {
  readonly href?: string
  readonly methods?: readonly Method[]
  readonly subscribable?: boolean
  readonly pollRate?: boolean
  /** How a member is written where that is not as the item itself. */
  readonly member?: TSchema
  /** When the list's name is not its member's name + List. */
  readonly name?: string
}

/** A list of described things: `all` and `results` always, the rest as its type has it (SEP-050). */
export function listOf<D extends Description>(item: D, clause: string, form: ListForm = {}): Description {
  const properties = {
    ...Resource,
    ...(form.subscribable ? subscribable : {}),
    all: UInt32(attribute),
    results: UInt32(attribute),
    ...(form.pollRate ? pollRate : {}),
    [item.name]: optional(Type.Array(form.member ?? item.schema)),
  }
  return resource(form.name ?? `${item.name}List`, clause, sequence(properties), {
    ...(form.href === undefined ? {} : { href: form.href }), methods: form.methods ?? ['GET', 'HEAD'], lists: { member: item.name, item },
  })
}

/** What a client may do, in the words of facts/methods.csv; HEAD goes with GET (SEP-031). */
export const may = (...methods: Method[]): Method[] => methods.includes('GET') ? [...methods, 'HEAD'] : methods
