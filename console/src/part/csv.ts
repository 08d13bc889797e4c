/** Text that a spreadsheet would run as a formula is kept text (UX-060). */
const cell = (v: unknown): string => {
  const s = v === null || v === undefined ? '' : String(v),
    safe = typeof v === 'string' && /^[=+\-@\t\r]/.test(s) ? `'${s}` : s
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
export const csvText = (rows: readonly (readonly unknown[])[]): string => rows.map((r) => r.map(cell).join(',')).join('\r\n')

/** What a spreadsheet saves: UTF-8, its "Unicode text", or what western Windows writes. */
export async function textOf(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

export interface CsvRow {
  /** Where it begins in the file; the header is line 1. */
  readonly line: number
  readonly cells: readonly string[]
}
export interface Csv {
  readonly separator: string
  readonly header: readonly string[]
  readonly rows: readonly CsvRow[]
}

/** The separator that the header has most of. */
const separatorOf = (text: string): string => {
  const head = /^.*/.exec(text.replace(/"[^"]*"/g, ''))?.[0] ?? '',
    many = (s: string): number => head.split(s).length
  return [',', ';', '\t'].sort((a, b) => many(b) - many(a))[0]!
}

/** RFC 4180, and what spreadsheets make of it: semicolons or tabs, lines that end with CR. A quoted cell that never ends is told by its line. */
export function readCsv(text: string): Csv | { readonly open: number } {
  const separator = separatorOf(text),
    rows: CsvRow[] = []
  let cells: string[] = [],
    now = '',
    quoted = false,
    line = 1,
    begun = 1,
    opened = 1
  const ended = (): void => {
    cells.push(now.trim())
    now = ''
  }
  const full = (): void => {
    ended()
    if (cells.some((c) => c !== '')) rows.push({ line: begun, cells })
    cells = []
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!,
      newline = c === '\n' || (c === '\r' && text[i + 1] !== '\n')
    if (newline) line++
    if (quoted) {
      if (c !== '"') now += c
      else if (text[i + 1] === '"') now += text[++i]
      else quoted = false
    } else if (c === '"' && now.trim() === '') {
      now = ''
      quoted = true
      opened = line
    } else if (c === separator) ended()
    else if (newline) {
      full()
      begun = line
    } else if (c !== '\r') now += c
  }
  if (quoted) return { open: opened }
  full()
  const [head, ...rest] = rows
  return { separator, header: head?.cells ?? [], rows: rest }
}
