import { system } from '#core/caller.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { eventBehaviours } from '#csip-server/event-behaviour.js'
import { wattsOf, type Scaled } from '#csip-server/power.js'
import type { EventKind } from '#csip-server/program-events.js'
import { groupPrograms, removeAll } from '#csip-server/resource/program.js'
import type { Behaviour } from '#csip-server/served.js'

const forms = ['ApplianceLoadReduction', 'DutyCycle', 'Offset', 'SetPoint', 'TargetReduction']

export const endDeviceControls: EventKind = {
  kind: 'csip/EndDeviceControl',
  parent: (params) => params.dr ?? '',
  slot: 'edc',
  href: (params) => `/dr/${params.dr ?? ''}/edc/${params.edc ?? ''}`,
  controls: (body) => forms.filter((f) => body[f] !== undefined),
  replyTo: '/rsps/dr/rsp',
}

export const demandResponsePrograms = groupPrograms('csip/DemandResponseProgram', 'dr', removeAll('csip/EndDeviceControl'))

/** SEP-197. */
export const { item: endDeviceControl, list: endDeviceControlList, active: activeEndDeviceControlList } = eventBehaviours(endDeviceControls, 'csip/DemandResponseProgram', async (_x, value) => {
  if (endDeviceControls.controls(value).length === 0) throw new HttpFault(400, reason.values)
})

/** SEP-198: what a device says it can shed becomes availability in core, from now on for the time it says (an hour when unsaid). */
export const loadShedAvailability: Behaviour = {
  says: (value) => value,
  async stored(x, doc) {
    const lfdi = x.endDevice?.key, power = doc.body.sheddablePower as Scaled | undefined
    if (!lfdi || !power) return
    const resource = await x.ctx.intake.directory.byRemote(x.ctx.tenant, 'ieee2030_5', lfdi)
    if (!resource) return
    const start = x.ctx.clock.now()
    await x.ctx.intake.availability.declare(system(x.ctx.tenant), [{
      resource: resource.id, start, end: start + (Number(doc.body.availabilityDuration) || 3600), down_W: Math.max(0, Math.floor(wattsOf(power))), up_W: 0,
      source: `ieee2030_5:${lfdi}`, issuedAt: x.ctx.clock.nowMs(),
    }])
  },
}
