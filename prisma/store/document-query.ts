import type { DocumentQuery } from '#core/port/store/document.js'

/** A query's conditions as SQL with parameters; every value travels as a parameter. */
export function conditions(tenant: string, query: DocumentQuery): { text: string; values: unknown[] } {
  const values: unknown[] = [tenant, query.kind]
  const parts = ['tenant = $1', 'kind = $2']
  const add = (text: (place: string) => string, value: unknown): void => {
    if (value !== undefined) parts.push(text(`$${values.push(value)}`))
  }
  add((p) => `parent = ${p}`, query.parent)
  add((p) => `key = ${p}`, query.key)
  add((p) => `id = any(${p})`, query.ids)
  add((p) => `owner = ${p}`, query.owner)
  add((p) => `owner = any(${p})`, query.owners)
  add((p) => `(cardinality(targets) = 0 or targets && ${p}::text[])`, query.visibleTo)
  add((p) => `targets @> ${p}::text[]`, query.withTargets)
  add((p) => `targets && ${p}::text[]`, query.withAnyTarget)
  add((p) => `sort1 >= ${p}`, query.sort1From)
  add((p) => `sort1 <= ${p}`, query.sort1To)
  add((p) => `sort2 >= ${p}`, query.sort2From)
  add((p) => `sort2 <= ${p}`, query.sort2To)
  add((p) => `created_at >= ${p}`, query.createdFrom)
  add((p) => `created_at < ${p}`, query.createdBefore)
  for (const [member, value] of Object.entries(query.where ?? {})) parts.push(`body->>$${values.push(member)} = $${values.push(value)}`)
  return { text: parts.join(' and '), values }
}

const columns: Readonly<Record<string, string>> = { id: 'id', key: 'key', createdAt: 'created_at', sort1: 'sort1', sort2: 'sort2' }

/** Always total: whatever the caller left open is decided by id, so that pages neither skip nor repeat. Names compare by code point. */
export function ordering({ order = ['createdAt'] }: DocumentQuery): string {
  const total = order.some((o) => o === 'id' || o === '-id') ? order : [...order, 'id']
  return total.map((o) => {
    const name = o.replace(/^-/, ''), column = columns[name]!
    return `${column}${name === 'id' || name === 'key' ? ' collate "C"' : ''}${o.startsWith('-') ? ' desc' : ''}`
  }).join(', ')
}
