import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Where what waits to be sent outlives the process; by key, a later one replaces an earlier one. */
export interface KeptStore<T extends { readonly key: string }> {
  put(one: T): Promise<void>
  remove(key: string): Promise<void>
  all(): Promise<readonly T[]>
}

export function memoryKept<T extends { readonly key: string }>(): KeptStore<T> {
  const held = new Map<string, T>()
  return {
    put: (one) => { held.set(one.key, one); return Promise.resolve() },
    remove: (key) => { held.delete(key); return Promise.resolve() },
    all: () => Promise.resolve([...held.values()]),
  }
}

/** One file for each, written whole: to a temporary name, flushed, then renamed. A file that cannot be read is set aside, not fatal. */
export function diskKept<T extends { readonly key: string }>(folder: string): KeptStore<T> {
  const file = (key: string): string => join(folder, `${Buffer.from(key).toString('base64url')}.json`)
  return {
    async put(one) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const temporary = `${file(one.key)}.new`
      const handle = await open(temporary, 'w', 0o600)
      try {
        await handle.writeFile(JSON.stringify(one))
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, file(one.key))
    },
    remove: (key) => rm(file(key), { force: true }),
    async all() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const names = (await readdir(folder)).filter((n) => n.endsWith('.json')).sort()
      const read = await Promise.all(names.map(async (name) => {
        try {
          return JSON.parse(await readFile(join(folder, name), 'utf8')) as T
        } catch {
          await rename(join(folder, name), join(folder, `${name}.broken`))
          return undefined
        }
      }))
      return read.filter((one) => one !== undefined)
    },
  }
}
