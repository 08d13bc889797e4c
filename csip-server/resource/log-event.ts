import type { Behaviour } from '#csip-server/served.js'

const kept = 1000

/** SEP-187: the newest thousand stay. */
export const logEvent: Behaviour = {
  async stored(x, doc) {
    const { documents, tenant } = x.ctx
    const count = await documents.count(tenant, { kind: doc.kind, parent: doc.parent })
    if (count <= kept) return
    const oldest = await documents.list(tenant, { kind: doc.kind, parent: doc.parent, order: ['sort1', 'sort2', 'id'], limit: count - kept })
    for (const old of oldest) await documents.remove(tenant, old.kind, old.id)
  },
}
