import { isPin } from '#certs/lfdi.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import type { Behaviour } from '#csip-server/served.js'

/** SEP-066: the sixth digit of a PIN is the sum of the others, so a mistyped one is not stored. */
export const registration: Behaviour = {
  complete(_x, value) {
    if (!isPin(Number(value.pIN))) throw new HttpFault(400, reason.values)
    return value
  },
}
