import { Refusal } from '#core/error.js'
import type { Stores } from '#core/port/store/index.js'
import type { Behaviour, Command } from '#vtn/behaviour.js'
import { idParameter, scalar } from '#vtn/query.js'
import { kindOf, targetsOf, tidy, type Content, type Stored } from '#vtn/stored.js'
import type { ResourceRequest } from '#vtn/wire/resource.js'

export const resource: Behaviour<ResourceRequest> = {
  parentOf: 'VEN',
  taken: 'this ven has a resource of this resourceName (OA-090)',
  filter(query) {
    const resourceName = scalar(query, 'resourceName'), venID = idParameter(query, 'venID')
    return { ...(resourceName === undefined ? {} : { key: resourceName }), ...(venID === undefined ? {} : { parent: venID }) }
  },
  async place(command, stores) {
    const { caller, content, old } = command
    const bl = content.objectType === 'BL_RESOURCE_REQUEST'
    if (bl !== (caller.role === 'BL')) throw new Refusal('invalid', `${content.objectType} is not the form for this client's role (OA-081)`)
    if (old && content.venID !== undefined && content.venID !== old.parent) throw new Refusal('invalid', 'a resource does not move to another ven (OA-083)')
    const ven = await venOf(command, stores)
    const owner = ven.owner ?? ''
    if (content.objectType === 'BL_RESOURCE_REQUEST' && content.clientID !== undefined && content.clientID !== owner) {
      throw new Refusal('invalid', 'clientID is not that of the ven (OA-083)')
    }
    const { objectType: _, ...given } = tidy(content)
    // OA-080: what a VEN sends as targets was dropped at the door; stored ones stay.
    const targets = bl ? targetsOf(content) : old?.targets ?? []
    return {
      content: { ...given, clientID: owner, venID: ven.id, ...(targets.length ? { targets } : {}) },
      parent: ven.id, key: content.resourceName, owner, targets,
    }
  },
}

/** OA-083: whose resource it is, and what is said when that ven is unknown or not the caller's. */
async function venOf({ caller, content, old }: Command<ResourceRequest>, stores: Stores): Promise<Stored> {
  const id = old?.parent ?? content.venID
  if (id !== undefined) {
    const ven = await stores.documents.get<Content>(caller.tenant, kindOf.VEN, id)
    if (ven && (caller.role === 'BL' || ven.owner === caller.subject)) return ven
    if (caller.role === 'BL') throw new Refusal('notFound', `no ven ${id}`)
  }
  const [own] = await stores.documents.list<Content>(caller.tenant, { kind: kindOf.VEN, owner: caller.subject, limit: 1 })
  if (!own) throw new Refusal('forbidden', 'this client has no ven object yet (OA-083)')
  if (id !== undefined) throw new Refusal('notFound', `no ven ${id}`)
  return own
}
