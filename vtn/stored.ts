import type { Document } from '#core/port/store/document.js'
import type { ObjectType } from '#vtn/wire/field.js'

/** Content in the 3.1 form, without metadata; members that begin with `_` are the server's own and never travel. */
export type Content = Readonly<Record<string, unknown>>
export type Stored = Document<Content>

/** How a document lies in the store: what its noun's behaviour decides. */
export interface Placed {
  readonly content: Content
  readonly parent?: string
  readonly key?: string | null
  readonly targets?: readonly string[]
  readonly owner?: string | null
  readonly sort1?: number
  readonly sort2?: number
}

export const kindOf: Readonly<Record<ObjectType, string>> = {
  PROGRAM: 'vtn/program', EVENT: 'vtn/event', REPORT: 'vtn/report', SUBSCRIPTION: 'vtn/subscription', VEN: 'vtn/ven', RESOURCE: 'vtn/resource',
}

/**
 * The store's target column of a program or event without targets: one name that no client can write (targets have 1 … 128
 * characters), so that "everybody or one of mine" is a single index lookup.
 */
export const everybody: readonly string[] = Object.freeze([''])
export const isOpen = (doc: { readonly targets: readonly string[] }): boolean => doc.targets.length === 0 || doc.targets[0] === ''
/** The target column of programs and events. */
export const aimedAt = (content: Content): readonly string[] => { const given = targetsOf(content); return given.length ? given : everybody }

export const targetsOf = (content: Content): readonly string[] => {
  const given = content['targets']
  return Array.isArray(given) ? [...new Set(given as string[])] : []
}

/** OA-056: nulls and empty optional lists are left out, so "absent" has one form in the store. */
export function tidy(content: Content, keep: readonly string[] = []): Content {
  return Object.fromEntries(Object.entries(content).filter(([member, value]) =>
    value !== undefined && value !== null && (keep.includes(member) || !Array.isArray(value) || value.length > 0)))
}

/** OA-051, OA-052, and hiding: `shown` are the targets this reader may know (OA-106); undefined = all. */
export function present(objectType: ObjectType, doc: Stored, shown?: readonly string[]): Record<string, unknown> {
  const out: Record<string, unknown> = {
    id: doc.id,
    createdDateTime: new Date(doc.createdAt).toISOString(),
    modificationDateTime: new Date(doc.modifiedAt).toISOString(),
    objectType,
  }
  for (const [member, value] of Object.entries(doc.body)) if (!member.startsWith('_')) out[member] = value
  if (shown && Array.isArray(out['targets'])) {
    const left = (out['targets'] as string[]).filter((t) => shown.includes(t))
    if (left.length) out['targets'] = left
    else delete out['targets']
  }
  return out
}
