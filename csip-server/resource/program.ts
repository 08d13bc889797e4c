import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'
import { HttpFault } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'

/**
 * Programs of demand response, messaging and pricing: shared by the members of a group, like DERPrograms (SEP-137). An operator
 * posts one for everybody at its own list, for a group at the list below one of its FunctionSetAssignments.
 */
export function groupPrograms(kind: string, root: string): { visible: Behaviour; assigned: Behaviour; item: Behaviour } {
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
      async select(x) {
        const group = x.params.fsa ?? '', device = x.endDevice ?? await x.devices.byId(x.params.edev ?? '')
        if (!device?.targets.includes(group)) throw new HttpFault(404)
        return { parent: '', withTargets: [group] }
      },
      async post(x, value) {
        const group = x.params.fsa ?? ''
        if (!x.endDevice?.targets.includes(group)) throw new HttpFault(404)
        return add(x, value, group)
      },
    },
    item: { complete: (_x, value, before) => ({ ...value, version: Number(before?.body.version ?? -1) + 1 }) },
  }
}
