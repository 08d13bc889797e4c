import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'
import { HttpFault } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'

/**
 * Programs of demand response, messaging and pricing: shared by the members of a group, like DERPrograms (SEP-137). An operator
 * posts one for everybody at its own list, for a group at the list below one of its FunctionSetAssignments.
 */
export function groupPrograms(kind: string, root: string, removeBelow: (x: Exchange, id: string) => Promise<void>): { visible: Behaviour; assigned: Behaviour; item: Behaviour } {
  async function add(x: Exchange, value: Value, group: string): Promise<Written> {
    const { href: _href, subscribable: _subscribable, ...rest } = value
    for (const member of Object.keys(rest)) if (member.endsWith('Link')) delete rest[member]
    const id = mridKey(String(value.mRID))
    await x.ctx.documents.insert<Value>({ tenant: x.ctx.tenant, kind, id, parent: '', key: id, targets: [group], sort1: Number(value.primacy ?? 0), body: { ...rest, version: 0 } }, x.ctx.clock.nowMs())
    return { created: true, href: `/${root}/${id}` }
  }
  return {
    visible: {
      select: async (x) => x.peer.kind === 'operator' ? { parent: '' } : { parent: '', visibleTo: [...await x.devices.groups(x.peer)] },
      post: (x, value) => add(x, value, 'system'),
    },
    assigned: {
      async select(x) { return { parent: '', withTargets: [await inGroup(x)] } },
      async post(x, value) { return add(x, value, await inGroup(x)) },
    },
    item: {
      complete: (_x, value) => ({ ...value, version: 0 }),
      async remove(x) {
        const id = x.params[root] ?? ''
        if (!await x.ctx.documents.remove(x.ctx.tenant, kind, id)) throw new HttpFault(404)
        await removeBelow(x, id)
      },
    },
  }
}

/** The group of an address below a FunctionSetAssignments; 404 when the device is not in it. */
export async function inGroup(x: Exchange): Promise<string> {
  const group = x.params.fsa ?? '', device = x.endDevice ?? await x.devices.byId(x.params.edev ?? '')
  if (!device?.targets.includes(group)) throw new HttpFault(404)
  return group
}

/** Removes every document of a kind below a program. */
export const removeAll = (...kinds: string[]) => async (x: Exchange, id: string): Promise<void> => {
  for (const below of kinds) await x.ctx.documents.removeAll(x.ctx.tenant, below, id)
}
