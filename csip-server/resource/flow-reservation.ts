import { system } from '#core/caller.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { addEvent, cancelEvent, eventBehaviours } from '#csip-server/event-behaviour.js'
import { mridOf } from '#csip-server/mrid.js'
import { mridKey } from '#csip-server/place.js'
import { wattsOf, type Scaled } from '#csip-server/power.js'
import type { EventKind } from '#csip-server/program-events.js'
import type { Behaviour, Exchange, Value } from '#csip-server/served.js'

export const flowReservationResponses: EventKind = {
  kind: 'csip/FlowReservationResponse',
  parent: (params) => params.edev ?? '',
  slot: 'frp',
  href: (params) => `/edev/${params.edev ?? ''}/frp/${params.frp ?? ''}`,
  // A grant belongs to its request: those of different requests leave each other alone.
  controls: (body) => [`grant ${mridKey(String(body.subject))}`],
  replyTo: '/rsps/frq/rsp',
}

export const { item: flowReservationResponse, list: flowReservationResponseList } = eventBehaviours(flowReservationResponses, 'csip/EndDevice', async () => {})

const grantOf = (x: Exchange, request: Value): string => mridOf(x.ctx, `${x.ctx.tenant} grant ${x.params.edev ?? ''} ${mridKey(String(request.mRID))}`)

/** SEP-200: what a car was granted is load that can go down again, in its window and for as long as it asked; taken back with the grant. */
async function declare(x: Exchange, request: Value, granted: boolean): Promise<void> {
  const lfdi = x.endDevice?.key, power_W = Math.floor(wattsOf(request.powerRequested as Scaled))
  const resource = lfdi ? await x.ctx.intake.directory.byRemote(x.ctx.tenant, 'ieee2030_5', lfdi) : undefined
  if (!resource || power_W <= 0) return
  const { start, duration } = asked(request)
  await x.ctx.intake.availability.declare(system(x.ctx.tenant), [{
    resource: resource.id, start, end: start + (Number(request.durationRequested) || duration), down_W: granted ? power_W : 0, up_W: 0, source: `ieee2030_5:${lfdi ?? ''}`, issuedAt: x.ctx.clock.nowMs(),
  }])
}

/** SEP-200. Interpretation: a request inside its own window is granted as asked, at once; an operator who cannot give it cancels and posts another grant. */
async function grant(x: Exchange, request: Value): Promise<void> {
  await addEvent(x.ctx, flowReservationResponses, x.params.edev ?? '', {
    mRID: grantOf(x, request), interval: request.intervalRequested, energyAvailable: request.energyRequested, powerAvailable: request.powerRequested, subject: request.mRID,
  })
}

const asked = (value: Value): { start: number; duration: number } => value.intervalRequested as { start: number; duration: number }

const taken = (request: Value): boolean => (request.RequestStatus as { requestStatus: number }).requestStatus === 1

export const flowReservationRequest: Behaviour = {
  says: ({ creationTime: _made, RequestStatus: _status, ...wish }) => wish,
  complete(x, value, before) {
    const { start, duration } = asked(value)
    if (duration < 1 || Number(value.durationRequested ?? 0) > duration || (!before && start + duration <= x.ctx.clock.now())) throw new HttpFault(400, reason.values)
    if (!before) return { ...value, creationTime: x.ctx.clock.now() }
    // Only the status of a request changes: another wish is another request.
    if (mridKey(String(value.mRID)) !== before.key) throw new HttpFault(400, reason.values)
    if (taken(before.body) && !taken(value)) throw new HttpFault(409, reason.values)
    return { ...before.body, RequestStatus: value.RequestStatus }
  },
  /** Each step bears being done again: whichever of them failed, the device's retry brings it through. */
  async stored(x, doc) {
    const known = await x.ctx.documents.get<Value>(x.ctx.tenant, flowReservationResponses.kind, mridKey(grantOf(x, doc.body)))
    if (taken(doc.body)) {
      if (!known) return
      await cancelEvent(x.ctx, flowReservationResponses, known.id, 2)
      return declare(x, doc.body, false)
    }
    if (!known) await grant(x, doc.body)
    // A grant that an operator took back stays taken back.
    if (!known?.body.cancelled) await declare(x, doc.body, true)
  },
}
