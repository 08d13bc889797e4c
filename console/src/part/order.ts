import { locale } from '../text/index.ts'
import type { Column } from './table.tsx'

type Value = string | number | null | undefined
const empty = (v: Value): boolean => v === null || v === undefined || v === ''

/** Money comes as decimal text: it is ordered as the number it is. */
const numeric = (v: Value): boolean => typeof v === 'number' || (typeof v === 'string' && /^-?\d+(\.\d+)?$/.test(v))

/** Numbers inside words count as numbers: device-9 comes before device-10. Where all is ASCII, a plain comparison does; it is what makes ten thousand rows answer at once. */
function comparer(values: readonly Value[]): (a: number, b: number) => number {
  if (values.every(numeric)) {
    const numbers = values.map(Number)
    return (a, b) => numbers[a]! - numbers[b]!
  }
  const words = values.map((v) => String(v ?? ''))
  if (words.every((w) => !/[^ -~]/.test(w))) {
    const keys = words.map((w) => w.toLowerCase().replace(/\d+/g, (n) => n.padStart(16, '0')))
    return (a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : 0)
  }
  const { compare } = new Intl.Collator(locale, { numeric: true })
  return (a, b) => compare(words[a]!, words[b]!)
}

/** Rows by a column, `-` for downwards; rows without a value come last either way. */
export function ordered<R>(rows: R[], columns: readonly Column<R>[], sort: string): R[] {
  const by = columns.find((c) => c.id === sort.replace(/^-/, ''))?.value
  if (!by) return rows
  const down = sort.startsWith('-') ? -1 : 1,
    values = rows.map((r) => by(r)),
    full = values.map((v, i) => (empty(v) ? -1 : i)).filter((i) => i >= 0),
    compare = comparer(full.map((i) => values[i])),
    at = full.map((_, k) => k).sort((a, b) => compare(a, b) * down)
  return [...at.map((k) => rows[full[k]!]!), ...rows.filter((_, i) => empty(values[i]))]
}
