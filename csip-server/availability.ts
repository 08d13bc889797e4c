import { system } from '#core/caller.js'
import type { Exchange } from '#csip-server/served.js'
import { isInstant } from '#csip-server/wire/simple-types.js'

const usual_s = 3600

/**
 * What a device says it can give becomes availability in core, from `start` for `duration` seconds (an hour when unsaid). Interpretation: a start that no
 * calendar has (SEP-028: the document keeps all 64 bits of it) says nothing about any hour, and core hears nothing.
 */
export async function declareAvailability(x: Exchange, { start, duration, down_W }: { start: unknown; duration: unknown; down_W: number }): Promise<void> {
  const { tenant, clock, intake } = x.ctx, lfdi = x.endDevice?.key
  if (!lfdi || !isInstant(start)) return
  const resource = await intake.directory.byRemote(tenant, 'ieee2030_5', lfdi)
  if (!resource) return
  await intake.availability.declare(system(tenant), [{
    resource: resource.id, start, end: start + (Number(duration) || usual_s), down_W: Math.max(0, Math.floor(down_W)), up_W: 0, source: `ieee2030_5:${lfdi}`, issuedAt: clock.nowMs(),
  }])
}
