import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'

/** Whose a file is: its device's and that device's manager's, or everybody's. */
async function readersOf(x: Exchange, value: Value): Promise<string[]> {
  if (value.lFDI === undefined) return []
  const lfdi = String(value.lFDI).toUpperCase(), device = await x.devices.byLfdi(lfdi)
  return [...new Set([lfdi, device?.owner ?? lfdi])]
}

async function store(x: Exchange, id: string, value: Value): Promise<Written> {
  const { href: _href, ...body } = value, { documents, tenant, clock } = x.ctx
  const known = await documents.get(tenant, 'csip/File', id)
  await documents.insertMany<Value>([{ tenant, kind: 'csip/File', id, parent: '', targets: await readersOf(x, value), body }], clock.nowMs(), { onConflict: 'replace' })
  return { created: !known, href: `/file/${id}` }
}

const readable = (x: Exchange): { visibleTo?: string[] } => x.peer.kind === 'operator' ? {} : { visibleTo: [x.peer.lfdi] }

/** Files of the server, announced by operators. A file with an LFDI is seen by that device and its manager alone (SEC-033). */
export const fileList: Behaviour = {
  select: async (x) => ({ parent: '', ...readable(x) }),
  post: (x, value) => store(x, x.ctx.ids.hex(8).toUpperCase(), value),
}

export const file: Behaviour = {
  present: (x, doc) => x.peer.kind === 'operator' || doc.targets.length === 0 || doc.targets.includes(x.peer.lfdi) ? { ...doc.body } : undefined,
  put: (x, value) => store(x, x.params.file ?? '', value),
}
