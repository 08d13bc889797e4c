import { system } from '#core/caller.js'
import type { NewDocument } from '#core/port/store/document.js'
import { readingFaults } from '#core/reading/faults.js'
import type { ReadingInput } from '#core/reading/reading.js'
import type { CsipContext } from '#csip-server/context.js'
import { energiesOf, isIntervalEnergy, type RawReading, type Series } from '#csip-server/energy.js'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { mridKey } from '#csip-server/place.js'
import type { Behaviour, Doc, Exchange, Value, Written } from '#csip-server/served.js'

const points = 'csip/MirrorUsagePoint', series = 'csip/MirrorMeterReading', sets = 'csip/MirrorReadingSet'

/** roleFlags (SEP-171): bit 1 premises, bit 3 DER, bit 6 submeter. */
const bits = (flags: unknown): number => Number.parseInt(String(flags || '0'), 16)
const isSite = (flags: unknown): boolean => (bits(flags) & 0x02) !== 0
const isDER = (flags: unknown): boolean => (bits(flags) & 0x08) !== 0

const present = async (x: Exchange, doc: Doc): Promise<Value> => {
  const own = await x.ctx.documents.list<Value>(x.ctx.tenant, { kind: series, parent: doc.id, order: ['-key'] })
  const device = await x.devices.byLfdi(String(doc.body.deviceLFDI)), postRate = Number(device?.body.postRate ?? x.ctx.config.postRate) // SEP-167
  return { ...doc.body, postRate, ...(own.length === 0 ? {} : { MirrorMeterReading: own.map((d) => d.body) }) }
}

export const mirrorUsagePoint: Behaviour = {
  present,
  post: async (x, value, root) => {
    const point = await pointOf(x)
    await take(x, point, root === 'MirrorMeterReadingList' ? (value.MirrorMeterReading as Value[] | undefined) ?? [] : [value])
    return { created: true, href: `/mup/${point.id}` }
  },
  put: async (x, value) => {
    const point = await pointOf(x)
    if (mridKey(String(value.mRID)) !== point.body.mRIDKey) throw new HttpFault(400, reason.values)
    await update(x, point, value)
    return { created: false, href: `/mup/${point.id}` }
  },
  async remove(x) {
    const point = await pointOf(x)
    await x.ctx.documents.remove(x.ctx.tenant, points, point.id)
    for (const s of await x.ctx.documents.list(x.ctx.tenant, { kind: series, parent: point.id })) await x.ctx.documents.removeAll(x.ctx.tenant, sets, s.id)
    await x.ctx.documents.removeAll(x.ctx.tenant, series, point.id)
  },
}

export const mirrorMeterReadingList: Behaviour = { post: (x, value, root) => (mirrorUsagePoint.post as NonNullable<Behaviour['post']>)(x, value, root) }

export const mirrorUsagePointList: Behaviour = {
  /** SEP-165: what a client made, and an aggregator also what its devices made. */
  select: async (x) => x.peer.kind === 'operator' ? { parent: '' } : { parent: '', withTargets: [x.peer.lfdi] },
  post: upsert,
}

async function pointOf(x: Exchange): Promise<Doc> {
  const id = x.params.mup ?? ''
  const point = await x.ctx.recall(points, `id ${id}`, () => x.ctx.documents.get<Value>(x.ctx.tenant, points, id))
  if (!point) throw new HttpFault(404)
  return point
}

