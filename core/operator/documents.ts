import type { Document, DocumentQuery } from '#core/port/store/document.js'
import { ok, type Answer, type Ask } from '#core/operator/route.js'

/** A page of documents of a kind; the cursor is the number of those before. */
export const documents = <B extends object>(ask: Ask, kind: string, view: (d: Document<B>) => unknown, parent?: string, where?: Readonly<Record<string, string>>): Promise<Answer> =>
  documentsOf(ask, { kind, ...(parent === undefined ? {} : { parent }), ...(where ? { where } : {}) }, view)

/** The same of any query. */
export async function documentsOf<B extends object>(ask: Ask, query: DocumentQuery, view: (d: Document<B>) => unknown): Promise<Answer> {
  const skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
  const found = await ask.core.database.stores.documents.list<B>(ask.caller.tenant, { ...query, skip, limit: limit + 1 })
  return ok({ items: found.slice(0, limit).map(view), next: found.length > limit ? String(skip + limit) : null })
}
