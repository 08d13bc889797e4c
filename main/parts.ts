import { statfs } from 'node:fs/promises'
import type { Part } from '#core/operator/health.js'

/** What /readyz asks besides the database (UX-071, REL-073): each door by its name, and the disk of the data folder. */
export class Parts {
  readonly list: Record<string, Part> = {}

  door(name: string, open: () => boolean): void {
    this.list[name] = () => (open() ? { ok: true } : { ok: false, reason: `the ${name} door does not listen; the log says why` })
  }

  /** REL-028: said before the last byte is gone. */
  disk(folder: string, least_MB = 64): void {
    this.list['disk'] = async () => {
      const { bavail, bsize } = await statfs(folder), free = Math.floor((bavail * bsize) / 2 ** 20)
      return free >= least_MB ? { ok: true } : { ok: false, reason: `the disk of ${folder} is full: ${free} MB free` }
    }
  }
}