/** SEP-166: the key is (owner, mRID); a known one is updated in place. */
async function upsert(x: Exchange, value: Value): Promise<Written> {
  const { ctx, peer } = x
  const lfdi = String(value.deviceLFDI).toUpperCase()
  const device = await x.devices.byLfdi(lfdi)
  if (!device || !x.devices.mine(peer, device) || (peer.kind === 'device' && device.body.enabled === false)) throw new HttpFault(403)
  const owner = peer.lfdi || lfdi, mRIDKey = mridKey(String(value.mRID))
  const key = `${owner} ${mRIDKey}`
  const known = await ctx.documents.byKey<Value>(ctx.tenant, points, '', key)
  if (known) {
    await update(x, known, value)
    return { created: false, href: `/mup/${known.id}` }
  }
  const { MirrorMeterReading: readings, postRate: _postRate, href: _href, ...rest } = value
  await checkSeries(x, undefined, (readings as Value[] | undefined) ?? [], owner)
  const id = ctx.ids.hex(8).toUpperCase()
  const point = await ctx.documents.insert<Value>({
    tenant: ctx.tenant, kind: points, id, parent: '', key, owner, targets: [...new Set([owner, lfdi, device.owner ?? lfdi])], sort1: ctx.clock.now(),
    body: { ...rest, deviceLFDI: lfdi, mRIDKey },
  }, ctx.clock.nowMs())
  await take(x, point, (readings as Value[] | undefined) ?? [])
  return { created: true, href: `/mup/${id}` }
}

async function update(x: Exchange, point: Doc, value: Value): Promise<void> {
  const { MirrorMeterReading: readings, postRate: _postRate, deviceLFDI, href: _href, ...rest } = value
  if (String(deviceLFDI).toUpperCase() !== point.body.deviceLFDI) throw new HttpFault(400, reason.values)
  const list = (readings as Value[] | undefined) ?? []
  await checkSeries(x, point, list, point.owner)
  const body = { ...point.body, ...rest }
  if (JSON.stringify(body) !== JSON.stringify(point.body)) await x.ctx.documents.replace<Value>({ ...point, sort1: x.ctx.clock.now(), body }, x.ctx.clock.nowMs())
  await take(x, point, list)
}

/** SEP-166, SEP-168: nobody writes into another client's series, and a first reading says what it measures. */
async function checkSeries(x: Exchange, point: Doc | undefined, list: readonly Value[], owner: string | null): Promise<Map<string, Doc>> {
  const ids = list.map((m) => mridKey(String(m.mRID)))
  const known = await Promise.all([...new Set(ids)].map((id) => x.ctx.recall(series, `id ${id}`, () => x.ctx.documents.get<Value>(x.ctx.tenant, series, id))))
  const found = new Map(known.flatMap((d) => d ? [[d.id, d]] : []))
  for (const [i, m] of list.entries()) {
    const before = found.get(ids[i] as string)
    if (before && (before.owner !== owner || (point && before.parent !== point.id) || !point)) throw new HttpFault(before.owner === owner ? 400 : 403, reason.values)
    if (!before && !m.ReadingType) throw new HttpFault(400, reason.values)
  }
  const latest = x.ctx.clock.now() + 300
  for (const m of list) for (const r of readingsOf(m)) if ((r.timePeriod?.start ?? 0) > latest) throw new HttpFault(400, reason.values) // SEP-175
  return found
}

const setsOf = (m: Value): Value[] => (m.MirrorReadingSet as Value[] | undefined) ?? []
const readingsOf = (m: Value): RawReading[] => [
  ...setsOf(m).flatMap((s) => (s.Reading as RawReading[] | undefined) ?? []),
  ...(m.Reading ? [m.Reading as RawReading] : []),
]

/** Stores what was posted, then hands interval energies to core's single door; acknowledged only after both (SEP-047). */
async function take(x: Exchange, point: Doc, list: readonly Value[]): Promise<void> {
  if (list.length === 0) return
  const { ctx } = x
  const known = await checkSeries(x, point, list, point.owner)
  const documents: NewDocument<Value>[] = []
  const rows: ReadingInput[] = []
  for (const m of list.map((m) => recent(ctx, m))) {
    const id = mridKey(String(m.mRID)), before = known.get(id)
    const { MirrorReadingSet: _sets, Reading: latest, lastUpdateTime: _last, nextUpdateTime: _next, href: _href, ...rest } = m
    const body: Value = { ...before?.body, ...rest }
    // What a series is changes seldom; its readings are stored beside it, so that a post is one small insert (SEP-253).
    if (!before || JSON.stringify(body) !== JSON.stringify(before.body)) documents.push({ tenant: ctx.tenant, kind: series, id, parent: point.id, key: id, owner: point.owner, body })
    if (latest) {
      const one = latest as RawReading & { localID?: string }, start = one.timePeriod?.start ?? 0
      documents.push({ tenant: ctx.tenant, kind: sets, id: `${id}/${start}/${one.localID ?? ''}`, parent: id, owner: point.owner, sort1: start, body: { Reading: [latest] } })
    }
    for (const set of setsOf(m)) {
      const { href: _h, ...setBody } = set
      const start = (set.timePeriod as { start: number }).start
      documents.push({ tenant: ctx.tenant, kind: sets, id: `${id}/${start}`, parent: id, owner: point.owner, sort1: start, body: setBody })
    }
    rows.push(...await rowsOf(x, point, body.ReadingType as Series, readingsOf(m)))
  }
  await ctx.documents.insertMany(lastOf(documents), ctx.clock.nowMs(), { onConflict: 'replace' })
  if (rows.length > 0) await ctx.intake.readings.record(system(ctx.tenant), rows)
}

