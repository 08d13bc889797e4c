import type { DeliveryOrder, DispatchChannel, SendOutcome } from '#core/port/dispatch-channel.js'
import type { NewDocument } from '#core/port/store/document.js'
import type { CsipContext } from '#csip-server/context.js'
import { failSafeOf } from '#csip-server/fail-safe.js'
import { controlFor, declaredBy, type Declared } from '#csip-server/mode.js'
import { mridOf } from '#csip-server/mrid.js'
import { mridKey } from '#csip-server/place.js'
import { derControls } from '#csip-server/resource/der-control.js'
import { effectiveEnd } from '#csip-server/event-status.js'
import { recordOf } from '#csip-server/program-events.js'
import type { Doc, Value } from '#csip-server/served.js'

type Planned = { readonly start: number; readonly end: number; readonly base: Readonly<Record<string, unknown>> }
interface Device { readonly doc: Doc; readonly program: string; readonly declared: Declared }

/**
 * Orders as DERControls (style.md §10 row 6b): one per stretch of equal control, in the program of the device's own service
 * point and addressed to it alone (contract §4). The mRID follows from order, revision and stretch, so sending twice is sending once.
 */
export function makeDispatchChannel(ctx: CsipContext): DispatchChannel {
  return {
    protocol: 'ieee2030_5', failSafe: failSafeOf(ctx),
    async send(orders) {
      const devices = await devicesOf(ctx, orders)
      const outcomes: SendOutcome[] = []
      const documents: NewDocument<Value>[] = []
      for (const order of orders) {
        const made = controlsOf(ctx, order, devices.get(lfdiOf(order)))
        if (typeof made === 'string') { outcomes.push({ id: order.id, outcome: 'refused', reason: made }); continue }
        documents.push(...made)
        outcomes.push({ id: order.id, outcome: 'sent', remoteRef: String(made[0]?.body.mRID) })
      }
      try {
        await replaceEarlier(ctx, orders, new Set(documents.map((d) => d.id)), devices)
        for (let at = 0; at < documents.length; at += 5000) {
          await ctx.documents.insertMany(documents.slice(at, at + 5000), ctx.clock.nowMs(), { onConflict: 'skip' })
        }
        return outcomes
      } catch (error) {
        ctx.log.error({ err: error }, 'DERControls could not be stored')
        return outcomes.map((o) => o.outcome === 'refused' ? o : { id: o.id, outcome: 'failed', reason: 'the controls could not be stored' })
      }
    },
    async cancel(orders) {
      const devices = await devicesOf(ctx, orders)
      const outcomes: SendOutcome[] = []
      for (const order of orders) {
        try {
          const device = devices.get(lfdiOf(order))
          if (device) await cancelAll(ctx, await controlsFor(ctx, device, order.id))
          outcomes.push({ id: order.id, outcome: 'sent' })
        } catch (error) {
          ctx.log.error({ err: error, order: order.id }, 'DERControl could not be cancelled')
          outcomes.push({ id: order.id, outcome: 'failed', reason: 'the cancellation could not be stored' })
        }
      }
      return outcomes
    },
  }
}

const lfdiOf = (order: Pick<DeliveryOrder, 'binding'>): string => order.binding.remoteId.toUpperCase()

export async function devicesOf(ctx: CsipContext, orders: readonly Pick<DeliveryOrder, 'binding'>[]): Promise<Map<string, Device>> {
  const { documents, tenant } = ctx
  const lfdis = [...new Set(orders.map(lfdiOf))]
  const found = new Map((await documents.list<Value>(tenant, { kind: 'csip/EndDevice', ids: lfdis })).filter((d) => d.key !== null).map((d) => [d.key as string, d]))
  for (const lfdi of lfdis) {
    const renewed = found.has(lfdi) ? undefined : await documents.byKey<Value>(tenant, 'csip/EndDevice', '', lfdi)
    if (renewed) found.set(lfdi, renewed)
  }
  const ids = [...found.values()].map((d) => `${d.id}/1`)
  const [capabilities, settings] = await Promise.all(['csip/DERCapability', 'csip/DERSettings'].map(async (kind) =>
    new Map(ids.length === 0 ? [] : (await documents.list<Value>(tenant, { kind, ids })).map((d) => [d.id, d.body]))))
  const programs = await leafPrograms(ctx, [...new Set([...found.values()].flatMap((d) => d.targets))])
  const out = new Map<string, Device>()
  for (const [lfdi, doc] of found) {
    const program = doc.targets.filter((t) => programs.has(t)).sort((a, b) => (programs.get(a) as number) - (programs.get(b) as number))[0]
    if (program !== undefined) out.set(lfdi, { doc, program, declared: declaredBy(capabilities?.get(`${doc.id}/1`), settings?.get(`${doc.id}/1`)) })
  }
  return out
}

