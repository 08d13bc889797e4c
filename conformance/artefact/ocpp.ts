import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'

type Schema = Readonly<Record<string, unknown>>
export type ByName = ReadonlyMap<string, Schema>
export const versions = ['1.6', '2.0.1', '2.1'] as const
export type Version = typeof versions[number]

/** `BootNotificationRequest` for every way in which such a schema is called: by id, by file name, request without a word in 1.6. */
function nameOf(schema: Schema, file?: string): string {
  const id = String(schema['$id'] ?? schema['id'] ?? '')
  const word = /^urn:(?:.*:)?(\w+)(?:\.(req|conf))?$/.exec(id), bare = file ?? word?.[1] ?? id
  if (file === undefined && word?.[2]) return `${bare}${word[2] === 'req' ? 'Request' : 'Response'}`
  return /(Request|Response)$/.test(bare) ? bare : `${bare}Request`
}

/** The user's copy: the published folder of one file a message, or one file with a list of schemas. */
export function readSchemas(path: string): ByName {
  const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
  if (statSync(path).isDirectory()) {
    const files = readdirSync(path).filter((f) => f.endsWith('.json'))
    return new Map(files.map((f) => { const schema = read(join(path, f)) as Schema; return [nameOf(schema, basename(f, '.json')), schema] }))
  }
  const list = read(path)
  if (!Array.isArray(list)) throw new Error('it is neither a folder of schemas nor a list of them')
  return new Map((list as Schema[]).map((schema) => [nameOf(schema), schema]))
}

/** Those that our server validates with. */
export function ourSchemas(version: Version): ByName {
  const require = createRequire(import.meta.url)
  return new Map((JSON.parse(readFileSync(require.resolve(`ocpp-rpc/lib/schemas/ocpp${version.replace(/\./g, '_')}.json`), 'utf8')) as Schema[]).map((schema) => [nameOf(schema), schema]))
}

/** Words for people and names for generators: they decide nothing on the wire; nor do further members of what is a string. */
const words = ['$schema', '$id', 'id', 'comment', '$comment', 'description', 'title', 'javaType', 'additionalItems']

/** Where two schemas ask for something else; the order of `required` and `enum` says nothing. */
function apart(ours: unknown, theirs: unknown, path: string, inNames: boolean): string[] {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    const [a, b] = [ours, theirs].map((list) => JSON.stringify(list.map((one) => JSON.stringify(one)).toSorted()))
    return a === b ? [] : [path]
  }
  if (typeof ours !== 'object' || typeof theirs !== 'object' || ours === null || theirs === null) return ours === theirs ? [] : [path]
  const idle = (key: string): boolean => words.includes(key) || (key === 'additionalProperties' && (theirs as Schema)['type'] === 'string')
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter((key) => inNames || !idle(key))
  return keys.flatMap((key) => apart((ours as Schema)[key], (theirs as Schema)[key], `${path}/${key}`, !inNames && (key === 'properties' || key === 'definitions')))
}

export function ocppDifferences(ours: ByName, theirs: ByName): string[] {
  return [
    ...[...theirs].flatMap(([name, schema]) => { const mine = ours.get(name); return mine ? apart(mine, schema, '', false).map((path) => `${name}${path}: differs`) : [`${name}: only there`] }),
    ...[...ours.keys()].filter((name) => !theirs.has(name)).map((name) => `${name}: only here`),
  ]
}

/** The version that the copy is of: the one it differs least from. */
export const likeliest = (theirs: ByName): Version => versions.toSorted((a, b) => ocppDifferences(ourSchemas(a), theirs).length - ocppDifferences(ourSchemas(b), theirs).length)[0] as Version
