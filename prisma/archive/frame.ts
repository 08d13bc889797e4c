import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { once } from 'node:events'
import { Refusal } from '#core/error.js'

/**
 * The file of a backup: lines of JSON (a header, then one before each table, one at the end), PostgreSQL's own COPY text between them in
 * pieces, each after a line with its length, a 0 after the last; and in the last line the SHA-256 of all before it.
 */
export const magic = 'loadstone-backup 1'
const trailerLength = 'sha256 '.length + 64 + 1

export async function frameWriter(file: string): Promise<{ put(bytes: Buffer | string): Promise<void>; close(): Promise<void> }> {
  // A backup holds everything: nobody else may read it, and an older one is never overwritten.
  const stream = createWriteStream(file, { flags: 'wx', mode: 0o600 })
  await once(stream, 'open')
  const hash = createHash('sha256')
  const write = async (bytes: Buffer | string): Promise<void> => { if (!stream.write(bytes)) await once(stream, 'drain') }
  return {
    async put(bytes) {
      hash.update(bytes)
      await write(bytes)
    },
    async close() {
      await write(`sha256 ${hash.digest('hex')}\n`)
      stream.end()
      await once(stream, 'close')
      const handle = await open(file, 'r')
      try { await handle.sync() } finally { await handle.close() }
    },
  }
}

/** Whether a file is whole (REL-093): read once before anything of it is used. */
export async function checkFrame(file: string): Promise<void> {
  const damaged = new Refusal('invalid', `${file} is no whole backup: it is damaged, cut off, or something else`)
  const { size } = await stat(file).catch((error: unknown) => { throw new Refusal('notFound', `there is no backup ${file}`, { cause: error }) })
  if (size < trailerLength + magic.length) throw damaged
  const hash: Hash = createHash('sha256')
  for await (const piece of createReadStream(file, { end: size - trailerLength - 1 })) hash.update(piece as Buffer)
  let trailer = ''
  for await (const piece of createReadStream(file, { start: size - trailerLength })) trailer += (piece as Buffer).toString('latin1')
  if (trailer !== `sha256 ${hash.digest('hex')}\n`) throw damaged
}

export class FrameReader {
  readonly #pieces: AsyncIterator<Buffer>
  #rest = Buffer.alloc(0)

  constructor(file: string) {
    this.#pieces = createReadStream(file, { highWaterMark: 1 << 20 })[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#pieces.next()
    if (done) throw new Refusal('invalid', 'the backup ends too early')
    this.#rest = Buffer.concat([this.#rest, value])
  }

  async line(): Promise<string> {
    let end: number
    while ((end = this.#rest.indexOf(10)) < 0) await this.#more()
    const text = this.#rest.toString('utf8', 0, end)
    this.#rest = this.#rest.subarray(end + 1)
    return text
  }

  async bytes(length: number): Promise<Buffer> {
    while (this.#rest.length < length) await this.#more()
    const out = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return out
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}
