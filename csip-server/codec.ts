import type { TSchema } from 'typebox'
import { compile, makeAjv, type Check } from '#core/describe/json-schema.js'
import type { Resource } from '#core/describe/resource.js'
import { fromXml, parseXml, xmlWriter, type XmlElement } from '#core/describe/xml.js'
import { Refusal } from '#core/error.js'
import type { Profile } from '#csip-server/config.js'
import { modernize, namespace2013 } from '#csip-server/edition-2013.js'
import type { Value } from '#csip-server/served.js'

export const namespace2018 = 'urn:ieee:std:2030.5:ns'
export const csipausNamespace = (profile: Profile): string => profile === 'csip-aus-1.3' ? 'https://csipaus.org/ns/v1.3' : 'https://csipaus.org/ns'
const ours: ReadonlySet<string> = new Set([namespace2018, namespace2013, 'https://csipaus.org/ns', 'https://csipaus.org/ns/v1.3'])

export interface Codec {
  write(resource: Resource, value: Value): Buffer
  /** The value of the one of `expected` whose name the root has; throws `invalid`. */
  read(body: Buffer, expected: readonly Resource[]): { root: string; value: Value }
}

/** Writers and checks are compiled once per description, when first needed. */
export function makeCodec(profile: Profile): Codec {
  const ajv = makeAjv({ allErrors: false })
  const writers = new Map<TSchema, (value: unknown) => string>()
  const checks = new Map<TSchema, Check<unknown>>()
  const writerOf = (r: Resource) => {
    let found = writers.get(r.schema)
    if (!found) writers.set(r.schema, found = xmlWriter(r.name, r.schema, { namespace: namespace2018, prefixes: { csipaus: csipausNamespace(profile) } }))
    return found
  }
  const checkOf = (r: Resource) => {
    let found = checks.get(r.schema)
    if (!found) checks.set(r.schema, found = compile(r.schema, ajv))
    return found
  }
  return {
    write: (resource, value) => Buffer.from(writerOf(resource)(value)),
    read(body, expected) {
      const element = rootOf(body)
      const resource = expected.find((r) => r.name === element.name)
      if (!resource) throw new Refusal('invalid', `A <${element.name.slice(0, 40)}> is not taken here.`)
      const value = fromXml(element, resource.schema, ours)
      const result = checkOf(resource)(value)
      // SEP-026: a missing child or a wrong lexical form is a format error, a value out of range a value error; both are 400.
      if (!result.ok) throw new Refusal('invalid', 'The document does not have the form of its type.', { faults: result.faults.some((f) => f.reason !== 'is required') ? result.faults : [] })
      return { root: element.name, value: result.value as Value }
    },
  }
}

/** SEP-035: both editions' namespaces are read; a root in any other is refused. */
function rootOf(body: Buffer): XmlElement {
  const element = parseXml(body)
  if (!ours.has(element.uri)) throw new Refusal('invalid', 'The root element is not in the IEEE 2030.5 namespace.')
  return element.uri === namespace2013 ? modernize(element) : element
}
