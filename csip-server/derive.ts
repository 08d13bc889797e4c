import { createHash } from 'node:crypto'
import { Refusal } from '#core/error.js'
import type { DocumentQuery } from '#core/port/store/document.js'
import { byParent } from '#csip-server/devices.js'
import { HttpFault } from '#csip-server/error-map.js'
import { linksOf, type LinkTo } from '#csip-server/links.js'
import type { Page } from '#csip-server/page.js'
import { makePages } from '#csip-server/pages.js'
import { firstIsTime, keysOf, orderOf, parentOf, placeOf, slotOf } from '#csip-server/place.js'
import type { Doc, Exchange, Item, Listed, Served, Value, Written } from '#csip-server/served.js'
import type { CsipContext } from '#csip-server/context.js'
import { pollRates, ratesOf, type Rates } from '#csip-server/poll-rate.js'

const none: Rates = {}

/** Get, list, count, write and remove of anything in the registry, by its description and what its behaviour adds. */
export interface Derivation {
  value(served: Served, x: Exchange): Promise<Value | undefined>
  list(served: Served, x: Exchange, page: Page): Promise<Value>
  count(served: Served, x: Exchange): Promise<number>
  put(served: Served, x: Exchange, value: Value): Promise<Written>
  post(served: Served, x: Exchange, value: Value, root: string): Promise<Written>
  remove(served: Served, x: Exchange): Promise<void>
  /** Links that we print in a member of this list, or in this thing. */
  linksOf(served: Served): readonly string[]
  /** Document kinds that an answer is made of: what its cached form depends on. */
  readsOf(served: Served): readonly string[]
}

