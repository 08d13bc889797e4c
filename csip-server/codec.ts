import type { TSchema } from 'typebox'
import { compile, makeAjv, type Check } from '#core/describe/json-schema.js'
import type { Resource } from '#core/describe/resource.js'
import { fromXml, parseXml, type XmlElement } from '#core/describe/xml.js'
import { xmlWriter } from '#core/describe/xml-writer.js'
import { Refusal } from '#core/error.js'
import type { Profile } from '#csip-server/config.js'
import { modernize, namespace2013, old, schema2013 } from '#csip-server/edition-2013.js'
import type { Value } from '#csip-server/served.js'

export const namespace2018 = 'urn:ieee:std:2030.5:ns'
export const csipausNamespace = (profile: Profile): string => profile === 'csip-aus-1.3' ? 'https://csipaus.org/ns/v1.3' : 'https://csipaus.org/ns'
const ours: ReadonlySet<string> = new Set([namespace2018, namespace2013, 'https://csipaus.org/ns', 'https://csipaus.org/ns/v1.3'])

export interface Codec {
  write(resource: Resource, value: Value, edition?: 2013): Buffer
  /** The value of the one of `expected` whose name the root has; throws `invalid`. Links named in `ours` are printed by the server and may be left out, required or not. */
  read(body: Buffer, expected: readonly Resource[], ours?: readonly string[]): { root: string; value: Value }
}

/** Writers and checks are compiled once per description, when first needed. */
export function makeCodec(profile: Profile, strictSchema = false): Codec {
  const ajv = makeAjv({ allErrors: false })
  const writers = new Map<TSchema, (value: unknown) => string>()
  const checks = new Map<TSchema, Check<unknown>>()
  const writerOf = (r: Resource) => {
    let found = writers.get(r.schema)
    if (!found) writers.set(r.schema, found = xmlWriter(r.name, r.schema, { namespace: namespace2018, prefixes: { csipaus: csipausNamespace(profile) } }))
    return found
  }
  const writers2013 = new Map<TSchema, (value: unknown) => string>()
  const writer2013Of = (r: Resource) => {
    let found = writers2013.get(r.schema)
    if (!found) writers2013.set(r.schema, found = xmlWriter(r.name, schema2013(r.schema, r.name), { namespace: namespace2013, prefixes: { csipaus: csipausNamespace(profile) } }))
    return found
  }
  const checkOf = (r: Resource) => {
    let found = checks.get(r.schema)
    if (!found) checks.set(r.schema, found = compile(r.schema, ajv))
    return found
  }
  return {
    write: (resource, value, edition) => edition === 2013 ? Buffer.from(writer2013Of(resource)(old(value, resource.name))) : Buffer.from(writerOf(resource)(value)),
    read(body, expected, links = []) {
      const element = profile === 'csip-aus-1.2' ? older(rootOf(body)) : rootOf(body)
      const resource = expected.find((r) => r.name === element.name)
      if (!resource) throw new Refusal('invalid', `A <${element.name.slice(0, 40)}> is not taken here.`)
      if (strictSchema) inOrder(element, resource.schema)
      const value = fromXml(element, resource.schema, ours) as Value
      for (const link of links) if (value[link] === undefined && Object.hasOwn((resource.schema as Node).properties ?? {}, link)) value[link] = { href: '' }
      const result = checkOf(resource)(value)
      // SEP-026: a missing child or a wrong lexical form is a format error, a value out of range a value error; both are 400.
      if (!result.ok) throw new Refusal('invalid', 'The document does not have the form of its type.', { faults: result.faults.some((f) => f.reason !== 'is required') ? result.faults : [] })
      return { root: element.name, value: result.value as Value }
    },
  }
}

/** SEP-241: children that CSIP-AUS has only since 1.3; to a 1.2 server they are unknown, and unknown elements are ignored (SEP-026). */
const since13: ReadonlySet<string> = new Set(['opModStorageTargetW', 'vppModesSupported', 'vppModesEnabled', 'setMinWh'])
const older = (element: XmlElement): XmlElement => ({ ...element, children: element.children.filter((c) => !since13.has(c.name)).map(older) })

/** SEP-035: both editions' namespaces are read; a root in any other is refused. */
function rootOf(body: Buffer): XmlElement {
  const element = parseXml(body)
  if (!ours.has(element.uri)) throw new Refusal('invalid', 'The root element is not in the IEEE 2030.5 namespace.')
  return element.uri === namespace2013 ? modernize(element) : element
}

type Node = TSchema & { type?: string; properties?: Record<string, Node>; items?: Node; xml?: { attribute?: boolean } }

/** SEP-026 `strictSchema`: unknown elements and attributes, repeated single children and any order but the schema's are refused. */
function inOrder(element: XmlElement, schema: TSchema): void {
  const fields = (schema as Node).properties
  if (!fields) return
  const names = Object.keys(fields).filter((n) => !fields[n]?.xml?.attribute)
  let at = 0, before = ''
  for (const attribute of Object.keys(element.attributes)) if (!fields[attribute]?.xml?.attribute && !attribute.startsWith('xsi:')) throw strictly(element.name)
  for (const child of element.children) {
    const place = names.indexOf(child.name), field = fields[child.name]
    if (!ours.has(child.uri) || place < 0 || place < at || !field || (child.name === before && field.type !== 'array')) throw strictly(element.name)
    at = place
    before = child.name
    inOrder(child, field.type === 'array' ? field.items as Node : field)
  }
}
const strictly = (name: string): Refusal => new Refusal('invalid', `<${name.slice(0, 40)}> is not as the schema has it, and strictSchema is on.`)
