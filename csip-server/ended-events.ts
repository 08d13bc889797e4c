import type { Timer } from '#core/port/clock.js'
import type { CsipContext } from '#csip-server/context.js'
import { effectiveEnd } from '#csip-server/event-status.js'
import { recordOf, type EventKind } from '#csip-server/program-events.js'
import { derControls } from '#csip-server/resource/der-control.js'
import { endDeviceControls } from '#csip-server/resource/demand-response.js'
import { flowReservationResponses } from '#csip-server/resource/flow-reservation.js'
import { textMessages } from '#csip-server/resource/messaging.js'
import { timeTariffIntervals } from '#csip-server/resource/pricing.js'
import type { Doc, Value } from '#csip-server/served.js'

/** Where ended events lie: id = kind and id of the event, body = the event as it was stored. Nothing is served from here; verification and audit read it. */
export const archive = 'csip/EndedEvent'
const kinds: readonly EventKind[] = [derControls, endDeviceControls, textMessages, timeTariffIntervals, flowReservationResponses]
const batch = 500, every_ms = 3_600_000

/**
 * SEP-056, SEP-182: an event stays at its address for the retention (a week at least, while responses to it are taken), then it is 404.
 * Without this a program would carry its whole past through every change of it. Gives how many were moved; a crash half-way is finished by the next run.
 */
export async function archiveEnded(ctx: CsipContext): Promise<number> {
  let moved = 0
  for (const kind of kinds) moved += await archiveKind(ctx, kind)
  return moved
}

async function archiveKind(ctx: CsipContext, kind: EventKind): Promise<number> {
  const { documents, tenant, clock } = ctx, before = clock.now() - ctx.config.eventRetention_s
  let moved = 0
  for (let skip = 0; ;) {
    const some = await documents.list<Value>(tenant, { kind: kind.kind, sort1To: before, order: ['sort1', 'id'], skip, limit: batch })
    const over: Doc[] = []
    for (const doc of some) if (effectiveEnd(recordOf(kind, doc)) <= Math.min(before, await boundFrom(ctx, kind, doc.parent, before))) over.push(doc)
    await documents.insertMany(over.map((d) => ({ tenant, kind: archive, id: `${kind.kind}/${d.id}`, parent: d.parent, owner: d.owner, targets: d.targets, sort1: d.sort1, sort2: d.sort2, body: d.body })), clock.nowMs(), { onConflict: 'skip' })
    for (const doc of over) {
      await documents.remove(tenant, kind.kind, doc.id)
      if (kind === timeTariffIntervals) await documents.removeAll(tenant, 'csip/ConsumptionTariffInterval', `${doc.parent}/${doc.id}`)
    }
    moved += over.length
    skip += some.length - over.length
    if (some.length < batch) return moved
  }
}

/**
 * SEP-075: superseded is for good. What overlaps an event that has not ended may have superseded it, and what overlapped that may have kept it
 * from doing so: all of them stay. Gives the instant from which on events of a program are bound together like that.
 */
function boundFrom(ctx: CsipContext, kind: EventKind, parent: string, before: number): Promise<number> {
  return ctx.recall(kind.kind, `bound ${parent} ${before}`, async () => {
    const old = (await ctx.documents.list<Value>(ctx.tenant, { kind: kind.kind, parent, sort1To: before })).map((d) => ({ start: d.sort1, end: effectiveEnd(recordOf(kind, d)) }))
    for (let from = ctx.clock.now(); ;) {
      const earliest = old.reduce((least, e) => e.end > from ? Math.min(least, e.start) : least, from)
      if (earliest === from) return from
      from = earliest
    }
  })
}

/** Once an hour. */
export function watchEnded(ctx: CsipContext): { stop(): void } {
  let timer: Timer | undefined, stopped = false
  const run = (): void => {
    archiveEnded(ctx)
      .then((moved) => { if (moved > 0) ctx.log.info({ moved, clause: 'SEP-056' }, 'ended events were archived') })
      .catch((error: unknown) => ctx.log.error({ err: error }, 'ended events could not be archived'))
      .finally(() => { if (!stopped) timer = ctx.clock.after(every_ms * ctx.clock.rate, run) })
  }
  timer = ctx.clock.after(every_ms * ctx.clock.rate, run)
  return { stop: () => { stopped = true; timer?.cancel() } }
}
