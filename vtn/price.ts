import { Refusal, type Fault } from '#core/error.js'
import type { Context } from '#vtn/context.js'
import { isoSeconds } from '#vtn/order.js'
import { lifespan } from '#vtn/lifespan.js'
import { aimedAt, kindOf, tidy, type Content } from '#vtn/stored.js'
import type { EventRequest } from '#vtn/wire/event.js'

export interface PriceRow { readonly start: number; readonly price: number }

/** `start,price` with a header line; RFC 3339 starts. Names every bad row at once and takes none of them. */
export function readPrices(csv: string): PriceRow[] {
  const [header, ...lines] = csv.split(/\r?\n/).filter((l) => l.trim() !== '')
  if (header?.toLowerCase().replaceAll(' ', '') !== 'start,price') throw new Refusal('invalid', 'the first line must be start,price')
  const faults: Fault[] = []
  const rows = lines.map((line, row) => {
    const [at = '', value = ''] = line.split(',').map((c) => c.trim())
    const start = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/i.test(at) ? Date.parse(at) : Number.NaN, price = value === '' ? Number.NaN : Number(value)
    if (!Number.isFinite(start)) faults.push({ path: `/${row}/start`, reason: 'must be RFC 3339 with zone' })
    if (!Number.isFinite(price)) faults.push({ path: `/${row}/price`, reason: 'must be a number' })
    return { start: start / 1000, price }
  }).sort((a, b) => a.start - b.start)
  rows.forEach((r, i) => { if (i > 0 && r.start === rows[i - 1]?.start) faults.push({ path: `/${i}/start`, reason: 'comes twice' }) })
  if (!rows.length) faults.push({ path: '/', reason: 'has no prices' })
  if (faults.length) throw new Refusal('invalid', faults.slice(0, 10).map((f) => `${f.path} ${f.reason}`).join('; '), { faults })
  return rows
}

/** OA-261: one event for a day, one PRICE interval per row, each with its own start in UTC; the last is as long as the one before. */
export function priceEvent(rows: readonly PriceRow[], programID: string, currency: string, name: string): EventRequest {
  const usual = rows.length > 1 ? (rows[rows.length - 1] as PriceRow).start - (rows[rows.length - 2] as PriceRow).start : 3600
  return {
    programID, eventName: name,
    payloadDescriptors: [{ objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: 'PRICE', units: 'KWH', currency }],
    intervals: rows.map((r, id) => ({
      id, intervalPeriod: { start: new Date(r.start * 1000).toISOString(), duration: isoSeconds((rows[id + 1]?.start ?? r.start + usual) - r.start) },
      payloads: [{ type: 'PRICE', values: [r.price] }],
    })),
  }
}

/** Puts a day's prices on the VTN under a program of that name; the same day again replaces its event. */
export async function publishPrices(context: Context, programName: string, currency: string, name: string, rows: readonly PriceRow[]): Promise<string> {
  const { unitOfWork, clock, ids, notices, config: { tenant } } = context
  return unitOfWork.run(async (stores) => {
    const { documents } = stores
    const known = await documents.byKey<Content>(tenant, kindOf.PROGRAM, '', programName)
    const program = known ?? await documents.insert<Content>({ tenant, kind: kindOf.PROGRAM, id: ids.uuid(), parent: '', key: programName, targets: aimedAt({}), body: { programName } }, clock.nowMs())
    if (!known) await notices.record(stores, [{ objectType: 'PROGRAM', operation: 'CREATE', after: program }])
    const content = tidy(priceEvent(rows, program.id, currency, name))
    const [before] = await documents.list<Content>(tenant, { kind: kindOf.EVENT, parent: program.id, where: { eventName: name }, limit: 1 })
    const row = {
      tenant, kind: kindOf.EVENT, id: before?.id ?? ids.uuid(), parent: program.id, targets: aimedAt(content),
      sort1: Math.ceil((lifespan(content as EventRequest, clock.nowMs())?.end ?? 0) / 1000), sort2: rows[0]?.start ?? 0, body: content,
    }
    const after = before ? await documents.replace<Content>(row, Math.max(clock.nowMs(), before.modifiedAt + 1)) : await documents.insert<Content>(row, clock.nowMs())
    await notices.record(stores, [{ objectType: 'EVENT', operation: before ? 'UPDATE' : 'CREATE', after, ...(before ? { before } : {}) }])
    return after.id
  })
}
