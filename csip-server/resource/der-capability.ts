import { HttpFault, reason } from '#csip-server/error-map.js'
import type { Behaviour } from '#csip-server/served.js'

/** SEP-142: CSIP-AUS requires the envelope modes that a device has. */
export const derCapability: Behaviour = {
  complete(x, value) {
    if (x.ctx.config.profile.startsWith('csip-aus') && value.doeModesSupported === undefined) throw new HttpFault(400, reason.values)
    return value
  },
}
