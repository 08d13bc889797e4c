import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { Static, TSchema } from 'typebox'
import type { Fault } from '#core/error.js'

/** ISO 8601 durations as OpenADR writes them, sign and endless `P9999Y` included. */
const isoDuration = /^[-+]?P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/

/** One ajv for descriptions; it ignores our own members (`xml`) and never coerces. */
export function makeAjv(options: { allErrors?: boolean } = {}): Ajv {
  const ajv = new Ajv({ allErrors: options.allErrors ?? true, strict: false, validateFormats: true, ownProperties: true })
  ;(addFormats as unknown as (a: Ajv) => void)(ajv)
  ajv.addFormat('iso-duration', isoDuration)
  return ajv
}

export type Check<T> = (value: unknown) => { ok: true; value: T } | { ok: false; faults: Fault[] }

/** Compiles a description once; the check names every failing member, capped so that an attack cannot make it long. */
export function compile<S extends TSchema>(schema: S, ajv: Ajv = makeAjv()): Check<Static<S>> {
  const validate = ajv.compile(schema) as ValidateFunction
  return (value) => validate(value)
    ? { ok: true, value: value as Static<S> }
    : { ok: false, faults: faultsOf(validate.errors ?? []) }
}

export const faultsOf = (errors: readonly ErrorObject[]): Fault[] =>
  errors.slice(0, 50).map((e) => ({ path: pathOf(e), reason: reasonOf(e) }))

const pathOf = (e: ErrorObject): string => e.keyword === 'required'
  ? `${e.instancePath}/${(e.params as { missingProperty: string }).missingProperty}`
  : e.keyword === 'additionalProperties' ? `${e.instancePath}/${(e.params as { additionalProperty: string }).additionalProperty}` : e.instancePath || '/'

const reasonOf = (e: ErrorObject): string => {
  if (e.keyword === 'required') return 'is required'
  if (e.keyword === 'additionalProperties') return 'is not known here'
  if (e.keyword === 'enum') return `must be one of ${(e.params as { allowedValues: unknown[] }).allowedValues.slice(0, 40).join(', ')}`
  if (e.keyword === 'const') return `must be ${String((e.params as { allowedValue: unknown }).allowedValue)}`
  return e.message ?? e.keyword
}
