import { type Csv, readCsv } from '../../part/csv.ts'
import { t } from '../../text/index.ts'

/** A row as the API takes it: `enrolments/bulk` judges it, not this page. */
export interface Wish {
  readonly servicePoint: string
  readonly nominated_kW?: number | string
  readonly share?: string
  readonly to?: string
  readonly consent?: { readonly purpose: string; readonly grantedAt: string }
}
export interface ListRow {
  readonly line: number
  readonly cells: readonly string[]
  readonly wish: Wish
}
export interface ListFile {
  readonly name: string
  readonly header: readonly string[]
  readonly rows: readonly ListRow[]
  /** What keeps the whole file from being sent, as sentences. */
  readonly faults: readonly string[]
}

const columns = ['servicePoint', 'nominated_kW', 'share', 'to', 'consentPurpose', 'consentGrantedAt', 'program'] as const
type Column = (typeof columns)[number]
/** The column that our own file of refused rows has more: it may come back as it is. */
export const whyColumn = 'why'

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')
const columnOf = (name: string): Column | undefined => columns.find((c) => plain(c) === plain(name))

export const sample = [
  ['servicePoint', 'nominated_kW', 'share', 'to', 'consentPurpose', 'consentGrantedAt'],
  ['home-001', '5', '0.7', 'applied', 'demand-response', '2026-01-31T12:00:00Z'],
  ['home-002', '3.5', '', '', '', ''],
]

/** Where semicolons part the cells, a comma is a decimal comma. */
const decimal = (text: string, separator: string): string => (separator === ';' && /^-?\d+,\d+$/.test(text) ? text.replace(',', '.') : text)

function wishOf(cell: Partial<Record<Column, string>>, separator: string): Wish {
  const kW = decimal(cell.nominated_kW ?? '', separator)
  return {
    servicePoint: cell.servicePoint ?? '',
    // what is no number goes as it is, and is refused by name
    ...(kW === '' ? {} : { nominated_kW: Number.isFinite(Number(kW)) ? Number(kW) : kW }),
    ...(cell.share ? { share: decimal(cell.share, separator) } : {}),
    ...(cell.to ? { to: cell.to } : {}),
    ...(cell.consentPurpose ? { consent: { purpose: cell.consentPurpose, grantedAt: cell.consentGrantedAt ?? '' } } : {}),
  }
}

function headerFaults(header: readonly string[]): string[] {
  const known = header.map(columnOf),
    out: string[] = []
  for (const name of header) if (!columnOf(name) && plain(name) !== whyColumn) out.push(t('list.column', { name, known: columns.join(', ') }))
  for (const c of columns) if (known.indexOf(c) !== known.lastIndexOf(c)) out.push(t('list.twice', { name: c }))
  if (!known.includes('servicePoint')) out.push(t('list.noPoint'))
  return out
}

/** A file of service points for one program: its rows, or what is wrong with the whole of it. */
export function readList(name: string, text: string, program: { id: string; name: string }): ListFile {
  const csv = readCsv(text)
  if ('open' in csv) return { name, header: [], rows: [], faults: [t('list.quote', { line: csv.open })] }
  const faults = headerFaults(csv.header),
    rows = faults.length > 0 ? [] : csv.rows.map((r) => ({ ...r, cell: named(csv, r.cells) }))
  for (const { line, cell } of rows)
    if (cell.program && ![program.id, program.name].includes(cell.program)) faults.push(t('list.program', { line, name: cell.program, own: program.name }))
  if (faults.length === 0 && rows.length === 0) faults.push(t('list.empty'))
  return { name, header: csv.header, rows: rows.map(({ line, cells, cell }) => ({ line, cells, wish: wishOf(cell, csv.separator) })), faults }
}

const named = ({ header }: Csv, cells: readonly string[]): Partial<Record<Column, string>> =>
  Object.fromEntries(header.flatMap((h, i) => (columnOf(h) ? [[columnOf(h)!, cells[i] ?? '']] : [])))

export const purpose = 'demand-response'
/** The body of `enrolments/bulk`: what was chosen for all stands in for what a row does not say itself. */
export const bulkBody = (program: string, rows: readonly ListRow[], all: { to: string; consentAt: string | null }): { rows: object[] } => ({
  rows: rows.map(({ wish }) => ({
    program,
    ...(all.to === 'applied' ? {} : { to: all.to }),
    ...(all.consentAt === null ? {} : { consent: { purpose, grantedAt: all.consentAt } }),
    ...wish,
  })),
})
