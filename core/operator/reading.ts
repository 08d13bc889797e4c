import { Readable } from 'node:stream'
import { DateTime } from 'luxon'
import { Type } from 'typebox'
import { Exact } from '#core/quantity/money.js'
import { csvTable, lines, plainCell } from '#core/reading/csv.js'
import { parquetTable } from '#core/reading/parquet-read.js'
import { readGreenButton } from '#core/reading/green-button.js'
import { fillGaps } from '#core/reading/fill-gaps.js'
import { flagSuspects } from '#core/reading/flag-suspects.js'
import { forgetMapping, mappingKind, mappingNamed, ownColumns, rememberMapping, type Mapping } from '#core/reading/mapping.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import type { Stores } from '#core/port/store/index.js'
import { readingFaults, type RowFault } from '#core/reading/faults.js'
import type { Channel, Quality, Reading, ReadingInput } from '#core/reading/reading.js'
import { storeReadings } from '#core/reading/record.js'
import { Refusal } from '#core/error.js'
import { documents } from '#core/operator/documents.js'
import { commandHash, once } from '#core/operator/idempotency.js'
import { problem } from '#core/operator/error-map.js'
import { meterers, staff } from '#core/operator/roles.js'
import { ok, type Answer, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, time } from '#core/operator/schema.js'
import { fromOf, pageOf, rfc3339, stamp, toOf } from '#core/operator/wire.js'

/** A row as it came, before anything is believed about it. */
type Raw = Readonly<Record<string, unknown>>

const fields = ['servicePoint', 'start', 'minutes', 'Wh', 'channel', 'quality']
/** Rows after which the planner's picture of the table is looked at as old. */
const largeImport = 10_000
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

function mapped(header: readonly string[], values: readonly string[], { columns, constants, unit, zone }: Mapping, plain = plainCell): Raw {
  const raw: Record<string, unknown> = { ...constants }
  header.forEach((h, i) => { raw[Object.keys(columns).find((own) => columns[own] === h) ?? h] = values[i] })
  if (typeof raw.servicePoint === 'string') raw.servicePoint = plain(raw.servicePoint)
  if (unit === 'kWh' && typeof raw.Wh === 'string' && /^-?\d+(\.\d+)?$/.test(raw.Wh)) raw.Wh = new Exact(raw.Wh).times(1000).toString()
  if (zone !== undefined && typeof raw.start === 'string' && !/(Z|[+-]\d{2}:\d{2})$/i.test(raw.start)) {
    const local = DateTime.fromISO(raw.start.trim().replace(' ', 'T'), { zone })
    // an hour that comes twice is a guess: kept, and flagged (CORE-119)
    if (local.isValid && local.getPossibleOffsets().length > 1) raw.quality = 'SUSPECT'
    raw.start = local.isValid ? local.toISO() : raw.start
  }
  return raw
}

function checkHeader(header: readonly string[], mapping: Mapping): void {
  const theirs = new Set(Object.values(mapping.columns)), strange = header.filter((h) => !fields.includes(h) && !theirs.has(h))
  // with a mapping, columns that nobody asked for are left alone
  if (strange.length > 0 && theirs.size === 0) throw new Refusal('invalid', `unknown columns: ${strange.join(', ')}`, { faults: strange.map((h) => ({ path: `header/${h}`, reason: 'is not a column of readings' })) })
  const missing = [...theirs].filter((t) => !header.includes(t))
  if (missing.length > 0) throw new Refusal('invalid', `the file has no column ${missing.join(', ')}`, { faults: missing.map((h) => ({ path: `header/${h}`, reason: 'is not in the file' })) })
}

/** A cell of Parquet needs no guard and loses none. */
const asIs = (text: string): string => text

