import { createHash } from 'node:crypto'
import type { Happening } from '#core/dispatch/delivery.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'
import type { Behaviour, Doc, Exchange, Value, Written } from '#csip-server/served.js'

/** The response sets that we keep: one per kind of event (SEP-180). */
export const responseSets: Readonly<Record<string, string>> = {
  der: 'csip/DERControl', dr: 'csip/EndDeviceControl', msg: 'csip/TextMessage', price: 'csip/TimeTariffInterval', frq: 'csip/FlowReservationResponse',
}

/** CORE-102, SEP-181: what a status says about the delivery; the rest are words without a consequence for it. */
const stateOf: Readonly<Record<number, Happening['state']>> = {
  1: 'received', 2: 'started', 3: 'completed', 4: 'optedOut', 5: 'optedIn', 6: 'cancelled', 7: 'superseded', 8: 'partial', 9: 'partial', 10: 'partial',
  13: 'superseded', 14: 'superseded', 252: 'rejected', 253: 'rejected', 254: 'rejected',
}
const known = new Set([...Array.from({ length: 14 }, (_, i) => i + 1), 252, 253, 254])
const why: Readonly<Record<number, string>> = { 10: 'completed without participation', 252: 'parameter not applicable', 253: 'invalid', 254: 'received late or expired' }

const setMRID = (id: string): string => createHash('sha256').update(`ResponseSet ${id}`).digest('hex').slice(0, 32).toUpperCase()
const setValue = (id: string): Value => ({ mRID: setMRID(id), description: id })

export const responseSet: Behaviour = { get: async (x) => Object.hasOwn(responseSets, x.params.rsps ?? '') ? setValue(x.params.rsps ?? '') : undefined }
export const responseSetList: Behaviour = {
  count: async () => Object.keys(responseSets).length,
  async list(_x, page) {
    const ids = Object.keys(responseSets).sort((a, b) => (setMRID(a) < setMRID(b) ? 1 : -1))
    return { all: ids.length, items: ids.slice(page.s, page.s + page.l).map((id) => ({ id, value: setValue(id) })) }
  },
}

const seen = (x: Exchange): { withTargets?: string[] } => x.peer.kind === 'operator' ? {} : { withTargets: [x.peer.lfdi] }

/** SEP-184: the device and its aggregator see their own. */
export const response: Behaviour = {
  present: (x, doc) => x.peer.kind === 'operator' || doc.targets.includes(x.peer.lfdi) ? { ...doc.body } : undefined,
}
export const responseList: Behaviour = {
  select: async (x) => ({ parent: x.params.rsps ?? '', ...seen(x) }),
  post: receive,
}

/** SEP-182, SEP-183. */
async function receive(x: Exchange, value: Value, root: string): Promise<Written> {
  const { ctx, peer } = x
  const set = x.params.rsps ?? ''
  const kind = Object.hasOwn(responseSets, set) ? responseSets[set] : undefined
  if (!kind) throw new HttpFault(404)
  const lfdi = String(value.endDeviceLFDI).toUpperCase(), status = Number(value.status ?? 0)
  if (!known.has(status)) throw new HttpFault(400, reason.values)
  const device = await x.devices.byLfdi(lfdi)
  if (!device || !x.devices.mine(peer, device)) throw new HttpFault(403)
  const event = await ctx.documents.get<Value>(ctx.tenant, kind, mridKey(String(value.subject)))
  if (!event || !couldSee(event, device, await groupsOfEvent(x, kind, event))) throw new HttpFault(404)
  const created = Number(value.createdDateTime ?? 0)
  // SEP-028: of the digits, since two times beyond 2^53 may be one number
  const id = createHash('sha256').update(`${set} ${lfdi} ${event.id} ${status} ${String(value.createdDateTime ?? 0)}`).digest('hex').slice(0, 24)
  const href = `/rsps/${set}/rsp/${id}`
  const known_ = await ctx.documents.get(ctx.tenant, 'csip/Response', id)
  if (known_) return { created: false, href }
  // told before it is kept: what is here has reached the core, and who hears a 503 says it again
  await tell(x, event, lfdi, status, created)
  const targets = [...new Set([lfdi, device.owner ?? lfdi])]
  await ctx.documents.insertMany<Value>([{ tenant: ctx.tenant, kind: 'csip/Response', id, parent: set, targets, owner: lfdi, sort1: created, body: { ...value, endDeviceLFDI: lfdi, ...(root === 'Response' ? {} : { type: root }) } }], ctx.clock.nowMs(), { onConflict: 'skip' })
  return { created: true, href }
}

/** Programs keep their groups as targets; FlowReservationResponses belong to one device. */
async function groupsOfEvent(x: Exchange, kind: string, event: Doc): Promise<readonly string[]> {
  const program = { 'csip/DERControl': 'csip/DERProgram', 'csip/EndDeviceControl': 'csip/DemandResponseProgram', 'csip/TextMessage': 'csip/MessagingProgram' }[kind]
  if (!program) return []
  return (await x.ctx.documents.get(x.ctx.tenant, program, event.parent))?.targets ?? []
}

const couldSee = (event: Doc, device: Doc, groups: readonly string[]): boolean =>
  (event.targets.length === 0 || event.targets.includes(device.key ?? '')) && (groups.length === 0 || groups.some((g) => device.targets.includes(g)))

/** SEP-185: one happening per word. Of an order in several controls only the first start and the last end count. */
async function tell(x: Exchange, event: Doc, lfdi: string, status: number, createdDateTime: number): Promise<void> {
  const delivery = event.body.delivery as { id: string; index: number; of: number; lfdi: string } | undefined
  const state = stateOf[status]
  if (!delivery || !state || delivery.lfdi !== lfdi) return
  if (state === 'completed' && delivery.index !== delivery.of - 1) return
  if (state === 'cancelled' && !event.body.cancelled) return
  const now = x.ctx.clock.nowMs()
  const at = createdDateTime > 0 ? Math.min(createdDateTime * 1000, now) : now
  await x.ctx.intake.happenings.happened([{ tenant: x.ctx.tenant, delivery: delivery.id, state, at, remoteRef: String(event.body.mRID), ...(why[status] ? { reason: why[status] } : {}) }])
}
