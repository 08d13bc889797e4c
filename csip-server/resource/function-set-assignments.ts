import { HttpFault } from '#csip-server/error-map.js'
import type { Behaviour, Value } from '#csip-server/served.js'

const kind = 'csip/FunctionSetAssignments'

/** One FSA for each group a device is in; shared by its members, seen only through them (SEP-120, SEP-124). */
export const functionSetAssignments: Behaviour = {
  async get(x) {
    const group = x.params.fsa ?? ''
    if (!x.endDevice?.targets.includes(group)) return undefined
    const doc = await x.ctx.documents.get<Value>(x.ctx.tenant, kind, group)
    return doc && { ...doc.body }
  },
}

export const functionSetAssignmentsList: Behaviour = {
  select: async (x) => ({ parent: '', visibleTo: x.endDevice?.targets ?? [] }),
  count: async (x) => (x.endDevice ?? await x.devices.byId(x.params.edev ?? ''))?.targets.length ?? 0,
}

/** The programs of one assignment. */
export const assignedPrograms: Behaviour = {
  async select(x) {
    const group = x.params.fsa ?? ''
    const device = x.endDevice ?? await x.devices.byId(x.params.edev ?? '')
    if (!device?.targets.includes(group)) throw new HttpFault(404)
    return { parent: '', withTargets: [group] }
  },
}

/** Every program that the device may have to obey (SEP-146). */
export const associatedPrograms: Behaviour = {
  select: async (x) => ({ parent: '', visibleTo: (x.endDevice ?? await x.devices.byId(x.params.edev ?? ''))?.targets ?? [] }),
}
