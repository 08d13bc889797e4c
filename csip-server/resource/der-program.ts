import { HttpFault, reason } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'
import { primacyOf } from '#csip-server/topology.js'
import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'
import { newMRID } from '#csip-server/mrid.js'

/** SEP-137: programs are seen through groups alone. */
export const derProgramList: Behaviour = {
  select: async (x) => x.peer.kind === 'operator' ? { parent: '' } : { parent: '', visibleTo: [...await x.devices.groups(x.peer)] },
  post: createProgram,
}

/** SEP-121: an operator's free program is a group of its own; devices are moved into it like into any other. */
async function createProgram(x: Exchange, value: Value): Promise<Written> {
  const { documents, tenant, clock } = x.ctx
  const id = mridKey(String(value.mRID))
  const primacy = Number(value.primacy ?? primacyOf.system)
  const body: Value = { mRID: value.mRID, ...(value.description === undefined ? {} : { description: value.description }), version: 0, primacy }
  const fsa = newMRID(x.ctx), otherwise = newMRID(x.ctx)
  await documents.insertMany<Value>([
    { tenant, kind: 'csip/DERProgram', id, parent: '', key: id, targets: [id], sort1: primacy, body },
    { tenant, kind: 'csip/FunctionSetAssignments', id, parent: '', key: mridKey(fsa), targets: [id], body: { mRID: fsa, version: 0, ...(value.description === undefined ? {} : { description: value.description }) } },
    // CORE-097: no program without its fail-safe.
    { tenant, kind: 'csip/DefaultDERControl', id, parent: id, key: mridKey(otherwise), body: { mRID: otherwise, version: 0, DERControlBase: { opModConnect: true, opModEnergize: true } } },
  ], clock.nowMs())
  return { created: true, href: `/derp/${id}` }
}

export const derProgram: Behaviour = {
  async put(x, value) {
    const { documents, tenant, clock } = x.ctx
    const doc = await documents.get<Value>(tenant, 'csip/DERProgram', x.params.derp ?? '')
    if (!doc) throw new HttpFault(404)
    if (mridKey(String(value.mRID)) !== doc.key) throw new HttpFault(400, reason.values)
    const body: Value = { ...doc.body, primacy: value.primacy, ...(value.description === undefined ? {} : { description: value.description }), version: Number(doc.body.version ?? 0) + 1 }
    await documents.replace({ ...doc, sort1: Number(value.primacy), body }, clock.nowMs(), doc.version)
    return { created: false, href: `/derp/${doc.id}` }
  },
}

export const defaultDERControl: Behaviour = {
  complete: (_x, value, before) => ({ ...value, version: Number(before?.body.version ?? -1) + 1 }),
}
