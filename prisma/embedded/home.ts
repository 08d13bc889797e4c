import { createHash, randomBytes } from 'node:crypto'
import { accessSync, chownSync, constants, existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from '#core/error.js'

/** Who PostgreSQL runs as: itself refuses root, so root hands it to `nobody` (stack.md, launcher rule 4). */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

export const foreignOwner = (): Owner | undefined => (process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined)

/** Where one data folder's database lives; the same for every process that names the folder. */
export interface Home {
  /** 0700, owned by whoever runs PostgreSQL. */
  readonly dir: string
  readonly data: string
  readonly log: string
  readonly socketDir: string
}

const shortName = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12)

/** Whether another user may walk down to `path`: every existing folder above it has x for all. */
export function passable(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false
    if (dirname(at) === at) return true
  }
}

/** A folder of root's own that `nobody` may pass and nobody else may write: a planted one is refused. */
export function sharedRoot(): string {
  for (const dir of ['/var/lib/loadstone', join(tmpdir(), 'loadstone-root')]) {
    try {
      mkdirSync(dir, { recursive: true, mode: 0o755 })
      const found = lstatSync(dir)
      if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0 && passable(dir)) return dir
    } catch { /* read-only or forbidden: the next one */ }
  }
  throw new Refusal('unavailable', 'running as root, and neither /var/lib/loadstone nor the temporary folder can be passed by the user "nobody" that PostgreSQL needs; run as an ordinary user or set LOADSTONE_DATABASE_URL')
}

function ownFolder(dir: string, owner: Owner | undefined): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const found = lstatSync(dir)
  const allowed = [process.getuid?.(), owner?.uid]
  if (!found.isDirectory() || (process.getuid && !allowed.includes(found.uid))) throw new Refusal('unavailable', `${dir} belongs to somebody else`)
  if (owner) chownSync(dir, owner.uid, owner.gid)
  return dir
}

/** `<dataDir>/database`; a link to a folder elsewhere when root keeps its data under a parent that `nobody` cannot pass. */
function databaseFolder(dataDir: string, owner: Owner | undefined): string {
  const inside = join(dataDir, 'database')
  if (lstatSync(inside, { throwIfNoEntry: false })?.isSymbolicLink()) return ownFolder(resolve(dataDir, readlinkSync(inside)), owner)
  if (!owner || passable(dataDir)) return ownFolder(inside, owner)
  if (existsSync(inside)) throw new Refusal('unavailable', `${inside} lies under a folder that the user "nobody" cannot pass; move it or open its parents (chmod a+x)`)
  // A name of its own for every life of the folder: one that was emptied must not find the old data. The link decides between two processes.
  try { symlinkSync(join(sharedRoot(), `database-${shortName(dataDir)}-${randomBytes(4).toString('hex')}`), inside) } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return ownFolder(readlinkSync(inside), owner)
}

export function embeddedHome(dataDir: string, owner: Owner | undefined): Home {
  mkdirSync(dataDir, { recursive: true })
  accessSync(dataDir, constants.R_OK | constants.W_OK)
  const real = realpathSync(dataDir)
  const dir = databaseFolder(real, owner)
  // A socket's path must stay under 108 bytes on Linux and 104 on macOS; `/.s.PGSQL.5432` is 15 of them (rule 1).
  const near = join(dir, 'run')
  const far = join(owner ? sharedRoot() : tmpdir(), `ls-${process.getuid?.() ?? 0}-${shortName(real)}`)
  const socketDir = ownFolder(Buffer.byteLength(near) + 15 < 100 ? near : far, owner)
  return { dir, data: join(dir, 'data'), log: join(dir, 'postgres.log'), socketDir }
}
