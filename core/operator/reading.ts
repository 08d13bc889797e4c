import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import { readingFaults, type RowFault } from '#core/reading/faults.js'
import type { Channel, Quality, Reading, ReadingInput } from '#core/reading/reading.js'
import { storeReadings } from '#core/reading/record.js'
import { Refusal } from '#core/error.js'
import { commandHash, once } from '#core/operator/idempotency.js'
import { problem } from '#core/operator/error-map.js'
import { meterers, staff } from '#core/operator/roles.js'
import { ok, type Answer, type OperatorRoute } from '#core/operator/route.js'
import { filter, page, reference, time } from '#core/operator/schema.js'
import { fromOf, pageOf, rfc3339, stamp, toOf } from '#core/operator/wire.js'

/** A row as it came, before anything is believed about it. */
type Raw = Readonly<Record<string, unknown>>

const fields = ['servicePoint', 'start', 'minutes', 'Wh', 'channel', 'quality']
/** More faults than anyone reads are counted, not listed. */
const mostFaults = 10_000

function inputOf(raw: Raw, source: string): ReadingInput {
  const number = (v: unknown): number => (typeof v === 'number' ? v : typeof v === 'string' && /^-?\d+(\.\d+)?$/.test(v) ? Number(v) : NaN)
  // RFC 3339 with an offset: a meter's time without one would be a guess (CORE-119)
  const at = typeof raw.start === 'string' && /(Z|[+-]\d{2}:\d{2})$/i.test(raw.start) ? Date.parse(raw.start) / 1000 : NaN
  return {
    servicePoint: raw.servicePoint as string, start: at, minutes: number(raw.minutes), Wh: number(raw.Wh), channel: (raw.channel === undefined || raw.channel === '' ? 'import' : raw.channel) as Channel,
    quality: (raw.quality === undefined || raw.quality === '' ? 'RAW' : raw.quality) as Quality, source,
  }
}

/** Lines of a stream, without the last newline; only `most` characters a line. */
export async function* lines(stream: Readable, most = 65_536): AsyncGenerator<string> {
  let rest = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    if (rest.length > most) throw new Refusal('tooLarge', 'a line is too long')
    for (const line of parts) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  if (rest !== '') yield rest
}

const cells = (line: string): string[] => line.split(',').map((c) => c.trim().replace(/^"(.*)"$/, '$1'))

/** Rows of any of the three forms, with the number people count by: CSV by line, the others by row. */
async function* rowsOf(body: unknown, type: string): AsyncGenerator<{ row: number; raw: Raw | undefined }> {
  if (type.startsWith('text/csv')) {
    let header: string[] | undefined, row = 0
    for await (const line of lines(body as Readable)) {
      if (!header) {
        header = cells(line.replace(/^\uFEFF/, ''))
        const strange = header.filter((h) => !fields.includes(h))
        if (strange.length > 0) throw new Refusal('invalid', `unknown columns: ${strange.join(', ')}`, { faults: strange.map((h) => ({ path: `header/${h}`, reason: 'is not a column of readings' })) })
        continue
      }
      row++
      if (line === '') continue
      const values = cells(line)
      yield { row, raw: values.length === header.length ? Object.fromEntries(header.map((h, i) => [h, values[i]])) : undefined }
    }
    return
  }
  let row = 0
  if (body instanceof Readable) {
    for await (const line of lines(body)) {
      row++
      if (line.trim() === '') continue
      yield { row, raw: parsed(line) }
    }
    return
  }
  const list = (body as { readings?: unknown } | null)?.readings
  if (!Array.isArray(list)) throw new Refusal('invalid', 'readings must be a list', { faults: [{ path: '/readings', reason: 'is not a list' }] })
  for (const raw of list as unknown[]) yield { row: ++row, raw: raw !== null && typeof raw === 'object' ? (raw as Raw) : undefined }
}

function parsed(line: string): Raw | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return value !== null && typeof value === 'object' ? (value as Raw) : undefined
  } catch {
    return undefined
  }
}

/** id or name → id, asked once each; a whole list of names is read as pages. */
async function pointIds(stores: Stores, tenant: string, names: ReadonlySet<string>): Promise<Map<string, string>> {
  const out = new Map<string, string>((await stores.servicePoints.getMany(tenant, [...names])).map((p) => [p.id, p.id]))
  const left = [...names].filter((n) => !out.has(n))
  if (left.length > 50) for (const p of await every((page) => stores.servicePoints.list(tenant, {}, page))) { if (names.has(p.name)) out.set(p.name, p.id) }
  else for (const n of left) {
    const p = await stores.servicePoints.find(tenant, n)
    if (p) out.set(n, p.id)
  }
  return out
}

