import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { BuildOptions } from '#main/shape.js'

/** The server's own secret, for keyed hashes: made once and kept in the data folder unless configured. */
export function serverSecret({ settings, data }: BuildOptions, make: () => string): Buffer {
  const given = settings.sealKey || keptSecret(data.at('seal.key'), make)
  return createHash('sha256').update(`loadstone stations ${given}`).digest()
}

function keptSecret(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600, flag: 'wx' })
  return readFileSync(file, 'utf8').trim()
}
