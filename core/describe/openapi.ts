import type { TSchema } from 'typebox'
import type { Method, Resource } from '#core/describe/resource.js'
import { sample } from '#core/describe/sample.js'

/** One operation of a described resource, ready for fastify (`schema`) and so for @fastify/swagger. */
export interface Operation {
  readonly method: Method
  readonly url: string
  readonly operationId: string
  readonly summary: string
  /** Query parameters, each with the schema of its value. */
  readonly query?: Readonly<Record<string, TSchema>>
  /** OAuth scope that the operation needs; absent = open to everybody. */
  readonly scope?: string
  readonly body?: TSchema
  readonly bodyType?: string
  readonly answers: Readonly<Record<number, TSchema>>
}

/** A JSON Schema with an example made from the description itself, so that examples never go stale. */
export const withExample = <S extends TSchema>(schema: S, seed = 1): S & { examples: unknown[] } =>
  ({ ...schema, examples: [sample(schema, { seed, optional: true })] })

/** The named schemas of a registry, for `components.schemas`. */
export const components = (registry: readonly Resource[]): Record<string, TSchema> =>
  Object.fromEntries(registry.map((r) => [r.name, { ...r.schema, $id: undefined }]))

/** An OpenAPI 3.1 document of the given operations. */
export function openapi(info: { title: string; version: string }, registry: readonly Resource[], operations: readonly Operation[], tokenUrl?: string): object {
  const scopes = Object.fromEntries([...new Set(operations.flatMap((op) => op.scope ?? []))].map((scope) => [scope, scope]))
  const paths: Record<string, Record<string, unknown>> = {}
  for (const op of operations) {
    const path = op.url.replace(/:([A-Za-z0-9_]+)/g, '{$1}')
    const parameters = [
      ...[...path.matchAll(/\{([A-Za-z0-9_]+)\}/g)].map((m) => ({ name: m[1], in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries(op.query ?? {}).map(([name, schema]) => ({ name, in: 'query', required: false, schema })),
    ]
    ;(paths[path] ??= {})[op.method.toLowerCase()] = {
      operationId: op.operationId,
      summary: op.summary,
      ...(parameters.length ? { parameters } : {}),
      ...(op.scope ? { security: [{ oAuth2ClientCredentials: [op.scope] }] } : {}),
      ...(op.body ? { requestBody: { required: true, content: { [op.bodyType ?? 'application/json']: { schema: op.body } } } } : {}),
      responses: Object.fromEntries(Object.entries(op.answers).map(([status, schema]) => [status, { description: status, content: { 'application/json': { schema } } }])),
    }
  }
  const securitySchemes = tokenUrl === undefined ? {} : { securitySchemes: { oAuth2ClientCredentials: { type: 'oauth2', flows: { clientCredentials: { tokenUrl, scopes } } } } }
  return { openapi: '3.1.0', info, paths, components: { schemas: components(registry), ...securitySchemes } }
}
