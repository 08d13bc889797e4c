import type { Document } from '#core/port/store/document.js'
import { ok, type Answer, type Ask } from '#core/operator/route.js'

/** A page of documents of a kind; the cursor is the number of those before. */
export async function documents<B extends object>(ask: Ask, kind: string, view: (d: Document<B>) => unknown, parent?: string, where?: Readonly<Record<string, string>>): Promise<Answer> {
  const skip = Number(ask.query.cursor ?? 0) || 0, limit = Number(ask.query.limit ?? 100)
  const found = await ask.core.database.stores.documents.list<B>(ask.caller.tenant, { kind, ...(parent === undefined ? {} : { parent }), ...(where ? { where } : {}), skip, limit: limit + 1 })
  return ok({ items: found.slice(0, limit).map(view), next: found.length > limit ? String(skip + limit) : null })
}
