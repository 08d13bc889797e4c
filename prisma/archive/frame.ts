import { createHash, type Hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { once } from 'node:events'
import { Refusal } from '#core/error.js'
import { damaged, plainBytes, sealing } from '#prisma/archive/seal.js'

/**
 * The file of a backup: lines of JSON (a header, then one before each table, one at the end), PostgreSQL's own COPY text between them in
 * pieces, each after a line with its length, a 0 after the last; and in the last line the SHA-256 of all before it.
 */
export const magic = 'loadstone-backup 1'
const trailerLength = 'sha256 '.length + 64 + 1

export async function frameWriter(file: string, secret?: string): Promise<{ put(bytes: Buffer | string): Promise<void>; close(): Promise<void> }> {
  // A backup holds everything: nobody else may read it, and an older one is never overwritten.
  const stream = createWriteStream(file, { flags: 'wx', mode: 0o600 })
  await once(stream, 'open')
  const hash = createHash('sha256'), seal = secret === undefined ? undefined : sealing(secret)
  const out = async (bytes: Buffer): Promise<void> => { if (!stream.write(bytes)) await once(stream, 'drain') }
  const write = (bytes: Buffer | string): Promise<void> => out(seal ? seal.put(Buffer.from(bytes as string)) : Buffer.from(bytes as string))
  if (seal) await out(seal.head)
  return {
    async put(bytes) {
      hash.update(bytes)
      await write(bytes)
    },
    async close() {
      await write(`sha256 ${hash.digest('hex')}\n`)
      if (seal) await out(seal.end())
      stream.end()
      await once(stream, 'close')
      const handle = await open(file, 'r')
      try { await handle.sync() } finally { await handle.close() }
    },
  }
}

/** Whether a file is whole (REL-093): read once before anything of it is used. */
export async function checkFrame(file: string, secret?: string): Promise<void> {
  const hash: Hash = createHash('sha256')
  let tail = Buffer.alloc(0)
  for await (const piece of plainBytes(file, secret)) {
    const all = Buffer.concat([tail, piece]), known = Math.max(0, all.length - trailerLength)
    hash.update(all.subarray(0, known))
    tail = all.subarray(known)
  }
  if (tail.toString('latin1') !== `sha256 ${hash.digest('hex')}\n`) throw damaged(file)
}

export class FrameReader {
  readonly #pieces: AsyncIterator<Buffer>
  #rest = Buffer.alloc(0)

  constructor(file: string, secret?: string) {
    this.#pieces = plainBytes(file, secret)
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