/** Program id → primacy; the lowest of a device's is that of its service point (SEP-122). */
async function leafPrograms(ctx: CsipContext, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  return new Map((await ctx.documents.list<Value>(ctx.tenant, { kind: 'csip/DERProgram', ids })).map((d) => [d.id, Number(d.body.primacy)]))
}

/** Adjacent intervals that ask for the same become one event; each event says what the order says there (CORE-100). */
function plan(ctx: CsipContext, order: DeliveryOrder, declared: Declared): Planned[] | string {
  const out: { start: number; end: number; base: Readonly<Record<string, unknown>> }[] = []
  for (const interval of order.intervals) {
    const control = controlFor(interval, declared, ctx.config.profile)
    if (!control.ok) return control.reason
    if (!control.exact) ctx.log.info({ order: order.id, clause: 'CORE-095', control: control.base }, 'order rounded to what the mode can say')
    const last = out.at(-1)
    if (last && last.end === interval.start && JSON.stringify(last.base) === JSON.stringify(control.base)) last.end = interval.end
    else out.push({ start: interval.start, end: interval.end, base: control.base })
  }
  return out.length === 0 ? 'the order has no interval' : out
}

/** CORE-097, SEP-080: a dispatched event asks for received and specific responses. */
function controlsOf(ctx: CsipContext, order: DeliveryOrder, device: Device | undefined): NewDocument<Value>[] | string {
  if (!device) return 'no such EndDevice is registered, or it is in no program'
  const stretches = plan(ctx, order, device.declared)
  if (typeof stretches === 'string') return stretches
  const now = ctx.clock.now(), lfdi = device.doc.key as string
  // SEP-078: an hour at most. Randomization happens in the device (CORE-101).
  const spread = Math.max(-3600, Math.min(3600, order.randomize_s))
  return stretches.map(({ start, end, base }, index) => {
    const mRID = mridOf(ctx, `${order.tenant} ${order.id} ${order.revision} ${index}`), id = mridKey(mRID)
    return {
      tenant: ctx.tenant, kind: derControls.kind, id, parent: device.program, key: id, targets: [lfdi], sort1: start, sort2: now,
      body: {
        mRID, description: order.program.name.slice(0, 32), version: 0, creationTime: now, interval: { duration: end - start, start }, responseRequired: '03',
        ...(spread === 0 ? {} : { randomizeStart: spread }), DERControlBase: base, delivery: { id: order.id, revision: order.revision, index, of: stretches.length, lfdi },
      },
    }
  })
}

async function controlsFor(ctx: CsipContext, device: Device, order: string): Promise<Doc[]> {
  const all = await ctx.documents.list<Value>(ctx.tenant, { kind: derControls.kind, parent: device.program })
  return all.filter((d) => (d.body.delivery as { id?: string } | undefined)?.id === order)
}

/** A new revision takes the place of the earlier one: its events are cancelled, in the open (SEP-079). */
async function replaceEarlier(ctx: CsipContext, orders: readonly DeliveryOrder[], keep: ReadonlySet<string>, devices: ReadonlyMap<string, Device>): Promise<void> {
  for (const order of orders) {
    const device = order.revision > 0 ? devices.get(lfdiOf(order)) : undefined
    if (device) await cancelAll(ctx, (await controlsFor(ctx, device, order.id)).filter((d) => !keep.has(d.id) && (d.body.delivery as { revision: number }).revision < order.revision))
  }
}

/** SEP-074: cancelled events stay in the list until their own end; what has ended is left alone. */
async function cancelAll(ctx: CsipContext, controls: readonly Doc[]): Promise<void> {
  const now = ctx.clock.now()
  for (const doc of controls) {
    if (doc.body.cancelled || effectiveEnd(recordOf(derControls, doc)) <= now) continue
    const cancelled = { at: now, status: 2 }
    await ctx.documents.replace<Value>({ ...doc, body: { ...doc.body, cancelled, version: Number(doc.body.version ?? 0) + 1 } }, ctx.clock.nowMs())
  }
}
