import { HttpFault } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'
import { makeProvisioning } from '#csip-server/provision.js'
import { groupId } from '#csip-server/topology.js'
import type { Behaviour, Doc, Exchange, Value, Written } from '#csip-server/served.js'

const kind = 'csip/FunctionSetAssignments'

/** One FSA for each group a device is in; shared by its members, seen only through them (SEP-120, SEP-124). */
export const functionSetAssignments: Behaviour = {
  async get(x) {
    const group = x.params.fsa ?? ''
    if (!x.endDevice?.targets.includes(group)) return undefined
    const doc = await x.ctx.documents.get<Value>(x.ctx.tenant, kind, group)
    return doc && { ...doc.body }
  },
  /** SEP-123: an operator takes the device out of the group; the group stays. */
  async remove(x) {
    const device = x.endDevice, group = x.params.fsa ?? ''
    if (!device?.key || !device.targets.includes(group)) throw new HttpFault(404)
    await makeProvisioning(x.ctx).assignEndDevice(device.key, device.targets.filter((g) => g !== group))
  },
}

export const functionSetAssignmentsList: Behaviour = {
  select: async (x) => ({ parent: '', visibleTo: x.endDevice?.targets ?? [] }),
  count: async (x) => (x.endDevice ?? await x.devices.byId(x.params.edev ?? ''))?.targets.length ?? 0,
  post: assign,
}

/**
 * SEP-121. Interpretation: an operator who posts an assignment puts the device into a group: the one whose FunctionSetAssignments or
 * DERProgram has that mRID, else a new free group that takes the description as its name.
 */
async function assign(x: Exchange, value: Value): Promise<Written> {
  const device = x.endDevice, { documents, tenant } = x.ctx, key = mridKey(String(value.mRID))
  if (!device?.key) throw new HttpFault(404)
  const known = await documents.byKey(tenant, kind, '', key) ?? await documents.byKey(tenant, 'csip/DERProgram', '', key)
  const group = known?.targets[0] ?? await newGroup(x, value)
  if (device.targets.includes(group)) return { created: false, href: `/edev/${device.id}/fsa/${group}` }
  await makeProvisioning(x.ctx).assignEndDevice(device.key, [...device.targets, group])
  return { created: true, href: `/edev/${device.id}/fsa/${group}` }
}

async function newGroup(x: Exchange, value: Value): Promise<string> {
  const name = String(value.description ?? value.mRID), id = groupId(name)
  const taken: Doc | undefined = await x.ctx.documents.get(x.ctx.tenant, kind, id)
  const group = { name: taken ? mridKey(String(value.mRID)) : name, level: 'free' as const, mRID: String(value.mRID) }
  await makeProvisioning(x.ctx).addGroup(group)
  return groupId(group.name)
}

/** Every program that the device may have to obey (SEP-146). */
export const associatedPrograms: Behaviour = {
  select: async (x) => ({ parent: '', visibleTo: (x.endDevice ?? await x.devices.byId(x.params.edev ?? ''))?.targets ?? [] }),
}
