import { declareAvailability } from '#csip-server/availability.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { addEvent, cancelEvent, eventBehaviours } from '#csip-server/event-behaviour.js'
import { mridOf } from '#csip-server/mrid.js'
import { mridKey } from '#csip-server/place.js'
import { wattsOf, type Scaled } from '#csip-server/power.js'
import { effectiveEnd } from '#csip-server/event-status.js'
import { recordOf, type EventKind } from '#csip-server/program-events.js'
import type { Behaviour, Doc, Exchange, Value } from '#csip-server/served.js'

export const flowReservationResponses: EventKind = {
  kind: 'csip/FlowReservationResponse',
  parent: (params) => params.edev ?? '',
  slot: 'frp',
  href: (params) => `/edev/${params.edev ?? ''}/frp/${params.frp ?? ''}`,
  // A grant belongs to its request: those of different requests leave each other alone.
  controls: (body) => [`grant ${mridKey(String(body.subject))}`],
  replyTo: '/rsps/frq/rsp',
}

const events = eventBehaviours(flowReservationResponses, 'csip/EndDevice', async () => {})

/** SEP-200. An operator who takes a grant back, or gives another one, changes what the core may count on. */
export const flowReservationResponse: Behaviour = {
  ...events.item,
  async remove(x) {
    await events.item.remove?.(x)
    await tellOf(x, x.params.frp ?? '')
  },
  async put(x, value) {
    const written = await (events.item.put as NonNullable<Behaviour['put']>)(x, value)
    await tellOf(x, x.params.frp ?? '')
    return written
  },
}
export const flowReservationResponseList: Behaviour = {
  ...events.list,
  async post(x, value, root) {
    const written = await (events.list.post as NonNullable<Behaviour['post']>)(x, value, root)
    await tellOf(x, String(value.mRID))
    return written
  },
}

const grantOf = (x: Exchange, request: Value): string => mridOf(x.ctx, `${x.ctx.tenant} grant ${x.params.edev ?? ''} ${mridKey(String(request.mRID))}`)

/** All that were given for a request, oldest first. */
async function grantsOf(x: Exchange, request: Value): Promise<readonly Doc[]> {
  const all = await x.ctx.documents.list<Value>(x.ctx.tenant, { kind: flowReservationResponses.kind, parent: x.params.edev ?? '' })
  return all.filter((d) => mridKey(String(d.body.subject)) === mridKey(String(request.mRID)))
}

/** SEP-200: what a car is granted now is load that can go down again, in its window and for as long as it asked; nothing once every grant was taken back. */
async function tell(x: Exchange, request: Value): Promise<void> {
  if (wattsOf(request.powerRequested as Scaled) <= 0) return
  const grants = await grantsOf(x, request)
  if (grants.length === 0) return
  const current = grants.findLast((d) => !d.body.cancelled), { start, duration } = asked(request)
  await declareAvailability(x, { start, duration: Number(request.durationRequested) || duration, down_W: current ? wattsOf(current.body.powerAvailable as Scaled) : 0 })
}

/** The same from a grant: an operator may give one that no request of ours stands behind, which says nothing to the core. */
async function tellOf(x: Exchange, grant: string): Promise<void> {
  const { documents, tenant } = x.ctx, doc = await documents.get<Value>(tenant, flowReservationResponses.kind, mridKey(grant))
  const request = doc && await documents.byKey<Value>(tenant, 'csip/FlowReservationRequest', doc.parent, mridKey(String(doc.body.subject)))
  if (request) await tell(x, request.body)
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
    const grants = await grantsOf(x, doc.body)
    if (taken(doc.body)) {
      for (const g of grants) if (effectiveEnd(recordOf(flowReservationResponses, g)) > x.ctx.clock.now()) await cancelEvent(x.ctx, flowReservationResponses, g.id, 2)
    } else if (grants.length === 0) await grant(x, doc.body)
    await tell(x, doc.body)
  },
}
