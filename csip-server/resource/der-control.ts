import { Refusal } from '#core/error.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'
import { listEvents, livingEvents, oneEvent, type EventKind } from '#csip-server/program-events.js'
import { effectiveEnd } from '#csip-server/event-status.js'
import { recordOf } from '#csip-server/program-events.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'

const modifiers = new Set(['rampTms'])

export const derControls: EventKind = {
  kind: 'csip/DERControl',
  parent: (params) => params.derp ?? '',
  slot: 'derc',
  controls: (body) => Object.keys(body.DERControlBase ?? {}).filter((name) => !modifiers.has(name)).sort(),
  replyTo: '/rsps/der/rsp',
}

export const derControl: Behaviour = {
  get: (x) => oneEvent(x, derControls),
  /** An operator's DELETE of a living event is a cancel: polling clients must see it (SEP-074). */
  remove: (x) => cancelControl(x.ctx, x.params.derc ?? '', 2),
  put: changeControl,
}

export const derControlList: Behaviour = { list: (x, page) => listEvents(x, derControls, page), post: createControl }
export const activeDERControlList: Behaviour = { list: (x, page) => listEvents(x, derControls, page, 'active') }

/** Curve modes and the curveType each needs (SEP-134). */
const curveType: Readonly<Record<string, number>> = {
  opModFreqWatt: 0, opModHFRTMayTrip: 1, opModHFRTMustTrip: 2, opModHVRTMayTrip: 3, opModHVRTMomentaryCessation: 4, opModHVRTMustTrip: 5,
  opModLFRTMayTrip: 6, opModLFRTMustTrip: 7, opModLVRTMayTrip: 8, opModLVRTMomentaryCessation: 9, opModLVRTMustTrip: 10,
  opModVoltVar: 11, opModVoltWatt: 12, opModWattPF: 13, opModWattVar: 14,
}

/** SEP-134: a curve mode names a curve of its type in the same program. */
export async function checkCurves(ctx: CsipContext, program: string, base: Value): Promise<void> {
  for (const [mode, type] of Object.entries(curveType)) {
    const href = (base[mode] as { href?: string } | undefined)?.href
    if (href === undefined) continue
    const id = href.split('/').at(-1) ?? ''
    const curve = await ctx.documents.get<{ curveType: number }>(ctx.tenant, 'csip/DERCurve', id)
    if (!href.endsWith(`/derp/${program}/dc/${id}`) || curve?.parent !== program || curve.body.curveType !== type) throw new HttpFault(400, reason.values)
  }
}

/** SEP-070, SEP-077, SEP-078, SEP-133: what an operator may put into a program. */
async function createControl(x: Exchange, value: Value): Promise<Written> {
  const { ctx } = x
  const program = x.params.derp ?? ''
  if (!await ctx.documents.get(ctx.tenant, 'csip/DERProgram', program)) throw new HttpFault(404)
  const base = value.DERControlBase as Value
  if (derControls.controls(value).length === 0 || (value.interval as { duration: number }).duration < 1) throw new HttpFault(400, reason.values)
  await checkCurves(ctx, program, base)
  const { EventStatus: _status, replyTo: _replyTo, href: _href, subscribable: _subscribable, ...rest } = value
  const mRID = String(value.mRID), id = mridKey(mRID), now = ctx.clock.now()
  const body: Value = { responseRequired: '03', ...rest, version: 0, creationTime: now }
  await ctx.documents.insert({
    tenant: ctx.tenant, kind: derControls.kind, id, parent: program, key: id, sort1: (value.interval as { start: number }).start, sort2: now, body,
  }, ctx.clock.nowMs())
  return { created: true, href: `/derp/${program}/derc/${id}` }
}

/** SEP-079: only the status of an event changes; a PUT with a cancelled EventStatus cancels, anything else is refused. */
async function changeControl(x: Exchange, value: Value): Promise<Written> {
  const wanted = (value.EventStatus as { currentStatus?: number } | undefined)?.currentStatus
  if (wanted !== 2 && wanted !== 3) throw new HttpFault(409, reason.values)
  await cancelControl(x.ctx, x.params.derc ?? '', wanted)
  return { created: false, href: `/derp/${x.params.derp ?? ''}/derc/${x.params.derc ?? ''}` }
}

/**
 * SEP-074: cancelled now, and listed until its own end; cancelling twice changes nothing, an ended event is a conflict.
 * Status 3 is for events that randomize.
 */
export async function cancelControl(ctx: CsipContext, mRID: string, status: 2 | 3): Promise<void> {
  const doc = await ctx.documents.get<Value>(ctx.tenant, derControls.kind, mridKey(mRID))
  if (!doc) throw new HttpFault(404)
  if (doc.body.cancelled) return
  const now = ctx.clock.now(), record = recordOf(derControls, doc)
  if (effectiveEnd(record) <= now) throw new Refusal('conflict', 'The event has ended.')
  const { events } = await livingEvents(ctx, derControls, doc.parent, now)
  if (events.status.get(doc.id)?.currentStatus === 4) throw new Refusal('conflict', 'The event has been superseded.')
  const randomizes = doc.body.randomizeStart !== undefined || doc.body.randomizeDuration !== undefined
  const cancelled = { at: now, status: status === 3 && randomizes ? 3 : 2 }
  await ctx.documents.replace<Value>({ ...doc, body: { ...doc.body, cancelled, version: Number(doc.body.version ?? 0) + 1 } }, ctx.clock.nowMs(), doc.version)
}
