import { declareAvailability } from '#csip-server/availability.js'
import { wattsOf, type Scaled } from '#csip-server/power.js'
import type { Behaviour } from '#csip-server/served.js'

/**
 * SEP-145: what a storage device says it can still give becomes availability in core. Interpretation: `statWAvail` is
 * power towards the grid, so it is what the load can go down by, for `availabilityDuration` seconds.
 */
export const derAvailability: Behaviour = {
  async stored(x, { body }) {
    const power = body.statWAvail as Scaled | undefined
    if (power) await declareAvailability(x, { start: body.readingTime, duration: body.availabilityDuration, down_W: wattsOf(power) })
  },
}
