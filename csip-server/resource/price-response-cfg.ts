import { HttpFault, reason } from '#csip-server/error-map.js'
import type { Behaviour } from '#csip-server/served.js'

/** SEP-111: thresholds are of a rate that the device can see. */
export const priceResponseCfg: Behaviour = {
  async complete(x, value) {
    const { href } = value.RateComponentLink as { href: string }
    const seen = await x.look(x.peer, href).catch(() => undefined)
    if (seen?.served.name !== 'RateComponent' || seen.value === undefined) throw new HttpFault(400, reason.values)
    return value
  },
}
