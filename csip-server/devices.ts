import type { DocumentStore } from '#core/port/store/document.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Peer } from '#csip-server/identity.js'
import type { Doc } from '#csip-server/served.js'

const kind = 'csip/EndDevice'

/**
 * EndDevice documents: id = LFDI at registration, key = LFDI now (SEP-194), owner = LFDI of the manager, or its own,
 * targets = ids of its groups, sort1 = changedTime, sort2 = sFDI.
 */
export interface Devices {
  byLfdi(lfdi: string): Promise<Doc | undefined>
  byId(id: string): Promise<Doc | undefined>
  /** True when the peer may read what belongs to this device (SEP-190, SEP-192). */
  mine(peer: Peer, device: Doc): boolean
  /** Ids of all groups that the peer sees programs of, its managed devices' included (SEP-137). */
  groups(peer: Peer): Promise<ReadonlySet<string>>
}

export function makeDevices(ctx: Pick<CsipContext, 'documents' | 'tenant' | 'recall'>): Devices {
  const { documents, tenant } = ctx
  const byLfdi = (lfdi: string): Promise<Doc | undefined> => ctx.recall(kind, `lfdi ${lfdi}`, () => documents.byKey(tenant, kind, '', lfdi))
  return {
    byLfdi,
    byId: (id) => ctx.recall<Doc | undefined>(kind, `id ${id}`, () => documents.get(tenant, kind, id)),
    mine: (peer, device) => peer.kind === 'operator' || device.key === peer.lfdi || device.owner === peer.lfdi,
    groups: (peer) => ctx.recall<ReadonlySet<string>>(kind, `groups ${peer.lfdi}`, async () => {
      const own = await byLfdi(peer.lfdi)
      if (own && own.owner !== peer.lfdi) return new Set(own.targets)
      return new Set([...own?.targets ?? [], ...await documents.targetsOf(tenant, { kind, owner: peer.lfdi })])
    }),
  }
}

/** One memory per kind, emptied when that kind changes. */
export function makeRecall(documents: DocumentStore, tenant: string): CsipContext['recall'] {
  const kinds = new Map<string, ReturnType<typeof remembered<unknown>>>()
  return <T>(kind: string, key: string, make: () => Promise<T>) => {
    let found = kinds.get(kind)
    if (!found) kinds.set(kind, found = remembered<unknown>(() => documents.revision(tenant, kind), 50_000))
    return found(key, make) as Promise<T>
  }
}

/** So few documents of a kind that reading them all once beats asking for each parent. */
const few = 2000

/**
 * The documents of a kind by parent, while there are few of them; undefined when there are many. A page of 500 devices asks for the
 * same small collections 500 times: this makes it one query (SEP-057).
 */
export async function byParent(ctx: Pick<CsipContext, 'documents' | 'tenant' | 'recall'>, kind: string): Promise<ReadonlyMap<string, readonly Doc[]> | undefined> {
  const total = await ctx.recall(kind, 'count', () => ctx.documents.count(ctx.tenant, { kind }))
  if (total > few) return undefined
  return ctx.recall(kind, 'by parent', async () => {
    const out = new Map<string, Doc[]>()
    if (total > 0) for (const doc of await ctx.documents.list<Doc['body']>(ctx.tenant, { kind })) out.set(doc.parent, [...(out.get(doc.parent) ?? []), doc])
    return out
  })
}

/** Keeps answers until the revision moves; bounded, so that a flood of keys cannot grow it. */
export function remembered<T>(revision: () => number, limit: number): (key: string, make: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<T>>()
  let at = -1
  return (key, make) => {
    const now = revision()
    if (now !== at || kept.size >= limit) { kept.clear(); at = now }
    const found = kept.get(key)
    if (found) return found
    const made = make()
    kept.set(key, made)
    made.catch(() => kept.delete(key))
    return made
  }
}
