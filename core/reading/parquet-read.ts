import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Refusal } from '#core/error.js'
import type { Table } from '#core/reading/csv.js'

export const mostRows = 5_000_000
const mostBytes = 512 * 2 ** 20
/** Heap of the thread that reads, MB; and how long it may go without a word. */
const heap_MB = 1024, patience_ms = 60_000

export type ParquetWord =
  | { readonly kind: 'rows'; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'fault'; readonly reason: string }
  | { readonly kind: 'end' }

const refused = (reason: string): Refusal => new Refusal('invalid', `the file ${reason}`, { faults: [{ path: 'file', reason }] })

async function whole(stream: Readable): Promise<ArrayBuffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostBytes) throw new Refusal('tooLarge', 'the file is too large')
    parts.push(part)
  }
  const bytes = Buffer.concat(parts)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

/** Rows of a flat Parquet file, every cell as text; `line` counts as in a CSV with a header, so the first row has 2. A damaged or hostile file is one refusal. */
export async function* parquetTable(stream: Readable): AsyncGenerator<Table> {
  const file = await whole(stream)
  if (file.byteLength < 12 || Buffer.from(file, file.byteLength - 4).toString('latin1') !== 'PAR1') throw refused('is not Parquet')
  const worker = new Worker(fileURLToPath(new URL('./parquet-worker.js', import.meta.url)), { workerData: { file }, transferList: [file], resourceLimits: { maxOldGenerationSizeMb: heap_MB } })
  const words: (ParquetWord | { kind: 'gone'; reason: string })[] = []
  let wake = (): void => {}
  const put = (word: (typeof words)[number]): void => {
    words.push(word)
    wake()
  }
  worker.on('message', put).on('error', (e) => put({ kind: 'gone', reason: `cannot be read as Parquet: ${e.message.slice(0, 200)}` })).on('exit', () => put({ kind: 'gone', reason: 'cannot be read as Parquet' }))
  try {
    for (let line = 1; ;) {
      const timer = setTimeout(() => put({ kind: 'gone', reason: 'takes too long to read' }), patience_ms)
      while (words.length === 0) await new Promise<void>((done) => { wake = done })
      clearTimeout(timer)
      const word = words.shift()!
      if (word.kind === 'end') return
      if (word.kind !== 'rows') throw refused(word.reason)
      for (const values of word.rows) yield { header: word.header, line: ++line, values }
    }
  } finally {
    await worker.terminate()
  }
}
