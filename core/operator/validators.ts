import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

type Validate = ((data: unknown) => boolean) & { errors?: ValidateFunction['errors'] }

/** Compiles at the first request: some two hundred schemas at once were a fifth of the server's start. */
function atFirstUse(ajv: Ajv, schema: object): Validate {
  let compiled: ValidateFunction | undefined
  const validate: Validate = (data) => {
    compiled ??= ajv.compile(schema)
    const ok = compiled(data)
    validate.errors = compiled.errors
    return ok
  }
  return validate
}

/** Query texts become numbers and booleans; bodies stay what they are. Every fault is named, up to a bound. */
export function validators(): (route: { schema: object; httpPart?: string }) => Validate {
  const make = (coerceTypes: boolean | 'array'): Ajv => {
    const ajv = new Ajv({ strict: false, allErrors: true, useDefaults: true, coerceTypes, removeAdditional: false })
    ;(formats as unknown as (a: Ajv) => void)(ajv)
    return ajv
  }
  const body = make(false), rest = make('array')
  return ({ schema, httpPart }) => atFirstUse(httpPart === 'body' ? body : rest, schema)
}
