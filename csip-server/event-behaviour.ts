import { Refusal } from '#core/error.js'
import type { CsipContext } from '#csip-server/context.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { effectiveEnd, effectOn } from '#csip-server/event-status.js'
import { mridKey } from '#csip-server/place.js'
import { listEvents, livingEvents, oneEvent, recordOf, type EventKind } from '#csip-server/program-events.js'
import type { Behaviour, Exchange, Value } from '#csip-server/served.js'

export interface EventBehaviours {
  readonly item: Behaviour
  readonly list: Behaviour
  readonly active: Behaviour
}

/** What every kind of event does (section 7): read by clients, made and cancelled by operators, never changed otherwise. */
export function eventBehaviours(kind: EventKind, program: string, check: (x: Exchange, value: Value) => Promise<void>): EventBehaviours {
  const hrefOf = (x: Exchange, id: string): string => kind.href({ ...x.params, [kind.slot]: id })
  return {
    item: {
      get: (x) => oneEvent(x, kind),
      // A DELETE of a living event is a cancel: polling clients must see it (SEP-074).
      remove: (x) => cancelEvent(x.ctx, kind, x.params[kind.slot] ?? '', 2),
      // SEP-079: only the status changes; a PUT with a cancelled EventStatus cancels, anything else is a conflict.
      async put(x, value) {
        const wanted = (value.EventStatus as { currentStatus?: number } | undefined)?.currentStatus
        if (wanted !== 2 && wanted !== 3) throw new HttpFault(409, reason.values)
        const id = x.params[kind.slot] ?? ''
        await cancelEvent(x.ctx, kind, id, wanted)
        return { created: false, href: hrefOf(x, id) }
      },
    },
    list: {
      list: (x, page) => listEvents(x, kind, page),
      async post(x, value) {
        const parent = kind.parent(x.params)
        if (!await x.ctx.documents.get(x.ctx.tenant, program, parent.split('/').at(-1) ?? '')) throw new HttpFault(404)
        if ((value.interval as { duration: number }).duration < 1) throw new HttpFault(400, reason.values) // SEP-077
        await check(x, value)
        const id = await addEvent(x.ctx, kind, parent, value)
        await reportConflicts(x.ctx, kind, program, parent, id)
        return { created: true, href: hrefOf(x, id) }
      },
    },
    active: { list: (x, page) => listEvents(x, kind, page, 'active') },
  }
}

/** SEP-070: the server dates an event and keeps its status; the mRID is the maker's. Gives the event's id. */
export async function addEvent(ctx: CsipContext, kind: EventKind, parent: string, value: Value): Promise<string> {
  const { EventStatus: _status, replyTo: _replyTo, href: _href, subscribable: _subscribable, ConsumptionTariffIntervalListSummary: _summary, ...rest } = value
  for (const member of Object.keys(rest)) if (member.endsWith('Link')) delete rest[member] // ours to print
  const id = mridKey(String(value.mRID)), now = ctx.clock.now()
  if (await ctx.documents.get(ctx.tenant, 'csip/EndedEvent', `${kind.kind}/${id}`)) throw new Refusal('conflict', 'An ended event has this mRID.') // SEP-063: unique for ever
  const body: Value = { responseRequired: '03', ...rest, version: 0, creationTime: now }
  await ctx.documents.insert({ tenant: ctx.tenant, kind: kind.kind, id, parent, key: id, sort1: (value.interval as { start: number }).start, sort2: now, body }, ctx.clock.nowMs())
  return id
}

/**
 * SEP-074: cancelled now, and listed until its own end; cancelling twice changes nothing, an ended event is a conflict.
 * Status 3 is for events that randomize.
 */
export async function cancelEvent(ctx: CsipContext, kind: EventKind, mRID: string, status: 2 | 3): Promise<void> {
  const doc = await ctx.documents.get<Value>(ctx.tenant, kind.kind, mridKey(mRID))
  if (!doc) throw new HttpFault(404)
  if (doc.body.cancelled) return
  const now = ctx.clock.now()
  if (effectiveEnd(recordOf(kind, doc)) <= now) throw new Refusal('conflict', 'The event has ended.')
  const { events } = await livingEvents(ctx, kind, doc.parent, now)
  if (events.status.get(doc.id)?.currentStatus === 4) throw new Refusal('conflict', 'The event has been superseded.')
  const randomizes = doc.body.randomizeStart !== undefined || doc.body.randomizeDuration !== undefined
  const cancelled = { at: now, status: status === 3 && randomizes ? 3 : 2 }
  await ctx.documents.replace<Value>({ ...doc, body: { ...doc.body, cancelled, version: Number(doc.body.version ?? 0) + 1 } }, ctx.clock.nowMs(), doc.version)
}

/** SEP-076: devices decide between programs, lower primacy first; operators are told whose event will lose, and no status changes. */
async function reportConflicts(ctx: CsipContext, kind: EventKind, program: string, parent: string, id: string): Promise<void> {
  if (kind.neverSuperseded) return
  const { documents, tenant } = ctx, now = ctx.clock.now()
  const [own, added] = await Promise.all([documents.get<Value>(tenant, program, parent.split('/').at(-1) ?? ''), documents.get<Value>(tenant, kind.kind, id)])
  if (!own || !added || own.body.primacy === undefined) return
  const others = await documents.list<Value>(tenant, { kind: kind.kind, sort1To: added.sort1 + Number((added.body.interval as { duration: number }).duration), limit: 2000 })
  for (const other of others) {
    if (other.parent === added.parent || effectiveEnd(recordOf(kind, other)) <= now || other.body.cancelled || effectOn(recordOf(kind, other), recordOf(kind, added)) === 'none') continue
    const its = await documents.get<Value>(tenant, program, other.parent.split('/').at(-1) ?? '')
    if (!its) continue
    const wins = Number(own.body.primacy) <= Number(its.body.primacy) ? added : other
    ctx.log.warn({ event: added.id, other: other.id, program: added.parent, otherProgram: other.parent, wins: wins.id, clause: 'SEP-076' }, 'events of two programs overlap; devices in both obey the lower primacy')
  }
}
