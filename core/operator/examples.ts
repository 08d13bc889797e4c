import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '#core/package-root.js'

/** One call of an operation and what came back, as a walk through the API found it. */
export interface Example {
  readonly query?: string
  readonly request?: unknown
  readonly status: number
  readonly answer?: unknown
}

/** By `METHOD path` below /api/v1: `POST programs/:id`. */
export type Examples = Readonly<Record<string, Example>>

/** Those of this room; written and executed by examples.test.ts. */
export const examples = (): Examples => JSON.parse(readFileSync(join(packageRoot(), 'core/operator/examples.json'), 'utf8')) as Examples

interface Operation {
  responses?: Record<string, unknown>
  parameters?: { name: string; in: string; example?: unknown }[]
  requestBody?: unknown
}

/** `get`, `/api/v1/programs/{id}` → `GET programs/:id`. */
export const exampleKey = (method: string, path: string): string => `${method.toUpperCase()} ${path.replace(/^\/api\/v1\//, '').replaceAll(/\{([^}]+)\}/g, ':$1')}`

/** Shows an example where readers of /openapi.json look for one (UX-025): the answer, the body, the query. It describes, it serializes nothing. */
export function exemplify(operation: Operation, example: Example | undefined): void {
  if (!example) return
  const { status, answer, request, query } = example
  operation.responses = { ...operation.responses, [status]: { description: status === 201 ? 'Created' : status === 202 ? 'Accepted' : 'OK', ...(answer === undefined ? {} : { content: { 'application/json': { example: answer } } }) } }
  if (status !== 200) delete operation.responses['200']
  for (const [name, value] of new URLSearchParams(query ?? '')) for (const p of operation.parameters ?? []) if (p.in === 'query' && p.name === name) p.example = value
  if (request === undefined) return
  const body = (operation.requestBody ?? { content: {} }) as { content: Record<string, { example?: unknown }> }
  body.content['application/json'] = { ...body.content['application/json'], example: request }
  operation.requestBody = body
}
