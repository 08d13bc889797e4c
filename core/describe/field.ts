import Type, { type TSchema } from 'typebox'

/**
 * Fields are TypeBox schemas: one value gives the TypeScript type, the JSON Schema and, with the extra members below, the XML form.
 * Object members are written in the order they are described (XSD order where the standard has one).
 */
export interface XmlForm {
  /** Written as an attribute of its parent element. */
  readonly attribute?: boolean
  /** Namespace prefix of the child element, from the writer's `prefixes`; unset = the root's namespace. */
  readonly prefix?: string
  /** Lexical form beyond the JSON type: 'hex' is upper case on output and any case on input. */
  readonly lexical?: 'hex' | 'int64'
  /** This member is the element's own text. */
  readonly text?: boolean
  /** The element may be another described type: written with xsi:type = the value's `type` member. */
  readonly substitutes?: Readonly<Record<string, TSchema>>
}

/** Options every field takes: what it means in our own words, and how XML writes it. */
export interface FieldOptions {
  readonly description?: string
  readonly xml?: XmlForm
}

export const text = (max: number, options: FieldOptions & { minLength?: number; pattern?: string } = {}) =>
  Type.String({ maxLength: max, ...options })
export const hexBinary = (bytes: number, options: FieldOptions = {}) =>
  Type.String({ ...options, pattern: `^([0-9A-Fa-f]{2}){0,${bytes}}$`, xml: { ...options.xml, lexical: 'hex' } })
export const integer = (minimum: number, maximum: number, options: FieldOptions = {}) => Type.Integer({ minimum, maximum, ...options })
/** All 64 bits without loss: a number where JSON has it exactly, else its decimal digits. */
export const int64 = (options: FieldOptions = {}) => Type.Unsafe<number>({
  type: ['integer', 'string'], minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, pattern: '^-?[0-9]{16,19}$', ...options, xml: { ...options.xml, lexical: 'int64' },
})
export const boolean = (options: FieldOptions = {}) => Type.Boolean({ ...options })
export const number = (options: FieldOptions & { minimum?: number; maximum?: number } = {}) => Type.Number({ ...options })
export const dateTime = (options: FieldOptions = {}) => Type.String({ format: 'date-time', ...options })
export const isoDuration = (options: FieldOptions = {}) => Type.String({ format: 'iso-duration', ...options })
export const attribute = { xml: { attribute: true } } as const
