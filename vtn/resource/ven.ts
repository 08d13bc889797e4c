import { Refusal } from '#core/error.js'
import type { Behaviour } from '#vtn/behaviour.js'
import { venFaults } from '#vtn/profile/grid-aware-charging.js'
import { scalar } from '#vtn/query.js'
import { targetsOf, tidy } from '#vtn/stored.js'
import type { VenRequest } from '#vtn/wire/ven.js'

/** One ven object per client, by constraint: a row whose key is the clientID (OA-082). */
const clientKind = 'vtn/ven-client'

export const ven: Behaviour<VenRequest> = {
  children: ['RESOURCE'],
  taken: 'a ven of this venName exists (OA-090)',
  filter(query) {
    const venName = scalar(query, 'venName')
    return venName === undefined ? {} : { key: venName }
  },
  async place({ caller, content, old, context }) {
    if (context.config.validation?.gridAwareCharging) {
      const faults = venFaults(content.venName, content.objectType === 'BL_VEN_REQUEST' ? content.targets ?? [] : old?.targets ?? [])
      if (faults.length) throw new Refusal('invalid', `Grid Aware Charging 2.1: ${faults.map((f) => `${f.path} ${f.reason}`).join('; ')}`, { faults })
    }
    const bl = content.objectType === 'BL_VEN_REQUEST'
    if (bl !== (caller.role === 'BL')) throw new Refusal('invalid', `${content.objectType} is not the form for this client's role (OA-081)`)
    if (content.objectType === 'BL_VEN_REQUEST') {
      if (old && old.owner !== content.clientID) throw new Refusal('invalid', 'the clientID of a ven does not change (OA-082)')
      return { content: without(tidy(content)), key: content.venName, owner: content.clientID, targets: targetsOf(content) }
    }
    // OA-080: only business logic writes targets; a VEN's PUT leaves them and the clientID as they are.
    const owner = old?.owner ?? caller.subject
    const kept = old?.body['targets'] === undefined ? {} : { targets: old.body['targets'] }
    return { content: { ...without(tidy(content)), clientID: owner, ...kept }, key: content.venName, owner, targets: old?.targets ?? [] }
  },
  async companions(stores, { caller, id, old, context }, placed) {
    if (old) return
    await stores.documents.insert({ tenant: caller.tenant, kind: clientKind, id, parent: '', key: placed.owner ?? '', body: {} }, context.clock.nowMs()).catch((error: unknown) => {
      throw error instanceof Refusal && error.kind === 'conflict' ? new Refusal('conflict', 'this client has a ven object already (OA-082)') : error
    })
  },
  part: async (stores, doc) => void await stores.documents.remove(doc.tenant, clientKind, doc.id),
}

/** The request's discriminator is not the object's objectType (OA-051). */
const without = ({ objectType: _, ...content }: Readonly<Record<string, unknown>>): Record<string, unknown> => content
