import type { Readable } from 'node:stream'
import { Refusal } from '#core/error.js'

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

/** RFC 4180 cells of one record; undefined while a quoted cell is still open (it may hold line breaks). */
export function cells(record: string, separator = ','): string[] | undefined {
  if (!record.includes('"')) return record.split(separator).map((c) => c.trim())
  const out: string[] = []
  let i = 0
  for (;;) {
    while (record[i] === ' ') i++
    if (record[i] === '"') {
      let text = ''
      for (i++; ; i++) {
        if (i >= record.length) return undefined
        if (record[i] !== '"') text += record[i]
        else if (record[i + 1] === '"') { text += '"'; i++ }
        else break
      }
      i++
      while (i < record.length && record[i] !== separator) i++
      out.push(text)
    } else {
      const end = record.indexOf(separator, i), stop = end < 0 ? record.length : end
      out.push(record.slice(i, stop).trim())
      i = stop
    }
    if (i >= record.length) return out
    i++
  }
}

export interface Table {
  readonly header: readonly string[]
  readonly line: number
  readonly values: readonly string[]
}

/** Records of a CSV with a header. `line` is where the record begins in the file, the header being line 1. */
export async function* csvTable(stream: Readable, separator = ','): AsyncGenerator<Table> {
  let header: string[] | undefined, line = 0, begun = 0, open = ''
  for await (const text of lines(stream)) {
    line++
    if (open === '') begun = line
    const values = cells(open === '' ? text : `${open}\n${text}`, separator)
    if (!values) {
      open = open === '' ? text : `${open}\n${text}`
      if (open.length > 1_000_000) throw new Refusal('invalid', `the quoted cell that begins in line ${begun} never ends`, { faults: [{ path: `${begun}/`, reason: 'a quoted cell never ends' }] })
      continue
    }
    open = ''
    if (!header) header = values.map((h, i) => (i === 0 ? h.replace(/^\uFEFF/, '') : h))
    else if (text !== '' || values.length > 1) yield { header, line: begun, values }
  }
  if (open !== '') throw new Refusal('invalid', `the quoted cell that begins in line ${begun} never ends`, { faults: [{ path: `${begun}/`, reason: 'a quoted cell never ends' }] })
}

/** A cell that a spreadsheet would run as a formula gets an apostrophe (SEC-047); numbers stay numbers, -1e-7 too. */
export function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value)
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== 'number' && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** The apostrophe of `csvCell` taken off again, so that a file of ours comes back as it was. */
export const plainCell = (text: string): string => (/^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text)

export const csvLine = (values: readonly unknown[]): string => `${values.map(csvCell).join(',')}\r\n`
