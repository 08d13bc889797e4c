import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import type { TSchema } from 'typebox'
import type { Resource } from '#core/describe/resource.js'

/** What was compared, and each difference in words. */
export interface Comparison { readonly compared: number; readonly differences: readonly string[] }

type Node = TSchema & { properties?: Record<string, Node & { xml?: { attribute?: boolean; prefix?: string } }>; required?: string[] }
interface Api { components: { schemas: Record<string, { properties?: Record<string, unknown>; required?: string[]; allOf?: { $ref?: string; properties?: Record<string, unknown>; required?: string[] }[]; $ref?: string }> } }

/** Properties and required ones of our request descriptions against an OpenADR OpenAPI file of the user's. */
export async function openapi(file: string): Promise<Comparison> {
  const api = (await import('yaml')).parse(readFileSync(file, 'utf8')) as Api
  const [{ ProgramRequest }, { EventRequest }, { ReportRequest }, { SubscriptionRequest }, { BlVenRequest, VenVenRequest }, { BlResourceRequest, VenResourceRequest }] = await Promise.all([
    import('#vtn/wire/program.js'), import('#vtn/wire/event.js'), import('#vtn/wire/report.js'), import('#vtn/wire/subscription.js'), import('#vtn/wire/ven.js'), import('#vtn/wire/resource.js'),
  ])
  const ours: Readonly<Record<string, TSchema>> = { programRequest: ProgramRequest, eventRequest: EventRequest, reportRequest: ReportRequest, subscriptionRequest: SubscriptionRequest, BlVenRequest, VenVenRequest, BlResourceRequest, VenResourceRequest }
  const differences = Object.entries(ours).flatMap(([name, schema]) => {
    const theirs = Object.entries(api.components?.schemas ?? {}).find(([n]) => n.toLowerCase() === name.toLowerCase())?.[1]
    if (!theirs) return [`${name}: not in ${file}`]
    const properties = new Set([theirs, ...(theirs.allOf ?? []).map((p) => (p.$ref ? api.components.schemas[p.$ref.split('/').at(-1) as string] ?? {} : p))].flatMap((p) => Object.keys(p.properties ?? {})))
    const mine = new Set(Object.keys((schema as Node).properties ?? {}))
    return [...[...properties].filter((p) => !mine.has(p)).map((p) => `${name}.${p}: only there`), ...[...mine].filter((p) => !properties.has(p)).map((p) => `${name}.${p}: only here`)]
  })
  return { compared: Object.keys(ours).length, differences }
}

/** Children of every 2030.5 description, in order, against a facts file (`types`: name → elements with name, min). */
export async function xsdFacts(file: string): Promise<Comparison> {
  const facts = JSON.parse(readFileSync(file, 'utf8')) as { types: Record<string, { elements: { name: string; min: number }[] }> }
  const modules = await Promise.all([
    import('#csip-server/wire/device-capability.js'), import('#csip-server/wire/time.js'), import('#csip-server/wire/end-device.js'), import('#csip-server/wire/registration.js'), import('#csip-server/wire/function-set-assignments.js'), import('#csip-server/wire/der-program.js'), import('#csip-server/wire/der-control.js'),
    import('#csip-server/wire/der-curve.js'), import('#csip-server/wire/der-capability.js'), import('#csip-server/wire/der-settings.js'), import('#csip-server/wire/der-status.js'), import('#csip-server/wire/der-availability.js'), import('#csip-server/wire/mirror-usage-point.js'), import('#csip-server/wire/log-event.js'), import('#csip-server/wire/response.js'),
  ])
  const described = modules.flatMap((m) => Object.values(m as Record<string, unknown>)).filter((v): v is Resource => typeof v === 'object' && v !== null && 'schema' in v && 'name' in v && facts.types[String((v as { name: unknown }).name)] !== undefined)
  const differences = described.flatMap((r) => {
    const mine = Object.entries((r.schema as Node).properties ?? {}).filter(([, p]) => !p.xml?.attribute && !p.xml?.prefix).map(([n]) => n)
    const theirs = (facts.types[r.name]?.elements ?? []).map((e) => e.name)
    return mine.join() === theirs.join() ? [] : [`${r.name}: here ${mine.join(' ')}; there ${theirs.join(' ')}`]
  })
  return { compared: described.length, differences }
}

/** A file of OCPP schemas (a list of JSON Schemas with `$id`) against those that our server validates with. */
export function ocppSchemas(file: string): Comparison {
  const theirs = JSON.parse(readFileSync(file, 'utf8')) as { $id: string }[]
  const require = createRequire(import.meta.url)
  const ours = ['ocpp1_6', 'ocpp2_0_1', 'ocpp2_1'].flatMap((v) => JSON.parse(readFileSync(require.resolve(`ocpp-rpc/lib/schemas/${v}.json`), 'utf8')) as { $id: string }[])
  return { compared: theirs.length, differences: theirs.flatMap((schema) => {
    const mine = ours.filter((o) => o.$id === schema.$id)
    if (mine.length === 0) return [`${schema.$id}: only there`]
    return mine.some((m) => isDeepStrictEqual(m, schema)) ? [] : [`${schema.$id}: differs`]
  }) }
}

export const comparisons: Readonly<Record<string, (file: string) => Promise<Comparison> | Comparison>> = { 'openapi': openapi, 'xsd-facts': xsdFacts, 'ocpp-schemas': ocppSchemas }
