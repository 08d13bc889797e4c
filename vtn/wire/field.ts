import { Type, type TSchema } from 'typebox'

/** Scalars and small parts that several OpenADR objects share (openadr3.md §4, §5). Names are the YAML's. */
const options = (description: string) => ({ description })

/** Nullable exactly where the YAML says `nullable: true` (OA-056). */
export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

export const name = (description: string) => Type.String({ minLength: 1, maxLength: 128, ...options(description) })
export const objectID = Type.String({ pattern: '^[a-zA-Z0-9_-]*$', minLength: 1, maxLength: 128, description: 'Identifier that the VTN assigns.' })
export const clientID = name('Client that owns the object, from its token.')
export const target = name('Group name that opens an object to the VENs that carry it.')
export const targets = nullable(Type.Array(target, { description: 'Who may see the object; none = everybody.' }))

/** RFC 3339, or one of the three spellings of "now" in year 0001 (openadr3.md §4); checked by `door-check.ts`, not by ajv-formats. */
export const dateTime = (description: string) => Type.String({ format: 'date-time', description })
export const duration = (description: string) => Type.String({
  format: 'iso-duration',
  pattern: '^(-?)P(?=\\d|T\\d)(?:(\\d+)Y)?(?:(\\d+)M)?(?:(\\d+)([DW]))?(?:T(?:(\\d+)H)?(?:(\\d+)M)?(?:(\\d+(?:\\.\\d+)?)S)?)?$',
  description,
})
export const int32 = (description: string) => Type.Integer({ minimum: -2147483648, maximum: 2147483647, description })
export const uri = (description: string) => Type.String({ format: 'uri', minLength: 2, maxLength: 8000, description })

export const point = Type.Object({ x: Type.Number(), y: Type.Number() }, options('A point of a curve.'))
export const valuesMap = Type.Object({
  type: name('What the values mean: a name of the enumerations or a private string.'),
  values: Type.Array(Type.Union([Type.Number(), Type.String(), Type.Boolean(), point]), options('One or more values.')),
}, options('A named list of values.'))
export const attributes = nullable(Type.Array(valuesMap, options('Properties beyond the described ones.')))

export const intervalPeriod = Type.Object({
  start: Type.Optional(dateTime('When it begins; year 0001 means now or directly after the one before.')),
  duration: Type.Optional(duration('How long it lasts; P9999Y is without end.')),
  randomizeStart: Type.Optional(duration('Largest random shift of the start, drawn by the VEN.')),
}, options('Default or own place in time.'))

export const interval = Type.Object({
  id: int32('Number chosen by the client, not a sequence number.'),
  intervalPeriod: Type.Optional(intervalPeriod),
  payloads: Type.Array(valuesMap, options('What holds in this interval.')),
}, options('One step of an event or report.'))

const units = nullable(name('Unit, e.g. KWH.'))
const readingType = nullable(name('How the value was read, e.g. DIRECT_READ.'))

export const eventPayloadDescriptor = Type.Object({
  objectType: Type.Literal('EVENT_PAYLOAD_DESCRIPTOR'),
  payloadType: name('Payload type that this describes.'),
  units: Type.Optional(units),
  currency: Type.Optional(nullable(Type.String(options('ISO 4217.')))),
}, options('Context of an event payload.'))

export const reportPayloadDescriptor = Type.Object({
  objectType: Type.Literal('REPORT_PAYLOAD_DESCRIPTOR'),
  payloadType: name('Payload type that this describes.'),
  readingType: Type.Optional(readingType),
  units: Type.Optional(units),
  accuracy: Type.Optional(nullable(Type.Number(options('Quantified deviation.')))),
  confidence: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 100, description: 'Likelihood in percent.' }))),
}, options('Context of a report payload.'))

export const reportDescriptor = Type.Object({
  payloadType: name('What to report.'),
  readingType: Type.Optional(readingType),
  units: Type.Optional(units),
  targets: Type.Optional(targets),
  aggregate: Type.Optional(Type.Boolean(options('One summed entry named AGGREGATED_REPORT.'))),
  startInterval: Type.Optional(int32('Interval on which a report is made; -1 = the last.')),
  numIntervals: Type.Optional(int32('Intervals in a report; -1 = all.')),
  historical: Type.Optional(Type.Boolean(options('Past values, or a forecast.'))),
  frequency: Type.Optional(int32('Intervals between reports; -1 = numIntervals, 0 = ad hoc.')),
  repeat: Type.Optional(int32('How many reports; -1 = without end.')),
  reportIntervals: Type.Optional(Type.Enum(['INTERVALS', 'SUB_INTERVALS', 'OPEN_INTERVALS'], options('Which intervals a report has.'))),
}, options('A report that the event asks for.'))

export const objectTypes = ['PROGRAM', 'EVENT', 'REPORT', 'SUBSCRIPTION', 'VEN', 'RESOURCE'] as const
export type ObjectType = (typeof objectTypes)[number]

/** OA-051: the VTN writes these, whatever a client sends. */
export const objectMetadata = {
  id: objectID,
  createdDateTime: dateTime('When the object was made.'),
  modificationDateTime: dateTime('When it last changed.'),
}