/** SEP-175: what is older than the retention is counted and dropped; one without a time is the latest value. */
function recent(ctx: CsipContext, m: Value): Value {
  const oldest = ctx.clock.now() - ctx.config.retention_s, young = (v: { timePeriod?: { start: number } | undefined }): boolean => (v.timePeriod?.start ?? oldest) >= oldest
  const latest = m.Reading as RawReading | undefined, sets_ = setsOf(m), kept = sets_.filter((s) => young(s as { timePeriod?: { start: number } }))
  const dropped = sets_.filter((s) => !kept.includes(s)).reduce((n, s) => n + ((s.Reading as unknown[] | undefined)?.length ?? 0), 0) + (latest && !young(latest) ? 1 : 0)
  if (dropped === 0) return m
  ctx.tooOld(dropped)
  const { Reading: _latest, ...rest } = m
  return { ...rest, MirrorReadingSet: kept, ...(latest && young(latest) ? { Reading: latest } : {}) }
}

/** One statement cannot write a row twice: of documents with one id the last one holds. */
const lastOf = (documents: readonly NewDocument<Value>[]): NewDocument<Value>[] =>
  [...new Map(documents.map((d) => [`${d.kind} ${d.id}`, d])).values()]

async function rowsOf(x: Exchange, point: Doc, type: Series, readings: readonly RawReading[]): Promise<ReadingInput[]> {
  if (!isIntervalEnergy(type) || !await measuresTheSite(x, point)) return []
  const lfdi = String(point.body.deviceLFDI)
  const resource = await x.ctx.intake.directory.byRemote(x.ctx.tenant, 'ieee2030_5', lfdi)
  if (!resource) return []
  const energies = energiesOf(type, readings, isDER(point.body.roleFlags))
  const rows: ReadingInput[] = energies.map((e) => ({ servicePoint: resource.servicePoint, source: `ieee2030_5:${lfdi}`, lineage: String(point.body.mRID), ...e }))
  // Interpretation (SEP-168, SEP-175): an interval that does not lie on core's grid is kept in the mirror and not guessed into another one; it is no reason to refuse the post.
  const whole = rows.filter((r) => readingFaults(r, 1).length === 0)
  if (whole.length < rows.length) x.ctx.log.info({ caller: lfdi, series: String(point.body.mRID), kept: rows.length - whole.length, clause: 'SEP-168' }, 'readings off the grid stay in the mirror')
  return whole
}

/**
 * Interpretation (SEP-174): the premises meter speaks for the service point. A DER's own meter does so only as long as
 * the device mirrors no premises meter; else the same energy would be counted twice.
 */
async function measuresTheSite(x: Exchange, point: Doc): Promise<boolean> {
  if (isSite(point.body.roleFlags)) return true
  const lfdi = String(point.body.deviceLFDI)
  const others = await x.ctx.recall(points, `of ${lfdi}`, () => x.ctx.documents.list<Value>(x.ctx.tenant, { kind: points, withTargets: [lfdi] }))
  return !others.some((p) => p.body.deviceLFDI === lfdi && isSite(p.body.roleFlags))
}
