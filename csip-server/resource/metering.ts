import { createHash } from 'node:crypto'
import { HttpFault } from '#csip-server/error-map.js'
import { cut, type Page } from '#csip-server/page.js'
import { mridKey } from '#csip-server/place.js'
import type { Behaviour, Doc, Exchange, Item, Listed, Value } from '#csip-server/served.js'

/** SEP-173: what was mirrored, read as UsagePoint, MeterReading, ReadingSet and Reading. Nothing is stored twice: these are views of the mirror. */
const points = 'csip/MirrorUsagePoint', series = 'csip/MirrorMeterReading', sets = 'csip/MirrorReadingSet'
export const meteringReads: readonly string[] = [points, series, sets]

const pick = (value: Value, ...members: string[]): Value => Object.fromEntries(members.filter((m) => value[m] !== undefined).map((m) => [m, value[m]]))

const pointValue = (doc: Doc): Value => pick(doc.body, 'mRID', 'description', 'version', 'roleFlags', 'serviceCategoryKind', 'status', 'deviceLFDI')
const visible = (x: Exchange) => x.peer.kind === 'operator' ? { parent: '' } : { parent: '', withTargets: [x.peer.lfdi] }

export const usagePointList: Behaviour = {
  count: (x) => x.ctx.recall(points, `count ${x.peer.lfdi}`, () => x.ctx.documents.count(x.ctx.tenant, { kind: points, ...visible(x) })),
  async list(x, page) {
    const { documents, tenant } = x.ctx, query = { kind: points, ...visible(x) }
    const [all, docs] = await Promise.all([documents.count(tenant, query), page.l === 0 ? [] : documents.list<Value>(tenant, { ...query, order: ['-key', 'id'], skip: page.s, limit: page.l })])
    return { all, items: docs.map((d) => ({ id: d.id, value: pointValue(d) })) }
  },
}

export const usagePoint: Behaviour = {
  async get(x) {
    const doc = await x.ctx.documents.get<Value>(x.ctx.tenant, points, x.params.upt ?? '')
    return doc && pointValue(doc)
  },
}

/** SEP-169: its latest value is the last reading of its newest set. */
async function meterValue(x: Exchange, doc: Doc): Promise<Value> {
  const [newest] = await x.ctx.recall(sets, `newest of ${doc.id}`, () => x.ctx.documents.list<Value>(x.ctx.tenant, { kind: sets, parent: doc.id, order: ['-sort1', '-id'], limit: 1 }))
  const last = newest && itemsOf(newest).at(-1)
  return {
    ...pick(doc.body, 'mRID', 'description', 'version'),
    ...(last ? { ReadingLink: { href: `${x.ctx.config.prefix}/upt/${x.params.upt ?? ''}/mr/${doc.id}/rs/${setId(newest)}/r/${last.id}` } } : {}),
  }
}

async function meters(x: Exchange): Promise<Doc[]> {
  return x.ctx.recall(series, `below ${x.params.upt ?? ''}`, () => x.ctx.documents.list<Value>(x.ctx.tenant, { kind: series, parent: x.params.upt ?? '', order: ['-key'] }))
}

async function meter(x: Exchange): Promise<Doc> {
  const found = (await meters(x)).find((d) => d.id === mridKey(x.params.mr ?? ''))
  if (!found) throw new HttpFault(404)
  return found
}

export const meterReadingList: Behaviour = {
  count: async (x) => (await meters(x)).length,
  async list(x, page) {
    const all = await meters(x)
    return { all: all.length, items: await Promise.all(cut(all, page).map(async (d) => ({ id: d.id, value: await meterValue(x, d) }))) }
  },
}
export const meterReading: Behaviour = { get: async (x) => meterValue(x, await meter(x)) }
export const readingType: Behaviour = { get: async (x) => (await meter(x)).body.ReadingType as Value | undefined }

/** A set's place in an address: its start, and the localID of a reading that came without a set. */
const setId = (doc: Doc): string => doc.id.slice(doc.parent.length + 1).replaceAll('/', '_').replace(/_$/, '')
const readingsIn = (doc: Doc): Value[] => (doc.body.Reading as Value[] | undefined) ?? []

/** Interpretation: a reading that was posted without a set is a set of one, with an mRID made of its series and start. */
function setValue(doc: Doc): Value {
  const own = (readingsIn(doc)[0]?.timePeriod as Value | undefined) ?? { duration: 0, start: doc.sort1 }
  return { mRID: createHash('sha256').update(doc.id).digest('hex').slice(0, 32).toUpperCase(), ...pick(doc.body, 'mRID', 'description', 'version'), timePeriod: doc.body.timePeriod ?? own }
}

async function setsOf(x: Exchange, page?: Page): Promise<{ all: number; docs: Doc[] }> {
  const parent = (await meter(x)).id, { documents, tenant } = x.ctx
  const after = page?.a === undefined ? {} : { sort1From: page.a + 1 }
  const [all, docs] = await Promise.all([
    documents.count(tenant, { kind: sets, parent }),
    !page || page.l === 0 ? [] : documents.list<Value>(tenant, { kind: sets, parent, ...after, order: ['-sort1', '-id'], skip: page.s, limit: page.l }),
  ])
  return { all, docs }
}

export const readingSetList: Behaviour = {
  count: async (x) => (await setsOf(x)).all,
  async list(x, page) {
    const { all, docs } = await setsOf(x, page)
    return { all, items: docs.map((d) => ({ id: setId(d), value: setValue(d) })) }
  },
}

async function set(x: Exchange): Promise<Doc> {
  const parent = (await meter(x)).id, [start = '', local] = (x.params.rs ?? '').split('_')
  for (const id of [`${parent}/${start}${local === undefined ? '' : `/${local}`}`, `${parent}/${start}/${local ?? ''}`]) {
    const found = await x.ctx.documents.get<Value>(x.ctx.tenant, sets, id)
    if (found?.parent === parent) return found
  }
  throw new HttpFault(404)
}
export const readingSet: Behaviour = { get: async (x) => setValue(await set(x)) }

/** SEP-053: localID ascending; one without is known by its place. */
function itemsOf(doc: Doc): Item[] {
  const numbered = readingsIn(doc).map((value, i) => ({ value, id: value.localID === undefined ? `n${i}` : String(value.localID), order: value.localID === undefined ? i : Number.parseInt(String(value.localID), 16) }))
  return numbered.sort((a, b) => a.order - b.order).map(({ id, value }) => ({ id, value }))
}

export const readingList: Behaviour = {
  count: async (x) => readingsIn(await set(x)).length,
  async list(x, page): Promise<Listed> {
    const items = itemsOf(await set(x))
    return { all: items.length, items: cut(items, page) }
  },
}
export const reading: Behaviour = { get: async (x) => itemsOf(await set(x)).find((i) => i.id === x.params.r)?.value }
