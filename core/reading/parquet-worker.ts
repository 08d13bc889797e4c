import { parentPort, workerData } from 'node:worker_threads'
import { parquetMetadata, parquetRead } from 'hyparquet'
import { mostRows, type ParquetWord } from '#core/reading/parquet-read.js'

/** Cells as text, so that a number reads as it would in a CSV; an instant is RFC 3339. */
const cell = (v: unknown): string => (v === null || v === undefined ? '' : v instanceof Date ? v.toISOString() : v instanceof Uint8Array ? Buffer.from(v).toString('utf8') : typeof v === 'object' ? JSON.stringify(v) : String(v))

/** Somebody else's file, read where it stalls nobody and where its memory is bounded. */
async function main(): Promise<void> {
  const file = (workerData as { file: ArrayBuffer }).file, say = (word: ParquetWord): void => parentPort?.postMessage(word, [])
  const metadata = parquetMetadata(file), rows = Number(metadata.num_rows), header = metadata.schema.slice(1).map((s) => s.name)
  if (metadata.schema.slice(1).some((s) => (s.num_children ?? 0) > 0)) return say({ kind: 'fault', reason: 'has nested columns' })
  if (rows > mostRows) return say({ kind: 'fault', reason: `has ${rows} rows, ${mostRows} are taken at once` })
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows), out: string[][] = []
    await parquetRead({ file, metadata, rowStart, rowEnd, onComplete: (found: unknown[][]) => { for (const row of found) out.push(row.map(cell)) } })
    if (out.length !== rowEnd - rowStart) return say({ kind: 'fault', reason: 'holds fewer rows than it says' })
    for (let i = 0; i < out.length; i += 20_000) say({ kind: 'rows', header, rows: out.slice(i, i + 20_000) })
    rowStart = rowEnd
  }
  say({ kind: 'end' })
}

if (parentPort) {
  try { await main() } catch (error) { parentPort.postMessage({ kind: 'fault', reason: `cannot be read as Parquet: ${error instanceof Error ? error.message.slice(0, 200) : 'damaged'}` } satisfies ParquetWord, []) }
}
