/** Apache Parquet format (parquet.thrift): plain pages of required columns without compression, which every reader takes. */
export interface ParquetColumn {
  readonly name: string
  readonly kind: 'text' | 'int32' | 'int64' | 'instant'
}

/** Physical Type, and ConvertedType where there is one. */
const types: Readonly<Record<ParquetColumn['kind'], { readonly type: number; readonly converted?: number }>> = {
  text: { type: 6, converted: 0 }, int32: { type: 1 }, int64: { type: 2 }, instant: { type: 2, converted: 9 },
}
const magic = Buffer.from('PAR1'), perGroup = 50_000

/** Thrift compact protocol, as much of it as headers and footers need. */
class Compact {
  readonly #bytes: number[] = []
  #last: number[] = [0]

  #varint(n: bigint): void {
    for (; n > 0x7fn; n >>= 7n) this.#bytes.push(Number(n & 0x7fn) | 0x80)
    this.#bytes.push(Number(n))
  }
  #zigzag(n: number): void { this.#varint(n < 0 ? -2n * BigInt(n) - 1n : 2n * BigInt(n)) }
  #field(id: number, type: number): void {
    this.#bytes.push(((id - this.#last.at(-1)!) << 4) | type)
    this.#last[this.#last.length - 1] = id
  }
  #string(text: string): void {
    const utf8 = Buffer.from(text)
    this.#varint(BigInt(utf8.length))
    for (const b of utf8) this.#bytes.push(b)
  }
  i32(id: number, n: number): this { this.#field(id, 5); this.#zigzag(n); return this }
  i64(id: number, n: number): this { this.#field(id, 6); this.#zigzag(n); return this }
  text(id: number, s: string): this { this.#field(id, 8); this.#string(s); return this }
  struct(id: number, inside: (c: this) => void): this { this.#field(id, 12); this.#nested(inside); return this }
  #nested(inside: (c: this) => void): void {
    this.#last.push(0)
    inside(this)
    this.#bytes.push(0)
    this.#last.pop()
  }
  #list(id: number, type: number, length: number): void {
    this.#field(id, 9)
    if (length < 15) this.#bytes.push((length << 4) | type)
    else { this.#bytes.push(0xf0 | type); this.#varint(BigInt(length)) }
  }
  i32s(id: number, all: readonly number[]): this { this.#list(id, 5, all.length); for (const n of all) this.#zigzag(n); return this }
  texts(id: number, all: readonly string[]): this { this.#list(id, 8, all.length); for (const s of all) this.#string(s); return this }
  structs<T>(id: number, all: readonly T[], one: (c: this, item: T) => void): this { this.#list(id, 12, all.length); for (const item of all) this.#nested((c) => one(c, item)); return this }
  end(): Buffer { return Buffer.from([...this.#bytes, 0]) }
}

/** PLAIN encoding: little endian, texts with their length before them. */
function plain(kind: ParquetColumn['kind'], values: readonly (string | number)[]): Buffer {
  if (kind === 'text') return Buffer.concat(values.flatMap((v) => {
    const utf8 = Buffer.from(String(v)), length = Buffer.allocUnsafe(4)
    length.writeInt32LE(utf8.length)
    return [length, utf8]
  }))
  const wide = kind !== 'int32', out = Buffer.allocUnsafe(values.length * (wide ? 8 : 4))
  values.forEach((v, i) => wide ? out.writeBigInt64LE(BigInt(v), i * 8) : out.writeInt32LE(Number(v), i * 4))
  return out
}

interface Chunk { readonly offset: number; readonly bytes: number }
interface Group { readonly rows: number; readonly chunks: readonly Chunk[] }

/** A file as a stream: one row group for each 50,000 rows, the footer at the end. Instants are epoch milliseconds. */
export async function* parquetFile(columns: readonly ParquetColumn[], batches: AsyncIterable<readonly (readonly (string | number)[])[]>): AsyncGenerator<Buffer> {
  const groups: Group[] = []
  let at = magic.length, waiting: (readonly (string | number)[])[] = []
  function group(rows: readonly (readonly (string | number)[])[]): Buffer {
    const parts: Buffer[] = [], chunks = columns.map(({ kind }, c): Chunk => {
      const data = plain(kind, rows.map((r) => r[c]!)), header = new Compact().i32(1, 0).i32(2, data.length).i32(3, data.length).struct(5, (h) => h.i32(1, rows.length).i32(2, 0).i32(3, 3).i32(4, 3)).end()
      parts.push(header, data)
      const chunk = { offset: at, bytes: header.length + data.length }
      at += chunk.bytes
      return chunk
    })
    groups.push({ rows: rows.length, chunks })
    return Buffer.concat(parts)
  }
  yield magic
  for await (const batch of batches) {
    waiting = waiting.concat(batch)
    for (; waiting.length >= perGroup; waiting = waiting.slice(perGroup)) yield group(waiting.slice(0, perGroup))
  }
  if (waiting.length > 0) yield group(waiting)
  const footer = footerOf(columns, groups), length = Buffer.allocUnsafe(4)
  length.writeInt32LE(footer.length)
  yield Buffer.concat([footer, length, magic])
}

function footerOf(columns: readonly ParquetColumn[], groups: readonly Group[]): Buffer {
  const elements = [undefined, ...columns]
  return new Compact().i32(1, 1).structs(2, elements, (c, column) => {
    if (!column) return void c.text(4, 'schema').i32(5, columns.length)
    const { type, converted } = types[column.kind]
    c.i32(1, type).i32(3, 0).text(4, column.name)
    if (converted !== undefined) c.i32(6, converted)
  }).i64(3, groups.reduce((sum, g) => sum + g.rows, 0)).structs(4, groups, (c, g) => {
    c.structs(1, g.chunks.map((chunk, i) => ({ chunk, column: columns[i]! })), (k, { chunk, column }) => k.i64(2, chunk.offset).struct(3, (m) => {
      m.i32(1, types[column.kind].type).i32s(2, [0]).texts(3, [column.name]).i32(4, 0).i64(5, g.rows).i64(6, chunk.bytes).i64(7, chunk.bytes).i64(9, chunk.offset)
    })).i64(2, g.chunks.reduce((sum, x) => sum + x.bytes, 0)).i64(3, g.rows)
  }).text(6, 'loadstone').end()
}
