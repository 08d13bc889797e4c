import { HttpFault, reason } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'
import { checkCurves } from '#csip-server/resource/der-control.js'
import { inGroup } from '#csip-server/resource/program.js'
import { primacyOf } from '#csip-server/topology.js'
import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'
import { newMRID } from '#csip-server/mrid.js'

/** SEP-137: programs are seen through groups alone. */
export const derProgramList: Behaviour = {
  select: async (x) => x.peer.kind === 'operator' ? { parent: '' } : { parent: '', visibleTo: [...await x.devices.groups(x.peer)] },
  post: (x, value) => createProgram(x, value),
}

/** The programs of one assignment; an operator adds one to its group here. */
export const assignedPrograms: Behaviour = {
  async select(x) { return { parent: '', withTargets: [await inGroup(x)] } },
  async post(x, value) { return createProgram(x, value, await inGroup(x)) },
}

/** SEP-121: a program that an operator posts for no group is a group of its own; devices are put into it like into any other. */
async function createProgram(x: Exchange, value: Value, group?: string): Promise<Written> {
  const { documents, tenant, clock } = x.ctx
  const id = mridKey(String(value.mRID))
  const primacy = Number(value.primacy ?? primacyOf.system), said = value.description === undefined ? {} : { description: value.description }
  const fsa = newMRID(x.ctx), otherwise = newMRID(x.ctx)
  await documents.insertMany<Value>([
    { tenant, kind: 'csip/DERProgram', id, parent: '', key: id, targets: [group ?? id], sort1: primacy, body: { mRID: value.mRID, ...said, version: 0, primacy } },
    ...(group !== undefined ? [] : [{ tenant, kind: 'csip/FunctionSetAssignments', id, parent: '', key: mridKey(fsa), targets: [id], body: { mRID: fsa, version: 0, ...said } }]),
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
  /** What hangs below a program goes with it. */
  async remove(x) {
    const { documents, tenant } = x.ctx, id = x.params.derp ?? ''
    if (!await documents.remove(tenant, 'csip/DERProgram', id)) throw new HttpFault(404)
    for (const kind of ['csip/DERControl', 'csip/DefaultDERControl', 'csip/DERCurve']) await documents.removeAll(tenant, kind, id)
  },
}

export const defaultDERControl: Behaviour = {
  async complete(x, value) {
    await checkCurves(x.ctx, x.params.derp ?? '', value.DERControlBase as Value)
    return { ...value, version: 0 }
  },
}
