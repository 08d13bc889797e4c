import type { TSchema } from 'typebox'
import type { Method, Resource } from '#core/describe/resource.js'
import { sample } from '#core/describe/sample.js'

/** One operation of a described resource, ready for fastify (`schema`) and so for @fastify/swagger. */
export interface Operation {
  readonly method: Method
  readonly url: string
  readonly operationId: string
  readonly summary: string
  readonly body?: TSchema
  readonly answers: Readonly<Record<number, TSchema>>
}

/** A JSON Schema with an example made from the description itself, so that examples never go stale. */
export const withExample = <S extends TSchema>(schema: S, seed = 1): S & { examples: unknown[] } =>
  ({ ...schema, examples: [sample(schema, { seed, optional: true })] })

/** The named schemas of a registry, for `components.schemas`. */
export const components = (registry: readonly Resource[]): Record<string, TSchema> =>
  Object.fromEntries(registry.map((r) => [r.name, { ...r.schema, $id: undefined }]))

/** An OpenAPI 3.1 document of the given operations. */
export function openapi(info: { title: string; version: string }, registry: readonly Resource[], operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const op of operations) {
    const path = op.url.replace(/:([A-Za-z0-9_]+)/g, '{$1}')
    const parameters = [...path.matchAll(/\{([A-Za-z0-9_]+)\}/g)].map((m) => ({ name: m[1], in: 'path', required: true, schema: { type: 'string' } }))
    ;(paths[path] ??= {})[op.method.toLowerCase()] = {
      operationId: op.operationId,
      summary: op.summary,
      ...(parameters.length ? { parameters } : {}),
      ...(op.body ? { requestBody: { required: true, content: { 'application/json': { schema: op.body } } } } : {}),
      responses: Object.fromEntries(Object.entries(op.answers).map(([status, schema]) => [status, { description: status, content: { 'application/json': { schema } } }])),
    }
  }
  return { openapi: '3.1.0', info, paths, components: { schemas: components(registry) } }
}
