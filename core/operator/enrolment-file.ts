import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { Ajv } from 'ajv'
import type { TSchema } from 'typebox'
import { Refusal } from '#core/error.js'
import type { InputRow } from '#core/program/bulk-enrol.js'
import type { ManyApplication } from '#core/program/enrol-many.js'
import { validationFaults, type Finding } from '#core/operator/validation-faults.js'
import { csvTable, lines } from '#core/reading/csv.js'

const mostRows = 100_000

/** Columns of the CSV form; an empty cell is an absent field. */
const columns = ['program', 'servicePoint', 'share', 'nominated_kW', 'consentPurpose', 'consentGrantedAt', 'to'] as const

function rowOf(header: readonly string[], values: readonly string[]): unknown {
  const cell = Object.fromEntries(header.map((h, i) => [h, values[i] ?? ''])) as Partial<Record<(typeof columns)[number], string>>
  const kW = cell.nominated_kW ? Number(cell.nominated_kW) : undefined
  return {
    program: cell.program ?? '', servicePoint: cell.servicePoint ?? '', ...(cell.share ? { share: cell.share } : {}), ...(kW === undefined ? {} : { nominated_kW: Number.isFinite(kW) ? kW : cell.nominated_kW }), ...(cell.to ? { to: cell.to } : {}),
    ...(cell.consentPurpose ? { consent: { purpose: cell.consentPurpose, grantedAt: cell.consentGrantedAt ?? '' } } : {}),
  }
}

async function* rawRows(content: unknown, type: string): AsyncGenerator<unknown> {
  if (type.startsWith('text/csv')) {
    let first = true
    for await (const { header, values } of csvTable(content as Readable)) {
      const strange = first ? header.filter((h) => !(columns as readonly string[]).includes(h)) : []
      if (strange.length > 0) throw new Refusal('invalid', `unknown columns: ${strange.join(', ')}`, { faults: strange.map((h) => ({ path: `header/${h}`, reason: `is not one of ${columns.join(', ')}` })) })
      first = false
      yield rowOf(header, values)
    }
    return
  }
  if (content instanceof Readable) {
    for await (const line of lines(content)) if (line.trim() !== '') {
      try { yield JSON.parse(line) } catch { yield undefined }
    }
    return
  }
  const rows = Array.isArray(content) ? content : (content as { rows?: unknown } | null)?.rows
  if (!Array.isArray(rows)) throw new Refusal('invalid', 'rows must be a list', { faults: [{ path: '/rows', reason: 'is not a list' }] })
  yield* rows
}

/** Columns by their name, as a file has them. */
const faultsOf = (errors: readonly Finding[]): { path: string; reason: string }[] => validationFaults(errors, 'body', 10).map(({ path, reason }) => ({ path: path.slice(1), reason }))

/** A bulk file in any form, each row checked by the schema of a single application; the hash stands for the content whatever its form. */
export async function bulkContent(content: unknown, type: string, schema: TSchema, wishOf: (row: unknown) => ManyApplication): Promise<{ rows: InputRow[]; hash: string }> {
  const check = new Ajv({ strict: false, allErrors: true }).compile(schema), rows: InputRow[] = [], hash = createHash('sha256')
  for await (const raw of rawRows(content, type)) {
    const row = rows.length + 1
    if (row > mostRows) throw new Refusal('tooLarge', `more than ${mostRows} rows`)
    hash.update(`${JSON.stringify(raw ?? null)}\n`)
    if (raw === undefined || raw === null || !check(raw)) {
      rows.push({ row, reasons: raw === undefined || raw === null ? [{ path: '', reason: 'cannot be read' }] : faultsOf(check.errors ?? []) })
      continue
    }
    try {
      rows.push({ row, wish: wishOf(raw) })
    } catch (error) {
      rows.push({ row, reasons: [{ path: '', reason: error instanceof Error ? error.message : 'is wrong' }] })
    }
  }
  return { rows, hash: hash.digest('hex') }
}