/** Rows of any of the forms, with the number people count by: CSV by line, Green Button by line of the file, the others by row. */
async function* rowsOf(body: unknown, type: string, mapping: Mapping): AsyncGenerator<{ row: number; raw: Raw | undefined; fault?: string }> {
  if (type.startsWith('text/csv') || type.includes('parquet')) {
    let checked = false
    const flat = type.includes('parquet'), plain = flat ? asIs : plainCell
    for await (const { header, line, values } of flat ? parquetTable(body as Readable) : csvTable(body as Readable, mapping.separator)) {
      if (!checked) checkHeader(header, mapping)
      checked = true
      const raw = values.length === header.length ? mapped(header, values, mapping, plain) : undefined
      yield { row: line - 1, raw: raw && Object.keys(mapping.columns).length > 0 ? Object.fromEntries(Object.entries(raw).filter(([k]) => fields.includes(k))) : raw }
    }
    return
  }
  if (/xml/.test(type)) {
    const { rows, faults } = await readGreenButton(body as Readable)
    for (const f of faults) yield { row: f.line, raw: undefined, fault: f.reason }
    for (const r of rows) yield { row: r.line, raw: { servicePoint: mapping.constants.servicePoint, start: new Date(r.start * 1000).toISOString(), minutes: r.seconds / 60, Wh: r.Wh, channel: r.channel, quality: r.quality } }
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
export async function importReadings(stores: Stores, tenant: string, source: string, body: unknown, type: string, mapping: Mapping = ownColumns): Promise<{ rows: ReadingInput[]; faults: RowFault[]; bad: number }> {
  const rows: ReadingInput[] = [], faults: RowFault[] = [], at: number[] = [], names = new Set<string>()
  let bad = 0
  for await (const { row, raw, fault } of rowsOf(body, type, mapping)) {
    const input = raw && inputOf(raw, source)
    const found: RowFault[] = input ? readingFaults(input, row) : [{ row, field: '', reason: fault ?? 'cannot be read' }]
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

/** What the query says, over what is remembered under the name it gives (UX-060). */
async function mappingOf(ask: Ask): Promise<Mapping> {
  const { columns, servicePoint, channel, minutes, quality, separator, unit, zone } = ask.query
  const pairs = (columns ?? '').split(',').filter((p) => p !== '').map((p) => [p.slice(0, p.indexOf('=')).trim(), p.slice(p.indexOf('=') + 1).trim()] as const), strange = pairs.filter(([own]) => !fields.includes(own))
  if (strange.length > 0) throw new Refusal('invalid', `columns maps ${strange.map(([own]) => own).join(', ')}, which readings do not have`, { faults: strange.map(([own]) => ({ path: `/columns/${own}`, reason: `is not one of ${fields.join(', ')}` })) })
  const kept = ask.query.mapping === undefined ? ownColumns : (await mappingNamed(ask.core.database.stores, ask.caller.tenant, ask.query.mapping)).body
  const constants = Object.entries({ servicePoint, channel, minutes: minutes === undefined ? undefined : String(minutes), quality }).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { columns: { ...kept.columns, ...Object.fromEntries(pairs) }, constants: { ...kept.constants, ...Object.fromEntries(constants) }, separator: separator ?? kept.separator, unit: (unit ?? kept.unit) as 'Wh', zone: zone ?? kept.zone }
}

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
  { method: 'POST', path: 'readings', summary: 'Import readings: JSON, NDJSON, CSV or Parquet (own columns or mapped) or Green Button; all rows or none. Rows are counted from 1, of XML by line.', roles: meterers, bodyLimit: 512 * 1024 * 1024, forms: ['text/csv', 'application/x-ndjson', 'application/ndjson', 'application/xml', 'application/atom+xml', 'text/xml', 'application/vnd.apache.parquet'],
    query: closed({
      servicePoint: Type.Optional(reference), columns: Type.Optional(Type.String({ maxLength: 1000, description: 'ours=theirs, comma-separated: start=Zeit,Wh=Wert' })), channel: filter, minutes: Type.Optional(Type.Integer()), quality: filter, separator: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
      unit: Type.Optional(Type.Union([Type.Literal('Wh'), Type.Literal('kWh')])), zone: Type.Optional(Type.String({ maxLength: 64 })), preview: Type.Optional(Type.Boolean({ description: 'only say what would be stored' })), vee: Type.Optional(Type.Boolean({ description: 'flag what looks wrong as SUSPECT (CORE-117)' })),
      estimate: Type.Optional(Type.Boolean({ description: 'fill gaps between the first and last interval with marked estimates that never pay (CORE-118)' })),
      mapping: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'a remembered mapping; what else is said goes before it' })), remember: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f/]+$', description: 'keep this mapping under a name, once the rows are stored' })),
    }),
    example: { readings: [{ servicePoint: 'home-1', start: '2026-07-14T00:00:00Z', minutes: 15, Wh: 250, channel: 'import' }] },
    act: async (ask) => {
      const { body, type, key } = ask.body as unknown as { body: unknown; type: string; key: string | undefined }
      const { stores } = ask.core.database, { tenant } = ask.caller, mapping = await mappingOf(ask), { remember } = ask.query
      const { rows, faults, bad } = await importReadings(stores, tenant, `import:${ask.caller.user}`, body, type, mapping)
      if (bad > 0) return refusal(faults, bad)
      const { vee, preview, estimate } = ask.query as unknown as { vee?: boolean; preview?: boolean; estimate?: boolean }
      const flags = vee ? await flagSuspects(stores, tenant, rows) : [], estimates = estimate ? await fillGaps(stores, tenant, rows) : []
      const shown = (some: readonly ReadingInput[]) => some.slice(0, 20).map((r) => ({ ...r, start: rfc3339(r.start) }))
      if (preview) return ok({ rows: rows.length, first: shown(rows), flags, ...(estimate ? { estimated: estimates.length, estimates: shown(estimates) } : {}) })
      const hash = key === undefined ? '' : commandHash('POST', 'readings', rows.map((r) => [r.servicePoint, r.start, r.minutes, r.Wh, r.channel, r.quality]))
      const answer = await once(ask.core.transact, ask.caller, key, hash, async (work) => {
        const stored = await storeReadings(work, ask.caller, rows)
        if (estimates.length > 0) await storeReadings(work, ask.caller, estimates)
        if (remember !== undefined) await rememberMapping(work, ask.caller, remember, mapping)
        return ok({ ...stored, ...(vee ? { flags } : {}), ...(estimate ? { estimated: estimates.length } : {}) })
      })
      if (rows.length >= largeImport) await ask.core.database.refreshStatistics('readings')
      return answer
    } },
  { method: 'GET', path: 'import-mappings', summary: 'How columns of other people\'s files are called, as remembered', roles: meterers, query: page({}), read: async (ask) => documents<Mapping>(ask, mappingKind, (d) => ({ name: d.key, ...d.body, modifiedAt: stamp(d.modifiedAt) })) },
  { method: 'DELETE', path: 'import-mappings/:id', summary: 'Forget one', roles: meterers,
    command: async (work, ask) => {
      await forgetMapping(work, ask.caller, ask.params.id!)
      return ok({ name: ask.params.id })
    } },
]
