import { declareAvailability } from '#csip-server/availability.js'
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

/** SEP-198: what a device says it can shed becomes availability in core, from now on. */
export const loadShedAvailability: Behaviour = {
  says: (value) => value,
  async stored(x, { body }) {
    const power = body.sheddablePower as Scaled | undefined
    if (power) await declareAvailability(x, { start: x.ctx.clock.now(), duration: body.availabilityDuration, down_W: wattsOf(power) })
  },
}
