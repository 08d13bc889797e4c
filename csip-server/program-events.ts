import { effectiveEnd, eventsAt, type EventRecord, type EventsAt, type EventStatus } from '#csip-server/event-status.js'
import { mridKey } from '#csip-server/place.js'
import type { Doc, Exchange, Item, Listed, Value } from '#csip-server/served.js'
import { cut, type Page } from '#csip-server/page.js'
import { byParent } from '#csip-server/devices.js'
import type { CsipContext } from '#csip-server/context.js'

/** What differs between the kinds of events that share the rules of section 7. */
export interface EventKind {
  readonly kind: string
  /** The path parameters that name the program. */
  readonly parent: (params: Readonly<Record<string, string>>) => string
  readonly slot: string
  readonly href: (params: Readonly<Record<string, string>>) => string
  /** Texts are listed newest start first. */
  readonly latestFirst?: boolean
  /** Which controls an event sets: events without a common one leave each other alone (SEP-075). */
  readonly controls: (body: Value) => readonly string[]
  /** Where answers go (SEP-080). */
  readonly replyTo: string
  readonly neverSuperseded?: boolean
}

export const recordOf = (kind: EventKind, doc: Doc): EventRecord => ({
  mRID: doc.id, creationTime: Number(doc.body.creationTime), arrival: doc.createdAt, interval: doc.body.interval as EventRecord['interval'],
  ...(doc.body.randomizeStart === undefined ? {} : { randomizeStart: Number(doc.body.randomizeStart) }),
  ...(doc.body.randomizeDuration === undefined ? {} : { randomizeDuration: Number(doc.body.randomizeDuration) }),
  ...(doc.body.deviceCategory === undefined ? {} : { deviceCategory: String(doc.body.deviceCategory) }),
  ...(doc.body.cancelled ? { cancelled: doc.body.cancelled as { at: number; status: 2 | 3 } } : {}),
  ...(kind.neverSuperseded ? { neverSuperseded: true } : {}),
  controls: kind.controls(doc.body), addressees: doc.targets,
})

interface Program {
  readonly docs: readonly Doc[]
  readonly records: readonly EventRecord[]
  /** Each event as it is shown, for as long as its status lasts. */
  readonly shown: Map<Doc, { readonly status: EventStatus | undefined; readonly value: Value }>
  at?: { now: number; events: EventsAt }
}

/** Start ascending, creation descending, mRID descending (facts/list-order.csv). */
const order = (a: Doc, b: Doc): number => a.sort1 - b.sort1 || b.sort2 - a.sort2 || ((a.key ?? '') < (b.key ?? '') ? 1 : -1)

async function program(ctx: CsipContext, kind: EventKind, parent: string): Promise<Program> {
  const turn = kind.latestFirst ? -1 : 1
  return ctx.recall(kind.kind, `program ${parent}`, async () => {
    const known = await byParent(ctx, kind.kind)
    const docs = [...known ? known.get(parent) ?? [] : await ctx.documents.list<Value>(ctx.tenant, { kind: kind.kind, parent })].sort((a, b) => turn * (a.sort1 - b.sort1) || order(a, b))
    return { docs, records: docs.map((d) => recordOf(kind, d)), shown: new Map() }
  })
}

/** The events of a program as they are now; asked again only when one changes or a moment of change has come. */
export async function livingEvents(ctx: CsipContext, kind: EventKind, parent: string, now: number): Promise<Pick<Program, 'docs' | 'shown'> & { events: EventsAt }> {
  const found = await program(ctx, kind, parent)
  if (!found.at || now < found.at.now || now >= found.at.events.nextChange) found.at = { now, events: eventsAt(found.records, now) }
  return { docs: found.docs, shown: found.shown, events: found.at.events }
}

/** An event that addresses devices is seen by them and their manager alone (contract §4). */
async function addressed(x: Exchange, doc: Doc): Promise<boolean> {
  if (x.peer.kind === 'operator' || doc.targets.length === 0 || doc.targets.includes(x.peer.lfdi)) return true
  for (const lfdi of doc.targets) if ((await x.devices.byLfdi(lfdi))?.owner === x.peer.lfdi) return true
  return false
}

/** Frozen, since everybody who sees the event sees this one value: it is made, and written, once for all of them (SEP-064, SEP-250). */
function dressed(x: Exchange, kind: EventKind, doc: Doc, status: EventStatus | undefined): Value {
  const { cancelled: _cancelled, delivery: _delivery, ...body } = doc.body
  const answers = Number.parseInt(String(body.responseRequired ?? '00'), 16) > 0, { prefix } = x.ctx.config
  return Object.freeze({
    href: prefix + kind.href({ ...x.params, [kind.slot]: doc.id }), subscribable: 0, ...body, ...(answers ? { replyTo: prefix + kind.replyTo } : {}), EventStatus: { ...status },
  })
}

function shownAs(x: Exchange, kind: EventKind, shown: Program['shown'], doc: Doc, status: EventStatus | undefined): Value {
  const known = shown.get(doc)
  if (known && known.status === status) return known.value
  const value = dressed(x, kind, doc, status)
  shown.set(doc, { status, value })
  return value
}

export async function listEvents(x: Exchange, kind: EventKind, page: Page, only?: 'active'): Promise<Listed> {
  const { docs, events, shown } = await livingEvents(x.ctx, kind, kind.parent(x.params), x.ctx.clock.now())
  x.until(events.nextChange)
  const seen: Doc[] = []
  for (const doc of docs) {
    const status = events.status.get(doc.id)
    if (status && (only === undefined || status.currentStatus === 1) && (doc.targets.length === 0 || await addressed(x, doc))) seen.push(doc)
  }
  // SEP-052: `a` filters before s and l and leaves `all` alone.
  const changed = (d: Doc): number => Math.max(Math.floor(d.modifiedAt / 1000), events.status.get(d.id)?.dateTime ?? 0)
  const key = x.ctx.config.afterMeans === 'changed' ? changed : (d: Doc): number => d.sort1
  const after = page.a === undefined ? seen : seen.filter((d) => key(d) > (page.a as number))
  const items: Item[] = cut(after, page).map((doc) => ({ id: doc.id, value: shownAs(x, kind, shown, doc, events.status.get(doc.id)) }))
  return { all: seen.length, items }
}

/** One event, also for a while after it ended (SEP-056): then with the status it ended with. */
export async function oneEvent(x: Exchange, kind: EventKind): Promise<Value | undefined> {
  const parent = kind.parent(x.params)
  const doc = await x.ctx.documents.get<Value>(x.ctx.tenant, kind.kind, mridKey(x.params[kind.slot] ?? ''))
  if (!doc || doc.parent !== parent || !(await addressed(x, doc))) return undefined
  const now = x.ctx.clock.now()
  const { docs, events } = await livingEvents(x.ctx, kind, parent, now)
  x.until(events.nextChange)
  const status = events.status.get(doc.id)
    ?? eventsAt(docs.map((d) => recordOf(kind, d)), effectiveEnd(recordOf(kind, doc)) - 1).status.get(doc.id)
  return dressed(x, kind, doc, status)
}
