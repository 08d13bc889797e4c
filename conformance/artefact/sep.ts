import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TSchema } from 'typebox'
import type { Resource } from '#core/describe/resource.js'
import { parseXml, type XmlElement } from '#core/describe/xml.js'

/** Types of the 2030.5 schema: their children in order, those of their base types first. */
export type Types = Readonly<Record<string, { readonly elements: readonly { readonly name: string; readonly min: number }[] }>>
type Node = TSchema & { properties?: Record<string, Node & { xml?: { attribute?: boolean; prefix?: string } }>; required?: string[] }

/** From the published schema (`.xsd`), or from facts in JSON: `{types: {NAME: {elements: [{name, min}]}}}`. */
export function readTypes(file: string): Types {
  const text = readFileSync(file, 'utf8')
  if (!text.trimStart().startsWith('<')) return (JSON.parse(text) as { types: Types }).types
  return xsdTypes(parseXml(text, { maxElements: 1_000_000 }))
}

const child = (element: XmlElement | undefined, ...names: readonly string[]): XmlElement | undefined => element?.children.find((c) => names.includes(c.name))
const attribute = (element: XmlElement | undefined, name: string): string | undefined => (element?.attributes as Readonly<Record<string, { value: string }>> | undefined)?.[name]?.value
const local = (name: string): string => name.replace(/^.*:/, '')

function xsdTypes(schema: XmlElement): Types {
  if (schema.name !== 'schema') throw new Error(`the root is ${schema.name}, not schema`)
  const complex = new Map(schema.children.filter((c) => c.name === 'complexType').map((c) => [attribute(c, 'name') ?? '', c]))
  const elementsOf = (name: string, seen: readonly string[]): { name: string; min: number }[] => {
    const type = complex.get(name), extension = child(child(type, 'complexContent', 'simpleContent'), 'extension', 'restriction')
    if (!type || seen.includes(name)) return []
    return [...elementsOf(local(attribute(extension, 'base') ?? ''), [...seen, name]), ...particles(child(extension ?? type, 'sequence', 'all', 'choice'), 1)]
  }
  return Object.fromEntries([...complex.keys()].map((name) => [name, { elements: elementsOf(name, []) }]))
}

/** What stands in a group, nested groups and all; a member of a choice need not be there. */
function particles(group: XmlElement | undefined, least: number): { name: string; min: number }[] {
  const floor = group?.name === 'choice' || attribute(group, 'minOccurs') === '0' ? 0 : least
  return (group?.children ?? []).flatMap((one) => {
    if (one.name !== 'element') return ['sequence', 'choice', 'all'].includes(one.name) ? particles(one, floor) : []
    return [{ name: local(attribute(one, 'name') ?? attribute(one, 'ref') ?? ''), min: Math.min(floor, Number(attribute(one, 'minOccurs') ?? 1)) }]
  })
}

/**
 * Every resource that a wire file of the 2030.5 server describes, found by reading its folder: a new one is compared without anybody's doing. Files of CSIP-AUS are
 * left out: its schema redefines types of the base.
 */
export async function describedResources(): Promise<Resource[]> {
  const folder = dirname(fileURLToPath(import.meta.resolve('#csip-server/wire/base.js')))
  const files = readdirSync(folder).filter((f) => /\.[jt]s$/.test(f) && !/\.test\.|-aus\.|\.d\.ts$/.test(f)).toSorted()
  const modules = await Promise.all(files.map((f) => import(`#csip-server/wire/${basename(join(folder, f)).replace(/\.[jt]s$/, '')}.js`) as Promise<Record<string, unknown>>))
  const found = modules.flatMap((m) => Object.values(m)).filter((v): v is Resource => typeof v === 'object' && v !== null && 'schema' in v && 'name' in v && 'href' in v)
  return [...new Set(found)]
}

/** Children in order, and which must be there; those of another namespace (CSIP-AUS) are not in that schema. */
export function sepDifferences(resources: readonly Resource[], types: Types): { compared: number; differences: string[] } {
  const known = resources.filter((r) => types[r.name] !== undefined)
  const differences = known.flatMap((r) => {
    const schema = r.schema as Node, theirs = types[r.name]?.elements ?? []
    const mine = Object.entries(schema.properties ?? {}).filter(([, p]) => !p.xml?.attribute && !p.xml?.prefix).map(([name]) => name)
    const mustHere = mine.filter((name) => schema.required?.includes(name)), mustThere = theirs.filter((e) => e.min > 0).map((e) => e.name)
    return [
      ...(mine.join() === theirs.map((e) => e.name).join() ? [] : [`${r.name}: here ${mine.join(' ')}; there ${theirs.map((e) => e.name).join(' ')}`]),
      ...mustThere.filter((name) => mine.includes(name) && !mustHere.includes(name)).map((name) => `${r.name}.${name}: must be there, need not here`),
      ...mustHere.filter((name) => theirs.some((e) => e.name === name) && !mustThere.includes(name)).map((name) => `${r.name}.${name}: must be here, need not there`),
    ]
  })
  return { compared: known.length, differences }
}
