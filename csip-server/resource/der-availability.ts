import { system } from '#core/caller.js'
import { wattsOf } from '#csip-server/power.js'
import type { Behaviour } from '#csip-server/served.js'

/**
 * SEP-145: what a storage device says it can still give becomes availability in core. Interpretation: `statWAvail` is
 * power towards the grid, so it is what the load can go down by, for `availabilityDuration` seconds (an hour when unsaid).
 */
export const derAvailability: Behaviour = {
  async stored(x, doc) {
    const power = doc.body.statWAvail as { multiplier: number; value: number } | undefined
    const lfdi = x.endDevice?.key
    if (!power || !lfdi) return
    const resource = await x.ctx.intake.directory.byRemote(x.ctx.tenant, 'ieee2030_5', lfdi)
    if (!resource) return
    const start = Number(doc.body.readingTime), down_W = Math.max(0, Math.floor(wattsOf(power)))
    await x.ctx.intake.availability.declare(system(x.ctx.tenant), [{
      resource: resource.id, start, end: start + (Number(doc.body.availabilityDuration) || 3600), down_W, up_W: 0, source: `ieee2030_5:${lfdi}`, issuedAt: x.ctx.clock.nowMs(),
    }])
  },
}