/** All rows checked first, then all stored in one transaction: any bad row and nothing is (contract §6). */
export async function importReadings(stores: Stores, tenant: string, source: string, body: unknown, type: string): Promise<{ rows: ReadingInput[]; faults: RowFault[]; bad: number }> {
  const rows: ReadingInput[] = [], faults: RowFault[] = [], at: number[] = [], names = new Set<string>()
  let bad = 0
  for await (const { row, raw } of rowsOf(body, type)) {
    const input = raw && inputOf(raw, source)
    const found: RowFault[] = input ? readingFaults(input, row) : [{ row, field: '', reason: 'cannot be read' }]
    for (const field in raw) if (!fields.includes(field)) found.push({ row, field, reason: 'is not a field of readings' })
    if (!input || found.length > 0) {
      bad++
      if (faults.length < mostFaults) faults.push(...found)
      continue
    }
    rows.push(input)
    at.push(row)
    names.add(input.servicePoint)
  }
  const ids = await pointIds(stores, tenant, names)
  for (let i = 0; i < rows.length; i++) {
    const id = ids.get(rows[i]!.servicePoint)
    if (id !== undefined) rows[i] = { ...rows[i]!, servicePoint: id }
    else {
      bad++
      if (faults.length < mostFaults) faults.push({ row: at[i]!, field: 'servicePoint', reason: 'there is no such service point' })
    }
  }
  return { rows, faults: faults.sort((a, b) => a.row - b.row), bad }
}

const refusal = (faults: readonly RowFault[], bad: number): Answer => ({
  status: 422, body: problem('invalid', 422, 'The input cannot be used', `${bad} rows cannot be stored; nothing was`, '/api/v1/readings', { rows: faults, faults: faults.map((f) => ({ path: `${f.row}/${f.field}`, reason: f.reason })) }),
})

export const readingView = (r: Reading) => ({ servicePoint: r.servicePoint, start: rfc3339(r.start), minutes: r.minutes, Wh: r.Wh, channel: r.channel, quality: r.quality, source: r.source, receivedAt: stamp(r.receivedAt), sourceVersion: r.sourceVersion })

export const readingRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'readings', summary: 'Current interval values', roles: staff, query: page({ servicePoint: Type.Optional(reference), from: Type.Optional(time), to: Type.Optional(time), channel: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller, { servicePoint, channel } = ask.query
      const point = servicePoint === undefined ? undefined : present(await stores.servicePoints.find(tenant, servicePoint), 'service point', servicePoint)
      const where = {
        ...(point ? { servicePoint: point.id } : {}), ...(channel === undefined ? {} : { channel: channel as Channel }),
        ...(ask.query.from === undefined ? {} : { from: fromOf(ask) }), ...(ask.query.to === undefined ? {} : { to: toOf(ask) }),
      }
      const { items, next } = await stores.readings.list(tenant, where, pageOf(ask))
      return ok({ items: items.map(readingView), next })
    } },
  { method: 'POST', path: 'readings', summary: 'Import readings: JSON, NDJSON or CSV; all rows or none. Rows are counted from 1.', roles: meterers, bodyLimit: 512 * 1024 * 1024, forms: ['text/csv', 'application/x-ndjson', 'application/ndjson'],
    example: { readings: [{ servicePoint: 'home-1', start: '2026-07-14T00:00:00Z', minutes: 15, Wh: 250, channel: 'import' }] },
    act: async (ask) => {
      const { body, type, key } = ask.body as unknown as { body: unknown; type: string; key: string | undefined }
      const { rows, faults, bad } = await importReadings(ask.core.database.stores, ask.caller.tenant, `import:${ask.caller.user}`, body, type)
      if (bad > 0) return refusal(faults, bad)
      const hash = key === undefined ? '' : commandHash('POST', 'readings', rows.map((r) => [r.servicePoint, r.start, r.minutes, r.Wh, r.channel, r.quality]))
      return await once(ask.core.transact, ask.caller, key, hash, async (work) => ok(await storeReadings(work, ask.caller, rows)))
    } },
]
