import { Type, type TProperties, type TSchema } from 'typebox'

/** A body or query: fields that are not ours are refused, never stored (SEC-032). */
export const closed = <P extends TProperties>(properties: P, options: object = {}) => Type.Object(properties, { additionalProperties: false, ...options })

export const name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })
export const text = Type.String({ maxLength: 2000 })
export const reference = Type.String({ minLength: 1, maxLength: 200, description: 'id or unique name' })
export const time = Type.String({ minLength: 10, maxLength: 40, description: 'RFC 3339; without an offset it is local time of the program' })
/** Decimal as text; a number is taken as the text that it was written as. */
export const decimal = Type.Union([Type.String({ pattern: '^-?\\d{1,15}(\\.\\d{1,12})?$' }), Type.Number()])
export const kW = Type.Number({ minimum: 0, maximum: 1e9 })
export const version = Type.Optional(Type.Integer({ minimum: 1, description: 'the version that is meant to be changed; a stale one answers 412' }))
export const free = Type.Record(Type.String(), Type.Unknown())

const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
}
export const page = <P extends TProperties>(properties: P) => closed({ ...properties, ...paging })
export const filter = Type.Optional(Type.String({ maxLength: 200 }))
/** One, or an array that is created all or none. `if` instead of a union: the faults that are named are those of the form that was sent. */
// eslint-disable-next-line unicorn/no-thenable
export const oneOrMany = (one: TSchema): TSchema => Type.Unsafe({ if: { type: 'array' }, then: Type.Array(one, { minItems: 1, maxItems: 10_000 }), else: one })
