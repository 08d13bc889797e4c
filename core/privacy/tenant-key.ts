import type { Work } from '#core/work.js'

const kind = 'core/TenantKey'

/** CORE-220: the tenant's own key for pseudonyms, made once. A new one breaks every linkage. */
export async function tenantKey({ stores, clock, ids }: Work, tenant: string): Promise<Buffer> {
  const known = await stores.documents.byKey<{ key: string }>(tenant, kind, '', 'pseudonym')
  if (known) return Buffer.from(known.body.key, 'hex')
  const [made] = await stores.documents.insertMany([{ tenant, kind, id: ids.uuid(), parent: '', key: 'pseudonym', body: { key: ids.hex(32) } }], clock.nowMs(), { onConflict: 'skip' })
  return made ? Buffer.from(made.body.key, 'hex') : await tenantKey({ stores, clock, ids } as Work, tenant)
}
