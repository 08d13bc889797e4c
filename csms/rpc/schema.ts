import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Code } from './error-code.js'
import type { Version } from './version.js'

/** The official JSON Schemas, carried by an npm package as data (OCPP §20). They are the payload descriptions. */
const files: Record<Version, string> = { '1.6': 'ocpp1_6.json', '2.0.1': 'ocpp2_0_1.json', '2.1': 'ocpp2_1.json' }

/**
 * OCPP-072: RFC 3339 with up to nanoseconds; a missing zone is taken as UTC. The calendar is checked, as `Date.parse`
 * would let 31 February roll over.
 */
const stamp = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:?\d{2})?$/
export function isDateTime(text: string): boolean {
  const m = stamp.exec(text)
  if (!m) return false
  const month = Number(m[2]), day = Number(m[3])
  if (month < 1 || month > 12 || day < 1 || day > 31 || Number(m[4]) > 23 || Number(m[5]) > 59 || Number(m[6]) > 60) return false
  return day <= 28 || day <= new Date(Date.UTC(Number(m[1]), month, 0)).getUTCDate()
}

/** OCPP-058: which constraint class a schema keyword belongs to. One table. */
const classOf: Record<string, Code> = {
  required: 'OccurrenceConstraintViolation', minItems: 'OccurrenceConstraintViolation', maxItems: 'OccurrenceConstraintViolation',
  type: 'TypeConstraintViolation', additionalProperties: 'FormatViolation',
}

export interface Violation {
  readonly code: Code
  /** Where and which rule; never a value of the payload (OCPP-061). */
  readonly description: string
}

/** The rule in words. What it names is the schema's own: never a value, nor a name that only the payload has. */
function ruleOf({ keyword, params }: ErrorObject): string {
  const { missingProperty, allowedValues, type, limit, format } = params as { missingProperty?: string; allowedValues?: readonly unknown[]; type?: string; limit?: number; format?: string }
  switch (keyword) {
    case 'required': return `lacks '${missingProperty}'`
    case 'enum': return `is none of ${allowedValues?.join(', ').slice(0, 80)}`
    case 'type': return `is not of type ${type}`
    case 'additionalProperties': return 'has a member that is not in the schema'
    case 'maxLength': return `is longer than ${limit}`
    case 'minLength': return `is shorter than ${limit}`
    case 'maxItems': return `has more than ${limit} elements`
    case 'minItems': return `has fewer than ${limit} elements`
    case 'maximum': return `is above ${limit}`
    case 'minimum': return `is below ${limit}`
    case 'format': return `is not a ${format}`
    default: return `violates '${keyword}'`
  }
}

const violationOf = (error: ErrorObject | undefined): Violation => ({
  code: classOf[error?.keyword ?? ''] ?? 'PropertyConstraintViolation',
  description: error ? `${(error.instancePath || '/').slice(0, 160)} ${ruleOf(error)}` : 'violates the schema',
})

export type Direction = 'request' | 'response'

/** The schemas of one version, each compiled once, on first use or by `warm`. */
export class Schemas {
  readonly #sources = new Map<string, object>()
  readonly #compiled = new Map<string, ValidateFunction>()
  readonly #ajv: Ajv

  constructor(version: Version) {
    this.#ajv = new Ajv({
      strict: false, allErrors: false, messages: false, multipleOfPrecision: 6, addUsedSchema: false,
      formats: { 'date-time': isDateTime, uri: (text: string) => URL.canParse(text) },
    })
    const resolved = createRequire(import.meta.url).resolve('ocpp-rpc')
    const list = JSON.parse(readFileSync(new URL(`lib/schemas/${files[version]}`, `file://${resolved}`), 'utf8')) as Record<string, unknown>[]
    for (const { $id, $schema: _, ...schema } of list) {
      // `urn:Authorize.req`, `urn:AuthorizeRequest` and, for the one SEND, `urn:NotifyPeriodicEventStream`: Ajv refuses all as URI.
      const name = String($id).slice(4)
      const action = name.replace(/(\.req|\.conf|Request|Response)$/, '')
      this.#sources.set(`${action} ${/(\.conf|Response)$/.test(name) ? 'response' : 'request'}`, schema)
    }
  }

  has(action: string, direction: Direction): boolean {
    return this.#sources.has(`${action} ${direction}`)
  }

  schema(action: string, direction: Direction): object | undefined {
    return this.#sources.get(`${action} ${direction}`)
  }

  actions(): string[] {
    return [...this.#sources.keys()].filter((key) => key.endsWith(' request')).map((key) => key.slice(0, -8))
  }

  /** What is wrong with a payload, or undefined. An action without schema is the caller's mistake. */
  check(action: string, direction: Direction, payload: unknown): Violation | undefined {
    if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) {
      return { code: 'FormatViolation', description: 'the payload is not an object' }
    }
    const validate = this.#validator(`${action} ${direction}`)
    return validate(payload) ? undefined : violationOf(validate.errors?.[0])
  }

  /** Compiles everything, one schema a turn of the event loop, so that no first message waits (OCPP §19). */
  async warm(goOn: () => boolean = () => true): Promise<void> {
    for (const key of this.#sources.keys()) {
      if (!goOn()) return
      this.#validator(key)
      await new Promise((turn) => setImmediate(turn))
    }
  }

  #validator(key: string): ValidateFunction {
    let validate = this.#compiled.get(key)
    if (!validate) {
      const source = this.#sources.get(key)
      if (!source) throw new Error(`no schema for ${key}`)
      this.#compiled.set(key, validate = this.#ajv.compile(source))
    }
    return validate
  }
}

const loaded = new Map<Version, Schemas>()

/** The schemas of a version, read once per process. */
export function schemasOf(version: Version): Schemas {
  let schemas = loaded.get(version)
  if (!schemas) loaded.set(version, schemas = new Schemas(version))
  return schemas
}
