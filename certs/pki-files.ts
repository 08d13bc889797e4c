import { chmod, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyObject } from 'node:crypto'
import { Refusal } from '#core/error.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import { authorityFrom } from '#certs/authority.js'
import type { Authority } from '#certs/authority.js'
import { sealFrom } from '#certs/seal.js'
import type { Seal } from '#certs/seal.js'
import { certificatePem, certificatesFrom } from '#certs/x509/pem.js'
import { keyFromPem, keyPem, newEcKey } from '#certs/x509/signer.js'

/** The files of a `pki/` folder: directory 0700, private keys 0600 and sealed unless a seed hands them out (SEC-026). */
export interface FolderNeeds {
  readonly ids: Ids
  readonly log: Log
  readonly seed?: 'conformance' | 'demo'
  /** Sealing key from configuration; without it one is made and kept in the folder, with a warning. */
  readonly sealingKey?: string | Uint8Array
}

export async function openFolder(dir: string, needs: FolderNeeds): Promise<Files> {
  await mkdir(join(dir, 'offline'), { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  return folderFiles(dir, await sealOf(dir, needs))
}

export type Files = ReturnType<typeof folderFiles>

/** Reads and writes one folder; a write is complete or absent (temporary name, then rename). */
function folderFiles(dir: string, seal: Seal) {
  const read = async (name: string): Promise<string | undefined> => {
    try {
      return await readFile(join(dir, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
  const write = async (name: string, content: string | Uint8Array, mode: number): Promise<void> => {
    const part = join(dir, `${name}.part`)
    await writeFile(part, content, { mode })
    await rename(part, join(dir, name))
  }
  return {
    read, write,
    /** PEM files of a folder inside, by name. */
    async list(folder: string): Promise<string[]> {
      return (await readdir(join(dir, folder)).catch(() => [])).filter((f) => f.endsWith('.pem')).sort()
    },
    async readKey(name: string): Promise<KeyObject | undefined> {
      const plain = await read(`${name}.key`)
      if (plain !== undefined) return keyFromPem(plain)
      const sealed = await read(`${name}.key.sealed`)
      return sealed === undefined ? undefined : keyFromPem(seal.open(`${name}.key`, sealed))
    },
    async writeKey(name: string, key: KeyObject, plain: boolean): Promise<void> {
      if (plain) await write(`${name}.key`, keyPem(key), 0o600)
      else await write(`${name}.key.sealed`, seal.seal(`${name}.key`, keyPem(key)), 0o600)
    },
  }
}

async function sealOf(dir: string, needs: FolderNeeds): Promise<Seal> {
  if (needs.sealingKey !== undefined) return sealFrom(needs.sealingKey)
  const path = join(dir, 'seal.key')
  try {
    await stat(path)
  } catch {
    await writeFile(path, needs.ids.hex(32), { mode: 0o600, flag: 'wx' })
    if (!needs.seed) needs.log.warn({ file: path, clause: 'SEC-026' }, 'no sealing key is configured: one was made beside the keys it seals; keep it out of backups')
  }
  return sealFrom((await readFile(path, 'utf8')).trim())
}

/** Key first, certificate last: a crash between them leaves no certificate, and both are made again. */
export async function authority(files: Files, name: string, plain: boolean, make: (key: KeyObject) => Promise<Authority>): Promise<Authority> {
  const pem = await files.read(`${name}.pem`)
  if (pem !== undefined) return authorityFrom(certificatesFrom(pem)[0]!, [], await needKey(files, name))
  const key = newEcKey(), made = await make(key)
  await files.writeKey(name, key, plain)
  await files.write(`${name}.pem`, certificatePem(made.certificate), 0o644)
  return made
}

export async function needKey(files: Files, name: string): Promise<KeyObject> {
  const key = await files.readKey(name)
  if (!key) throw new Refusal('unavailable', `${name}.pem is there but its key is not: put ${name}.key.sealed back, or start with an empty folder`)
  return key
}

export interface Leaf {
  readonly key: KeyObject
  readonly der: Buffer
}

/** A certificate that is there and fits stays; else it is made anew, with the key that is there. */
export async function leaf(
  files: Files, name: string, plain: boolean, newKey: () => Promise<KeyObject>, issue: (key: KeyObject) => Promise<Buffer>, fits: (der: Buffer) => boolean = () => true,
): Promise<Leaf> {
  const pem = await files.read(`${name}.pem`), old = pem === undefined ? undefined : certificatesFrom(pem)[0]
  if (old && fits(old)) return { key: await needKey(files, name), der: old }
  const key = (old && await files.readKey(name)) || await newKey()
  const der = await issue(key)
  await files.writeKey(name, key, plain)
  await files.write(`${name}.pem`, certificatePem(der), 0o644)
  return { key, der }
}

