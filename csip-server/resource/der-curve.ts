import { HttpFault, reason } from '#csip-server/error-map.js'
import type { Behaviour } from '#csip-server/served.js'

/** SEP-135: reference voltage settings belong to volt-var curves alone; the server stamps the creation. */
export const derCurve: Behaviour = {
  complete(x, value) {
    const voltVar = value.curveType === 11
    if (!voltVar && (value.vRef !== undefined || value.autonomousVRefEnable !== undefined || value.autonomousVRefTimeConstant !== undefined)) throw new HttpFault(400, reason.values)
    return { ...value, creationTime: x.ctx.clock.now() }
  },
}
