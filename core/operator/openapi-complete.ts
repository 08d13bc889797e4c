import { exampleKey, exemplify, type Examples } from '#core/operator/examples.js'
import { problemSchema } from '#core/operator/openapi.js'

type Operation = { responses?: Record<string, unknown>; parameters?: { name: string; in: string }[]; operationId?: string; requestBody?: unknown; security?: unknown; description?: string; summary?: string; tags?: string[] }
interface Api { paths?: Record<string, Record<string, Operation>>; components?: Record<string, unknown>; tags?: unknown }

const writes = new Set(['post', 'put', 'patch', 'delete'])

/** What is the same for every operation and said once here: the problem that any of them may answer, the key that makes a repeat harmless (UX-025, UX-027). */
export function completed<A extends object>(document: A, examples: Examples = {}): A {
  const api = document as Api
  api.components = { ...api.components, schemas: { ...(api.components?.schemas as object | undefined), Problem: problemSchema }, responses: { Problem: { description: 'why not (RFC 9457)', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } } }
  const names = new Set<string>()
  for (const [path, item] of Object.entries(api.paths ?? {})) for (const [method, operation] of Object.entries(item)) {
    names.add(operation.tags?.[0] ?? 'other')
    operation.operationId ??= `${method}-${path.replaceAll(/[/{}]+/g, '-').replaceAll(/^-|-$/g, '')}`
    exemplify(operation, examples[exampleKey(method, path)])
    operation.responses = { ...operation.responses, default: { $ref: '#/components/responses/Problem' } }
    if (writes.has(method)) operation.parameters = [...(operation.parameters ?? []), { name: 'idempotency-key', in: 'header', required: false, schema: { type: 'string', maxLength: 255 }, description: 'the same key and body gives the first answer again' } as never]
  }
  api.tags = [...names].sort().map((name) => ({ name }))
  return document
}
