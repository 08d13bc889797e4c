import { HttpFault, reason } from '#csip-server/error-map.js'
import { effectiveEnd } from '#csip-server/event-status.js'
import { recordOf } from '#csip-server/program-events.js'
import { derControls } from '#csip-server/resource/der-control.js'
import type { Behaviour, Exchange, Value } from '#csip-server/served.js'

/** Whether a control that has not ended, or the default, names this curve. */
async function inUse(x: Exchange, program: string, id: string): Promise<boolean> {
  const { documents, tenant, clock } = x.ctx, now = clock.now()
  const names = (body: Value): boolean => Object.values((body.DERControlBase ?? {}) as Value).some((v) => (v as { href?: string } | null)?.href?.endsWith(`/derp/${program}/dc/${id}`))
  const otherwise = await documents.get<Value>(tenant, 'csip/DefaultDERControl', program)
  const controls = await documents.list<Value>(tenant, { kind: derControls.kind, parent: program })
  return (otherwise !== undefined && names(otherwise.body)) || controls.some((c) => names(c.body) && effectiveEnd(recordOf(derControls, c)) > now)
}

/** SEP-135: reference voltage settings belong to volt-var curves alone; the server stamps the creation. */
export const derCurve: Behaviour = {
  complete(x, value) {
    const voltVar = value.curveType === 11
    if (!voltVar && (value.vRef !== undefined || value.autonomousVRefEnable !== undefined || value.autonomousVRefTimeConstant !== undefined)) throw new HttpFault(400, reason.values)
    return { ...value, creationTime: x.ctx.clock.now() }
  },
  /** SEP-134: a control never names a missing curve. */
  async remove(x) {
    const { derp = '', dc = '' } = x.params, { documents, tenant } = x.ctx, doc = await documents.get(tenant, 'csip/DERCurve', dc)
    if (doc?.parent !== derp) throw new HttpFault(404)
    if (await inUse(x, derp, dc)) throw new HttpFault(409, reason.values)
    await documents.remove(tenant, 'csip/DERCurve', dc)
  },
}
