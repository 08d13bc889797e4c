import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { UploadStore } from '#csms/upload.js'

/** Stations' logs in a folder of their own. Names are tickets that we made, so none leads out of it; a broken upload leaves nothing. */
export function folderUploads(folder: string): UploadStore {
  const at = (name: string): string => {
    if (!/^[0-9a-f]{8,64}$/.test(name)) throw new Error('not a ticket of ours')
    return join(folder, name)
  }
  return {
    async save(name, body, limit) {
      const part = `${at(name)}.part`
      await mkdir(folder, { recursive: true, mode: 0o700 })
      let bytes = 0
      async function* counted(): AsyncGenerator<Uint8Array> {
        for await (const chunk of body) {
          bytes += chunk.length
          if (bytes > limit) throw new Error(`more than ${limit} bytes`)
          yield chunk
        }
      }
      try {
        await pipeline(counted(), createWriteStream(part, { mode: 0o600 }))
        await rename(part, at(name))
      } catch (error) {
        await rm(part, { force: true })
        throw error
      }
      return bytes
    },
    read: (name) => readFile(at(name)).catch(() => undefined),
  }
}
