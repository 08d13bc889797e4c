import type { Static, TSchema } from 'typebox'
import { compile, makeAjv, type Check } from '#core/describe/json-schema.js'
import { Refusal, type Fault } from '#core/error.js'
import { inWords } from '#vtn/door-words.js'
import { inUtc, isDateTime } from '#vtn/wire/date-time.js'
import { exactly } from '#vtn/wire/literal.js'

type Node = TSchema & { type?: string; properties?: Record<string, Node>; required?: string[]; items?: Node; anyOf?: Node[]; const?: unknown; format?: string }

const speaks = (ajv: ReturnType<typeof makeAjv>): typeof ajv => ajv.addFormat('date-time', isDateTime)

/** Beyond this many characters only the first failing member is named, so that a hostile body stays cheap to refuse (SEC-041). */
const allFaultsBelow = 64 * 1024

interface Compiled { readonly first: () => Check<unknown>; readonly all: () => Check<unknown> }

/** Several doors share a description's checks, each compiled when it is first needed: start-up does not wait for what may never be asked. */
const known = new WeakMap<TSchema, Compiled>()

function compiled(schema: TSchema): Compiled {
  const once = (allErrors: boolean): (() => Check<unknown>) => {
    let check: Check<unknown> | undefined
    return () => check ??= compile(schema, speaks(makeAjv({ allErrors })))
  }
  const made = known.get(schema) ?? { first: once(false), all: once(true) }
  known.set(schema, made)
  return made
}

/**
 * Compiles a description into the door's check: OA-055 names the failing members, OA-009 drops what is not described,
 * so that nothing unknown (`__proto__`, `id`, `role`) reaches the store (SEC-032). `exact` is the body's `exactTwin` (OA-070).
 */
export function doorCheck<S extends TSchema>(schema: S, { lenientNulls = false } = {}): (value: unknown, size?: number, exact?: unknown) => Static<S> {
  const { first, all } = compiled(schema)
  return (given, size = 0, exact = undefined) => {
    const value = lenientNulls ? withoutNulls(schema as Node, given) : given
    const checked = first()(value)
    if (!checked.ok) {
      const full = size < allFaultsBelow ? all()(value) : checked
      throw refused(formFaults(schema as Node, value) ?? (full.ok ? checked.faults : full.faults))
    }
    const faults: Fault[] = []
    const kept = keep(schema as Node, checked.value, exact, '', faults)
    if (faults.length) throw refused(faults)
    return kept as Static<S>
  }
}

function refused(found: readonly Fault[]): Refusal {
  const faults = inWords(found)
  return new Refusal('invalid', faults.slice(0, 10).map((f) => `${f.path} ${f.reason}`).join('; '), { faults })
}

/** A body of several forms (ven, resource): which form is meant, or what is wrong with the one that it says it is. */
function formFaults(schema: Node, value: unknown): readonly Fault[] | undefined {
  const names = schema.anyOf?.map((form) => form.properties?.['objectType']?.const)
  if (!names?.every((name) => typeof name === 'string') || typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const form = schema.anyOf?.[names.indexOf((value as Record<string, unknown>)['objectType'] as string)]
  if (!form) return [{ path: '/objectType', reason: `must be ${names.join(' or ')}` }]
  const checked = compiled(form).all()(value)
  return checked.ok ? undefined : checked.faults
}

// eslint-disable-next-line no-control-regex
export const unstorable = /\u0000|\p{Cs}/u

/** A copy with the described members only. PostgreSQL cannot hold U+0000 and lone surrogates, so they are refused here. */
function keep(node: Node, value: unknown, exact: unknown, path: string, faults: Fault[]): unknown {
  if (value === null) return null
  if (typeof value === 'string') {
    if (unstorable.test(value)) faults.push({ path: path || '/', reason: 'has a character that cannot be stored' })
    return formatOf(node) === 'date-time' ? inUtc(value) : value
  }
  // `1e999` is JSON and becomes Infinity, which is not.
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) faults.push({ path: path || '/', reason: 'is too large a number' })
    return exact !== undefined && isMeasure(node) ? exactly(value, exact) : value
  }
  if (typeof value !== 'object') return value
  const form = node.anyOf ? formFor(node.anyOf, value) : node
  if (Array.isArray(value)) return value.map((item, i) => keep(form?.items ?? {}, item, within(exact, i), `${path}/${i}`, faults))
  const out: Record<string, unknown> = {}
  for (const [member, field] of Object.entries(form?.properties ?? {})) {
    const given = (value as Record<string, unknown>)[member]
    if (given !== undefined && Object.hasOwn(value, member)) out[member] = keep(field, given, within(exact, member), `${path}/${member}`, faults)
  }
  return out
}

/** Values and accuracies are somebody's measurement; what we count with (ids, priorities, positions) is described as an integer. */
const isMeasure = (node: Node): boolean => node.type === 'number' || node.anyOf?.some(isMeasure) === true
const within = (exact: unknown, member: string | number): unknown => (typeof exact === 'object' && exact !== null ? (exact as Record<string | number, unknown>)[member] : undefined)

const nullable = (node: Node): boolean => node.type === 'null' || node.anyOf?.some(nullable) === true

/** Clients that print every member they know send null for "absent"; where OA-056 has no null, it is left out. */
function withoutNulls(node: Node, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const form = node.anyOf ? formFor(node.anyOf, value) : node
  if (Array.isArray(value)) return value.map((item) => withoutNulls(form?.items ?? {}, item))
  return Object.fromEntries(Object.entries(value).flatMap(([member, given]) => {
    const field = form?.properties?.[member]
    if (given === null && field && !nullable(field) && !form?.required?.includes(member)) return []
    return [[member, field ? withoutNulls(field, given) : given]]
  }))
}

const formatOf = (node: Node): string | undefined => node.format ?? node.anyOf?.find((option) => option.format)?.format

/** The option of a union that a value takes: its constant members (the discriminator) must fit; among several, the one that knows most members. */
function formFor(options: readonly Node[], value: object): Node | undefined {
  if (Array.isArray(value)) return options.find((o) => o.type === 'array')
  const given = value as Record<string, unknown>
  const fits = options.filter((o) => o.type === 'object' && Object.entries(o.properties ?? {}).every(([member, field]) =>
    field.const === undefined || (given[member] === undefined ? !o.required?.includes(member) : field.const === given[member])))
  const known = (o: Node): number => Object.keys(given).filter((member) => o.properties?.[member]).length
  return fits.sort((a, b) => known(b) - known(a))[0]
}