export function derive(ctx: CsipContext, registry: readonly Served[]): Derivation {
  const { documents, tenant, config } = ctx, pageOf = makePages(ctx)
  const links = new Map<Served, LinkTo[]>(registry.map((s) => [s, linksOf(s, registry)]))
  const items = new Map<Served, Served | undefined>(registry.map((s) => [s, registry.find((i) => i.resource === s.resource.lists?.item && !i.resource.lists)]))
  const counted = async (query: DocumentQuery): Promise<number> => {
    const known = query.parent !== undefined && Object.keys(query).length === 2 ? await byParent(ctx, query.kind) : undefined
    return known ? known.get(query.parent as string)?.length ?? 0 : ctx.recall(query.kind, `count ${JSON.stringify(query)}`, () => documents.count(tenant, query))
  }

  const hrefOf = (served: Served, params: Readonly<Record<string, string>>): string => served.resource.href?.print(params) ?? ''

  function plainly(served: Served, params: Readonly<Record<string, string>>, rates: Rates): Value {
    const out: Value = { href: (served.atRoot ? '' : config.prefix) + hrefOf(served, params) }
    if (served.subscribable) out.subscribable = 1
    if (served.pollRate) out.pollRate = rates[served.pollRate] ?? config.pollRate[served.pollRate]
    return out
  }

  async function dress(served: Served, x: Exchange, value: Value): Promise<Value> {
    // A member that stands in another list than its own brings its address along.
    const out = typeof value.href === 'string' ? {} : plainly(served, x.params, served.pollRate ? await ratesOf(ctx) : none)
    for (const link of links.get(served) ?? []) {
      if (Object.hasOwn(value, link.member)) continue
      const to: Value = { href: config.prefix + hrefOf(link.target, x.params) }
      if (link.counts) to.all = await count(link.target, x)
      out[link.member] = to
    }
    return Object.assign(out, value)
  }

  async function present(served: Served, x: Exchange, doc: Doc): Promise<Value | undefined> {
    const value = served.behaviour?.present ? await served.behaviour.present(x, doc) : { ...doc.body }
    return value && dress(served, x, value)
  }

  async function queryOf(served: Served, x: Exchange): Promise<DocumentQuery> {
    const narrowed = await served.behaviour?.select?.(x)
    return { kind: served.kind, ...(narrowed ?? { parent: parentOf(served, x.params) }) }
  }

  async function count(served: Served, x: Exchange): Promise<number> {
    if (served.behaviour?.count) return served.behaviour.count(x)
    if (served.behaviour?.list) return (await served.behaviour.list(x, { s: 0, l: 0, a: undefined })).all
    const query = await queryOf(served, x)
    return counted(query)
  }

  async function derivedList(served: Served, item: Served, x: Exchange, page: Page): Promise<Listed> {
    const query = await queryOf(served, x)
    const all = await counted(query)
    const after = page.a !== undefined && (firstIsTime(item.sort) || (item.changedInSort1 && config.afterMeans === 'changed')) ? { sort1From: page.a + 1 } : {}
    const read = (skip: number, limit: number): Promise<Doc[]> => limit <= 0 || skip >= all ? Promise.resolve([]) : pageOf({ order: orderOf(item.sort), ...query, ...after }, skip, limit)
    const lead = page.a === undefined ? await served.behaviour?.lead?.(x) : undefined
    const docs = lead ? await led(lead, read, page) : await read(page.s, page.l)
    const values: Item[] = []
    for (const doc of docs) {
      const itemX = x.at({ ...x.params, [slotOf(item)]: doc.id })
      const value = item.behaviour?.present ? await item.behaviour.present(itemX, doc) : { ...doc.body }
      if (value) values.push({ id: doc.id, value })
    }
    return { all, items: values }
  }

  /** Members before the lead's own place move back by one; the page is cut from that. */
  async function led(lead: { id: string; place: number }, read: (skip: number, limit: number) => Promise<Doc[]>, page: Page): Promise<Doc[]> {
    const from = Math.max(0, page.s - 1), rest = (await read(from, page.l + 1)).map((doc, i) => ({ doc, place: from + i }))
    const others = rest.map(({ doc, place }) => ({ doc, place: place === lead.place ? 0 : place < lead.place ? place + 1 : place })).filter((m) => m.place >= page.s && m.place < page.s + page.l && m.doc.id !== lead.id)
    const own = page.s === 0 && page.l > 0 ? await documents.get<Value>(tenant, 'csip/EndDevice', lead.id) : undefined
    return [...(own ? [own] : []), ...others.map((m) => m.doc)]
  }

  function mustItem(served: Served): Served {
    const item = items.get(served)
    if (!item) throw new HttpFault(405)
    return item
  }

  /** Stored things with an address below this one, however deep (SEP-106): no child outlives what it was said of. */
  async function removeBelow(served: Served, params: Readonly<Record<string, string>>): Promise<void> {
    const { template = '', names = [] } = served.resource.href ?? {}
    const parent = names.map((n) => params[n] ?? '').join('/')
    for (const s of registry) {
      const own = s.resource.href
      if (!own?.template.startsWith(`${template}/`) || s.resource.lists || own.names.length > names.length + 1) continue
      const slot = own.names[names.length]
      if (slot !== undefined) for (const doc of await documents.list(tenant, { kind: s.kind, parent })) await removeBelow(s, { ...params, [slot]: doc.id })
      await documents.removeAll(tenant, s.kind, parent)
    }
  }

  return {
    count,
    readsOf(served) {
      const out = new Set(['csip/EndDevice', served.kind, ...(served.reads ?? []), ...(served.pollRate ? [pollRates] : [])])
      const item = items.get(served)
      for (const s of [served, ...(item ? [item] : [])]) {
        for (const r of s.reads ?? []) out.add(r)
        for (const { target, counts: c } of links.get(s) ?? []) if (c) for (const r of [target.kind, ...(target.reads ?? [])]) out.add(r)
      }
      return [...out]
    },
    linksOf: (served) => (links.get(items.get(served) ?? served) ?? []).map((l) => l.member),
    async value(served, x) {
      if (served.behaviour?.get) {
        const value = await served.behaviour.get(x)
        return value && dress(served, x, value)
      }
      const place = placeOf(served, x.params)
      // Many look at one thing between two changes of it: subscribers, and clients whose answers differ in nothing but their address.
      const doc = await ctx.recall<Doc | undefined>(place.kind, `doc ${place.id}`, () => documents.get<Value>(tenant, place.kind, place.id))
      return doc && doc.parent === place.parent ? present(served, x, doc) : undefined
    },
    async list(served, x, page) {
      const item = items.get(served)
      const behaves = served.behaviour?.list
      const { all, items: members } = behaves ? await behaves(x, page) : await derivedList(served, mustItem(served), x, page)
      const values: Value[] = []
      const linked = item && (links.get(item)?.length ?? 0) > 0
      for (const { id, value } of members) {
        // What brings its address along and has no links is finished, and may be a value that everybody is shown.
        if (!item || (!linked && value.href !== undefined)) { values.push(value); continue }
        const params = { ...x.params, [slotOf(item)]: id }
        values.push(linked ? await dress(item, x.at(params), value) : Object.assign(plainly(item, params, none), value))
      }
      const out: Value = { ...plainly(served, x.params, served.pollRate ? await ratesOf(ctx) : none), all, results: values.length }
      out[served.resource.lists?.member ?? ''] = values
      return out
    },
    async put(served, x, value) {
      if (served.behaviour?.put) return served.behaviour.put(x, value)
      const place = placeOf(served, x.params)
      const before = await documents.get<Value>(tenant, place.kind, place.id)
      if (before && before.parent !== place.parent) throw new HttpFault(404)
      const body = bare(await served.behaviour?.complete?.(x, value, before) ?? value, links.get(served) ?? [])
      // SEP-065: what keeps its mRID gets the next version with each change.
      if (before && Object.hasOwn(properties(served), 'version')) body.version = Number(before.body.version ?? 0) + 1
      const [doc] = await documents.insertMany<Value>([{ tenant, ...place, ...keysOf(served.sort, body), owner: before?.owner ?? x.peer.lfdi, targets: before?.targets ?? [], body }], ctx.clock.nowMs(), { onConflict: 'replace' })
      if (doc) await served.behaviour?.stored?.(x, doc)
      return { created: !before && !served.quietFirstPut, href: hrefOf(served, x.params) }
    },
    async post(served, x, value, root) {
      if (served.behaviour?.post) return served.behaviour.post(x, value, root)
      const item = mustItem(served)
      const parent = parentOf(served, x.params), said = item.behaviour?.says?.(value)
      const id = said === undefined ? ctx.ids.hex(8).toUpperCase() : wordId(item.kind, parent, said)
      const params = { ...x.params, [slotOf(item)]: id }
      const body = bare(await item.behaviour?.complete?.(x.at(params), value, undefined) ?? value, links.get(item) ?? [])
      const [made] = await documents.insertMany<Value>([{ tenant, kind: item.kind, id, parent, ...keysOf(item.sort, body), owner: x.peer.lfdi || null, body }], ctx.clock.nowMs(), { onConflict: 'skip' })
      const doc = made ?? await documents.get<Value>(tenant, item.kind, id)
      if (!doc) throw new Refusal('conflict', 'Another one has this mRID.')
      // Also of what was there: a device that heard 503, or nothing, says the same again, and this word may be what had failed (SEP-047).
      await item.behaviour?.stored?.(x.at(params), doc)
      return { created: made !== undefined, href: hrefOf(item, params) }
    },
    async remove(served, x) {
      if (served.behaviour?.remove) {
        await served.behaviour.remove(x)
        return served.takesBelow ? removeBelow(served, x.params) : undefined
      }
      const place = placeOf(served, x.params)
      const doc = await documents.get(tenant, place.kind, place.id)
      if (!doc || doc.parent !== place.parent) throw new HttpFault(404)
      await documents.remove(tenant, place.kind, place.id)
      await removeBelow(served, x.params)
    },
  }
}

const properties = (served: Served): object => (served.resource.schema as { properties?: object }).properties ?? {}

/** One word of one speaker has one place, however often it is said. */
const wordId = (kind: string, parent: string, said: Value): string =>
  createHash('sha256').update(`${kind} ${parent} ${JSON.stringify(said)}`).digest('hex').slice(0, 16).toUpperCase()

/** Addresses and list attributes are ours to print, never a client's to store (SEC-032). */
function bare(value: Value, derived: readonly LinkTo[]): Value {
  const { href: _href, subscribable: _subscribable, all: _all, results: _results, replyTo: _replyTo, ...rest } = value
  for (const { member } of derived) delete rest[member]
  return rest
}
