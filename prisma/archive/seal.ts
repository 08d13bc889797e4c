import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Refusal } from '#core/error.js'

/** An encrypted backup (REL-090): a line with salt and nonce, the file under AES-256-GCM, the tag. The key is made of a secret by scrypt. */
const head = 'loadstone-backup-sealed 1', headLength = head.length + 1 + 32 + 1 + 24 + 1, tagLength = 16
const keyOf = (secret: string, salt: Buffer): Buffer => scryptSync(secret, salt, 32)

/** Turns what is written into what lies on disk. */
export interface Sealing {
  readonly head: Buffer
  put(bytes: Buffer): Buffer
  end(): Buffer
}

export function sealing(secret: string): Sealing {
  const salt = randomBytes(16), nonce = randomBytes(12), cipher = createCipheriv('aes-256-gcm', keyOf(secret, salt), nonce)
  return {
    head: Buffer.from(`${head} ${salt.toString('hex')} ${nonce.toString('hex')}\n`),
    put: (bytes) => cipher.update(bytes),
    end: () => Buffer.concat([cipher.final(), cipher.getAuthTag()]),
  }
}

/** The bytes of a backup in the clear, whether it is encrypted or not; the tag is checked when the last one has been read. */
export async function* plainBytes(file: string, secret: string | undefined): AsyncGenerator<Buffer> {
  const { size } = await stat(file).catch((error: unknown) => { throw new Refusal('notFound', `there is no backup ${file}`, { cause: error }) })
  const handle = await open(file, 'r'), first = Buffer.alloc(headLength)
  try { await handle.read(first, 0, headLength, 0) } finally { await handle.close() }
  const found = new RegExp(`^${head} ([0-9a-f]{32}) ([0-9a-f]{24})\n$`).exec(first.toString('latin1'))
  if (!found) { yield* pieces(file, 0, size); return }
  if (secret === undefined) throw new Refusal('invalid', `${file} is encrypted: give its key with --key-file or LOADSTONE_BACKUP_KEY`)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, Buffer.from(found[1]!, 'hex')), Buffer.from(found[2]!, 'hex'))
  let tag = Buffer.alloc(0)
  for await (const piece of pieces(file, size - tagLength, size)) tag = Buffer.concat([tag, piece])
  if (size < headLength + tagLength) throw damaged(file)
  decipher.setAuthTag(tag)
  for await (const piece of pieces(file, headLength, size - tagLength)) yield decipher.update(piece)
  try { decipher.final() } catch { throw new Refusal('invalid', `${file} is no whole backup, or the key is not its key`) }
}

export const damaged = (file: string): Refusal => new Refusal('invalid', `${file} is no whole backup: it is damaged, cut off, or something else`)

async function* pieces(file: string, from: number, to: number): AsyncGenerator<Buffer> {
  if (to <= from) return
  for await (const piece of createReadStream(file, { start: Math.max(0, from), end: to - 1, highWaterMark: 1 << 20 })) yield piece as Buffer
}
