import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '#core/package-root.js'

/** What was compared, each difference in words, and those of them that stand with their reason in a list of divergences. */
export interface Comparison { readonly against: string; readonly compared: number; readonly differences: readonly string[]; readonly explained: readonly string[] }

/** Our OpenADR descriptions against an OpenAPI file of the user's, 3.1.1 or 3.0.1 by its own word. */
export async function openapi(file: string): Promise<Comparison> {
  const { described, openapiDifferences, readApi, revisionOf } = await import('#conformance/artefact/openapi.js')
  const api = readApi(file)
  if (typeof api !== 'object' || !api?.components?.schemas) throw new Error('it holds no components/schemas')
  const revision = revisionOf(api), differences = openapiDifferences(api, revision)
  const listed = readFileSync(join(packageRoot(import.meta.url), 'vtn/divergences.md'), 'utf8')
  return { against: `OpenADR ${revision}`, compared: Object.keys(described[revision]).length, differences, explained: differences.filter((d) => listed.includes(`| \`${d}\` |`)) }
}

/** Every 2030.5 description against the user's schema (`sep.xsd`) or facts taken from it. */
export async function sep(file: string): Promise<Comparison> {
  const { describedResources, readTypes, sepDifferences } = await import('#conformance/artefact/sep.js')
  return { against: 'IEEE 2030.5', ...sepDifferences(await describedResources(), readTypes(file)), explained: [] }
}

/** The OCPP schemas that our server validates with against the user's: a folder of them, or one file with a list. */
export async function ocpp(path: string): Promise<Comparison> {
  const { likeliest, ocppDifferences, ourSchemas, readSchemas } = await import('#conformance/artefact/ocpp.js')
  const theirs = readSchemas(path), version = likeliest(theirs)
  return { against: `OCPP ${version}`, compared: theirs.size, differences: ocppDifferences(ourSchemas(version), theirs), explained: [] }
}

/** By kind, as the command line calls them; the longer names are those of before. */
export const comparisons: Readonly<Record<string, (path: string) => Promise<Comparison>>> = { openapi, sep, ocpp, 'xsd-facts': sep, 'ocpp-schemas': ocpp }
